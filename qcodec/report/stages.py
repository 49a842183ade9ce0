"""The size of a tensor after each stage of compression: float, pruned, quantized, coded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._base.arrays import Typed, as_float32
from ..codecs import Lossless, Sparse, Verbatim
from ..dtypes import QUANTIZABLE
from ..quantized import Quantized
from ..tensor import encode

#: In order; `qcodec demo` prints them too.
STAGES = ("float", "pruned", "quantized", "coded")


def stage_bytes(tensor: Typed, quantized: Quantized | None, coded: int) -> dict[str, int]:
    """Return the bytes of a tensor after each stage; each is the length of a frame.

    Parameters
    ----------
    tensor : Typed
        The decoded tensor.
    quantized : Quantized, optional
        Its codes. None: it was not quantized.
    coded : int
        The bytes that it takes in its file.

    Returns
    -------
    dict of str to int
        ``"float"``: the decoded tensor, as it is in memory. ``"pruned"``: zeros are left out,
        the other elements and their positions take a fixed width. ``"quantized"``: codes instead
        of elements, at a fixed width too. ``"coded"``: as given.

    Examples
    --------
    >>> import qcodec
    >>> weights = np.where(np.arange(4096) % 8 == 0, np.sin(np.arange(4096.0)), 0).astype("f4")
    >>> codes = qcodec.DeepCompression(4).quantize(weights)
    >>> decoded = Typed(codes.dequantize(), qcodec.dtypes.element_type("float32"))
    >>> stage_bytes(decoded, codes, len(qcodec.encode(codes)))
    {'float': 16384, 'pruned': 2264, 'quantized': 540, 'coded': 187}
    """
    array = tensor.array
    stored = nonzero(tensor)
    pruned = len(encode(tensor, Verbatim(), profile="fixed"))
    if stored is not None and _may_pay(len(stored), array):
        codec = Sparse(Lossless(), positions="gaps")
        pruned = min(pruned, len(encode(tensor, codec, profile="fixed")))
    fixed = pruned
    if quantized is not None and quantized.kind != "bytes":
        if quantized.positions is None and stored is not None:
            quantized = replace(quantized, codes=quantized.codes[stored], positions=stored)
        fixed = len(encode(quantized, profile="fixed"))
    return dict(zip(STAGES, (array.nbytes, pruned, fixed, coded), strict=True))


def nonzero(tensor: Typed) -> np.ndarray[Any, Any] | None:
    """Return the flat indices of the floats that are not zero; None if none is zero."""
    if tensor.element.name not in QUANTIZABLE:
        return None
    values = as_float32(tensor.array, tensor.element)
    if np.count_nonzero(values) == values.size:
        return None
    return np.flatnonzero(values).astype(np.int64, copy=False)


def _may_pay(stored: int, array: np.ndarray[Any, Any]) -> bool:
    """Whether leaving zeros out may be smaller: each element that is stored takes a gap too."""
    bits = 8 * array.itemsize
    return stored * (bits + 1) < array.size * bits
