"""Sorting many numbers, so that Ctrl-C need not wait for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .._core import core
from .._core.interrupt import check
from .groups import Grouping
from .weights import Array

# Up to here NumPy is faster, and takes some milliseconds.
_FEW = 1 << 20


def ascending(values: Array) -> Array:
    """A sorted copy.

    Parameters
    ----------
    values : numpy.ndarray of float32
        One dimension; finite.

    Examples
    --------
    >>> ascending(np.array([2, -1, 0], np.float32))
    array([-1.,  0.,  2.], dtype=float32)
    """
    if len(values) <= _FEW:
        return np.sort(values)
    ordered = np.array(values, np.float32, order="C")
    core.sort(ordered)
    return ordered


def partitioned(values: Array, place: int) -> Array:
    """A copy whose element at this place is the one of that rank: as `numpy.partition`."""
    return np.partition(values, place) if len(values) <= _FEW else ascending(values)


def by_group(layout: Grouping, positions: Array | None, count: int) -> Iterator[Array]:
    """Of each group, which of the stored elements are in it, ascending.

    Parameters
    ----------
    layout : Grouping
    positions : numpy.ndarray of int64, optional
        Flat indices of the stored elements; None: all.
    count : int
        Of stored elements.

    Examples
    --------
    >>> [members.tolist() for members in by_group(Grouping(inner=1, count=2), None, 3)]
    [[0, 2], [1]]
    """
    blocks = []
    for block in row_blocks(max(count, 1), 1):
        stored = np.arange(block.start, min(block.stop, count))
        groups = layout.of(stored if positions is None else positions[stored])
        ends = np.cumsum(np.bincount(groups, minlength=layout.count))
        order = np.argsort(groups, kind="stable")
        blocks.append(np.split(stored[order], ends[:-1]))
    for parts in zip(*blocks, strict=True):
        yield parts[0] if len(parts) == 1 else np.concatenate(parts)


def row_blocks(rows: int, width: int) -> Iterator[slice]:
    """Slices of the rows of an array, each of about as many elements as are sorted in a moment.

    Examples
    --------
    >>> list(row_blocks(3, 1 << 20))
    [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    at_once = max(_FEW // max(width, 1), 1)
    for first in range(0, rows, at_once):
        check()
        yield slice(first, min(first + at_once, rows))
