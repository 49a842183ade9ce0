"""Positions of the stored weights of a sparse tensor, as a user of NumPy would store them."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def to_gaps(positions: Array, largest: int) -> Array:
    """Absent weights before each stored one; `largest` says that many, and that none follows."""
    gaps = np.diff(positions, prepend=-1) - 1
    fillers = gaps // largest
    out = np.full(len(gaps) + int(fillers.sum()), largest, np.uint8)
    out[np.cumsum(fillers + 1) - 1] = gaps % largest
    return out


def from_gaps(gaps: Array, largest: int) -> Array:
    """The positions again."""
    stored = gaps != largest
    return np.cumsum(gaps + stored, dtype=np.int64)[stored] - 1


def to_mask(positions: Array, size: int) -> Array:
    """One bit a weight."""
    mask = np.zeros(size, np.bool_)
    mask[positions] = True
    return np.packbits(mask, bitorder="little")


def from_mask(data: Array, size: int) -> Array:
    """The positions again."""
    return np.flatnonzero(np.unpackbits(data, count=size, bitorder="little"))
