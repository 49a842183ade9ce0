"""The least cost of coding each code by its frequency."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from qcodec.quantized import Quantized


def order0_bytes(tensors: Mapping[str, Any]) -> int:
    """Entropy of order 0 of each quantized tensor, absent weights being one more code.

    Tables, codebooks and tensors that are not quantized are not counted.
    """
    bits = sum(_bits(tensor) for tensor in tensors.values() if isinstance(tensor, Quantized))
    return math.ceil(bits / 8)


def _bits(tensor: Quantized) -> float:
    counts = np.append(np.bincount(tensor.codes), tensor.size - tensor.stored)
    counts = counts[counts > 0]
    return float(-(counts * np.log2(counts / tensor.size)).sum())
