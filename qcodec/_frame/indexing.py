"""Resolves NumPy's basic indexing to the range of elements that must be decoded."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, SupportsIndex

import numpy as np

Index = SupportsIndex | slice | EllipsisType | tuple[SupportsIndex | slice | EllipsisType, ...]


@dataclass(frozen=True)
class Selection:
    """A part of a tensor: decode elements [first, first + count), then apply `rest`.

    Attributes
    ----------
    first, count : int
        The range of elements, in C order, that covers the part.
    block_shape : tuple of int
        The shape of the range as an array.
    rest : tuple
        The NumPy index that takes the part from that array.
    """

    first: int
    count: int
    block_shape: tuple[int, ...]
    rest: tuple[int | slice, ...]


def select(index: Index, shape: tuple[int, ...]) -> Selection:
    """Resolve an index of integers, slices with any step, and one Ellipsis.

    Leading integers and the first slice become a range of rows; a row has the
    elements of all later axes.

    Raises
    ------
    IndexError
        If an integer is out of range, or there are too many indices.
    TypeError
        For lists, arrays, None and masks.

    Examples
    --------
    >>> select((1, slice(2, 4)), (3, 5))
    Selection(first=7, count=2, block_shape=(2,), rest=(slice(0, 2, 1),))
    """
    picks = _normalise(index, shape)
    row_number = 0
    for axis, pick in enumerate(picks):
        size = shape[axis]
        if isinstance(pick, int):
            row_number = row_number * size + pick
            continue
        behind = shape[axis + 1 :]
        row = math.prod(behind)
        wanted = range(size)[pick]
        if len(wanted) == 0:
            return Selection(0, 0, (0, *behind), (slice(0, 0), *picks[axis + 1 :]))
        low, high = min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1])
        first = (row_number * size + low) * row
        rows = high - low + 1
        rest = (_shifted(wanted, low), *picks[axis + 1 :])
        return Selection(first, rows * row, (rows, *behind), rest)
    return Selection(row_number, 1, (), ())


def _normalise(index: Index, shape: tuple[int, ...]) -> list[int | slice]:
    """Return one non-negative integer or slice per axis."""
    items: list[Any] = list(index) if isinstance(index, tuple) else [index]
    ellipses = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can have only one Ellipsis")
    given = len(items) - len(ellipses)
    if given > len(shape):
        raise IndexError(f"{given} indices for a tensor of {len(shape)} dimensions")
    at = ellipses[0] if ellipses else len(items)
    items[at : at + len(ellipses)] = [slice(None)] * (len(shape) - given)
    return [_pick(item, axis, shape[axis]) for axis, item in enumerate(items)]


def _pick(item: Any, axis: int, size: int) -> int | slice:
    if isinstance(item, slice):
        return item
    if isinstance(item, (bool, np.bool_)) or not hasattr(item, "__index__"):
        raise TypeError(
            f"indices are integers, slices and Ellipsis, not {type(item).__name__}; "
            "decode the whole tensor for more"
        )
    value = operator.index(item)
    if not -size <= value < size:
        raise IndexError(f"index {value} is out of range for axis {axis} of size {size}")
    return value % size


def _shifted(wanted: range, low: int) -> slice:
    """Return the slice that selects `wanted`, relative to `low`."""
    stop: int | None = wanted[-1] - low + (1 if wanted.step > 0 else -1)
    if stop is not None and stop < 0:
        stop = None
    return slice(wanted[0] - low, stop, wanted.step)
