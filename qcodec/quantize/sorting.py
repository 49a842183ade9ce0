"""Sorting of large arrays that Ctrl-C can interrupt."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .._core import core
from .._core.interrupt import check
from .weights import Array

# Up to this size NumPy's sort is faster and takes only milliseconds.
_FEW = 1 << 20


def ascending(values: Array, in_place: bool = False) -> Array:
    """Return a sorted copy, or the values themselves, sorted.

    Parameters
    ----------
    values : numpy.ndarray of float32
        One dimension; finite.
    in_place : bool
        Whether the values may be sorted where they are.

    Examples
    --------
    >>> ascending(np.array([2, -1, 0], np.float32))
    array([-1.,  0.,  2.], dtype=float32)
    """
    if len(values) <= _FEW:
        return np.sort(values)
    ordered = values if in_place else np.array(values, np.float32, order="C")
    core.sort(ordered)
    return ordered


def partitioned(values: Array, place: int) -> Array:
    """Return a copy that is partitioned at `place`, as `numpy.partition` does."""
    return np.partition(values, place) if len(values) <= _FEW else ascending(values)


def row_blocks(rows: int, width: int) -> Iterator[slice]:
    """Yield slices of the rows of an array, each small enough to be sorted in milliseconds.

    Examples
    --------
    >>> list(row_blocks(3, 1 << 20))
    [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    at_once = max(_FEW // max(width, 1), 1)
    for first in range(0, rows, at_once):
        check()
        yield slice(first, min(first + at_once, rows))
