"""Sorts codebooks and restores their order; sorted ones, and the codes for them, are smaller."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..quantized import Quantized

Array = np.ndarray[Any, Any]

# Codes that are changed in one step.
_AT_ONCE = 1 << 16


def ascending(quantized: Quantized) -> tuple[Quantized, Array] | None:
    """Sort every codebook in ascending order, and change the codes accordingly.

    Returns
    -------
    (Quantized, numpy.ndarray) or None
        The sorted tensor, and for every entry in the original order its index in ascending
        order: uint8, (books, entries). None if the codebooks ascend already, or there are none.

    Examples
    --------
    >>> from qcodec.quantized import Groups
    >>> book = Groups(np.array([[0.5, -1.0, 0.0]], np.float32))
    >>> q = Quantized((3,), "float32", "codebook", np.array([0, 0, 2], np.uint8), None, 2, book)
    >>> moved, order = ascending(q)
    >>> moved.codebook.values.tolist(), moved.codes.tolist(), order.tolist()
    ([[-1.0, 0.0, 0.5]], [2, 2, 1], [[2, 0, 1]])
    """
    if quantized.codebook is None:
        return None
    keys = keys_of(quantized.codebook.values)
    if (keys[:, 1:] >= keys[:, :-1]).all():
        return None
    places = np.argsort(keys, axis=1, kind="stable")
    order = np.argsort(places, axis=1, kind="stable").astype(np.uint8)
    values = np.take_along_axis(quantized.codebook.values, places, axis=1)
    return _moved(quantized, values, order), order


def restored(quantized: Quantized, order: Array) -> Quantized:
    """Restore the tensor that was passed to `ascending`."""
    assert quantized.codebook is not None
    values = np.take_along_axis(quantized.codebook.values, order.astype(np.int64), axis=1)
    places = np.argsort(order, axis=1, kind="stable").astype(np.uint8)
    return _moved(quantized, values, places)


def _moved(quantized: Quantized, values: Array, new_codes: Array) -> Quantized:
    """Replace the codebooks; code c of book b becomes new_codes[b, c]."""
    codebook = quantized.codebook
    assert codebook is not None
    codes = np.empty_like(quantized.codes)
    for start in range(0, len(codes), _AT_ONCE):  # indices take eight times as much as codes
        some = slice(start, min(start + _AT_ONCE, len(codes)))
        books: Array | int = 0
        if len(codebook.values) > 1:
            positions = quantized.positions
            index = np.arange(some.start, some.stop) if positions is None else positions[some]
            books = codebook.of(index)
        codes[some] = new_codes[books, quantized.codes[some]]
    return replace(quantized, codes=codes, codebook=replace(codebook, values=values))


def keys_of(values: Array) -> Array:
    """Map values to unsigned integers of the same order (format, section 5, deltas)."""
    bits = values.view(f"u{values.dtype.itemsize}")
    sign = bits.dtype.type(1 << 8 * values.dtype.itemsize - 1)
    return np.where(bits & sign, ~bits, bits | sign)
