"""The codes of a quantized tensor: how often each occurs, its value, its length, their entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._frame.encoded import Encoded
from ..quantized import Quantized
from .code_lengths import Lengths, code_lengths

Array = np.ndarray[Any, Any]

#: Tensors with more different codes are not described code by code.
MAX_CODES = 256
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Codes:
    """The codes of a tensor, in the order of their values, or of the codes if groups differ.

    Attributes
    ----------
    values : tuple of float or None
        The value of each code; None if it differs between groups.
    counts : tuple of int
        How often each code occurs; codes that do not are left out, unless a codebook has them.
    lengths : tuple of float or None
        The bits of each code: -1 for one that has none. None if the coding has no fixed lengths.
    coding : str
        Of the codes of the first chunk.
    """

    values: tuple[float, ...] | None
    counts: tuple[int, ...]
    lengths: tuple[float, ...] | None
    coding: str


def counted(codes: Array, width: int) -> Array:
    """Return how often each code of this width occurs.

    Examples
    --------
    >>> counted(np.array([0, 3, 3], np.uint8), 2)
    array([1, 0, 0, 2])
    """
    counts = np.zeros(1 << width, np.int64)
    for start in range(0, len(codes), _AT_ONCE):  # it counts in eight times the memory
        counts += np.bincount(codes[start : start + _AT_ONCE], minlength=len(counts))
    return counts


def entropy(counts: Array, elements: int) -> float:
    """Return the entropy of order 0 in bits an element.

    Elements that have no code are one more symbol, so that the entropy of a sparse tensor is
    that of its codes and positions together.

    Examples
    --------
    >>> entropy(np.array([2, 2]), 4), entropy(np.array([2, 2]), 8)
    (1.0, 1.5)
    """
    all_counts = np.append(counts, elements - int(counts.sum()))
    shares = all_counts[all_counts > 0] / max(elements, 1)
    return float(-(shares * np.log2(shares)).sum()) + 0.0  # not -0.0


def codes_of(quantized: Quantized, counts: Array, encoded: Encoded) -> Codes | None:
    """Describe the codes of a tensor; None if there are too many, or none.

    Parameters
    ----------
    quantized : Quantized
    counts : numpy.ndarray
        Those of `counted`.
    encoded : Encoded
        The same tensor.
    """
    values = _values(quantized)
    present = np.flatnonzero(counts) if values is None else np.arange(len(values))
    if quantized.kind == "affine":
        present = np.flatnonzero(counts)
    if not 0 < len(present) <= MAX_CODES:
        return None
    coding, lengths = code_lengths(encoded.frame, encoded._bytes)
    bits = None if lengths is None else _by_code(lengths, present, encoded)
    if values is not None:
        order = np.argsort(values[present], kind="stable")
        present = present[order]
        bits = None if bits is None else bits[order]
    return Codes(
        None if values is None else tuple(values[present].tolist()),
        tuple(counts[present].tolist()),
        None if bits is None else tuple(bits.tolist()),
        coding,
    )


def _values(quantized: Quantized) -> Array | None:
    """Return the value of each code, float64; None if it differs between groups."""
    groups = [quantized.codebook, quantized.scale]
    if any(group is not None and len(group.values) > 1 for group in groups):
        return None
    width = 1 << quantized.bits
    entries = width if quantized.codebook is None else quantized.codebook.values.shape[1]
    type_of_codes = quantized.codes.dtype
    if entries > MAX_CODES:
        return None
    every = Quantized(
        (entries,),
        "float64",
        quantized.kind,
        np.arange(entries).astype(type_of_codes),
        None,
        quantized.bits,
        quantized.codebook,
        quantized.scale,
        quantized.codebook_dtype,
        quantized.scale_dtype,
        quantized.zero_point,
    )
    return every.dequantize()


def _by_code(lengths: Lengths, codes: Array, encoded: Encoded) -> Array:
    """Return the length of each code, which may be stored under another number."""
    order = np.frombuffer(encoded.frame.codebook_order(), np.uint8)
    moved = codes if not len(order) or len(order) <= codes.max() else order[codes]
    return np.array([lengths.get(int(symbol), -1.0) for symbol in moved])
