"""The codes of a quantized tensor: how often each occurs, its value, its length, their entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._frame.encoded import Encoded
from ..quantized import Quantized
from .code_lengths import code_lengths

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
        The bits of each code, on average over the chunks, each of which has a table of its own;
        -1 for one that has none. None if the coding has no fixed lengths.
    coding : str
        Of the codes; several are joined by ``+``.
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
        With codebooks in the order in which they are stored.
    counts : numpy.ndarray
        Those of `counted`.
    encoded : Encoded
        The same tensor.
    """
    values = _values(quantized)
    is_codebook = values is not None and quantized.kind == "codebook"
    present = np.arange(len(values)) if is_codebook else np.flatnonzero(counts)  # type: ignore[arg-type]
    if not 0 < len(present) <= MAX_CODES:
        return None
    coding, lengths = _mean_lengths(quantized, counts, encoded)
    if values is not None:
        present = present[np.argsort(values[present], kind="stable")]
    return Codes(
        None if values is None else tuple(values[present].tolist()),
        tuple(counts[present].tolist()),
        None if lengths is None else tuple(lengths[present].tolist()),
        coding,
    )


def _mean_lengths(
    quantized: Quantized, counts: Array, encoded: Encoded
) -> tuple[str, Array | None]:
    """Return the codings of all chunks, and the bits that each code takes on average.

    A part of a frame shares its chunks with others, and takes the lengths of the first one.
    """
    frame, is_whole = encoded.frame, encoded.shape == encoded.frame.shape
    sums, names = np.zeros(len(counts)), dict[str, None]()
    for index in range(frame.chunks if is_whole else 1):
        name, lengths = code_lengths(frame, encoded._bytes, index)
        if not name:
            continue
        names[name] = None
        if lengths is None:
            return "+".join(names), None
        bits = np.array([lengths.get(code, -1.0) for code in range(len(counts))])
        if not is_whole or frame.chunks == 1:
            return name, bits
        sums += bits * counted(_of_chunk(quantized, frame.chunk(index)), quantized.bits)
    means = np.full(len(counts), -1.0)
    np.divide(sums, counts, out=means, where=counts > 0)
    return "+".join(names), means


def _of_chunk(quantized: Quantized, chunk: tuple[int, int, int, int]) -> Array:
    _, _, first, count = chunk
    if quantized.positions is None:
        return quantized.codes[first : first + count]
    start, stop = np.searchsorted(quantized.positions, (first, first + count))
    return quantized.codes[start:stop]


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
