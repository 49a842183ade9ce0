"""The numbers that a recipe chooses, before they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qcodec import Lossless, Verbatim
from qcodec.quantized import Quantized
from qcodec.recipes import Recipe


def quantized(tensors: Mapping[str, Any], recipe: Recipe) -> dict[str, Quantized | np.ndarray]:
    """What the recipe's codecs make of the tensors; those that it keeps stay arrays."""
    found: dict[str, Quantized | np.ndarray] = {}
    for name, array in tensors.items():
        codec = recipe.codec_for(name, array.shape, array.dtype.name)
        exact = codec is None or isinstance(codec, Lossless | Verbatim)
        found[name] = array if exact else codec.quantize(array)
    return found
