"""Small integers, several per byte."""

from __future__ import annotations

from functools import cache

import numpy as np

Array = np.ndarray


def width(largest: int) -> int:
    """1, 2, 4 or 8 bits: widths at which no value is split between two bytes."""
    return next(bits for bits in (1, 2, 4, 8) if largest < 1 << bits)


def pack(values: Array, bits: int) -> Array:
    """The first value of a byte in its low bits; the last byte is filled up with zeros."""
    if bits == 8:
        return values
    rows = np.zeros((-(-len(values) * bits // 8), 8 // bits), np.uint8)
    rows.reshape(-1)[: len(values)] = values
    return np.bitwise_or.reduce(rows << (np.arange(8 // bits, dtype=np.uint8) * bits), axis=1)


def unpack(data: Array, bits: int, count: int) -> Array:
    """The values again, by one look-up a byte."""
    if bits == 8:
        return data
    return np.take(_table(bits), data).view(np.uint8)[:count]


@cache
def _table(bits: int) -> Array:
    """All values in each byte, as one wider integer a byte."""
    parts = np.arange(256)[:, None] >> (np.arange(8 // bits) * bits) & ((1 << bits) - 1)
    return parts.astype(np.uint8).view(f"u{8 // bits}")[:, 0]
