"""Resolves NumPy's basic indexing to the elements that must be decoded, block by block."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from types import EllipsisType
from typing import Any, NamedTuple, SupportsIndex

import numpy as np

Array = np.ndarray[Any, Any]
Index = SupportsIndex | slice | EllipsisType | tuple[SupportsIndex | slice | EllipsisType, ...]

#: Chunks are decoded together up to this many bytes, because a call for each takes longer.
_BLOCK_BYTES = 1 << 20


class Selection(NamedTuple):
    """The elements of a tensor that an index takes. Elements are numbered in C order.

    Attributes
    ----------
    picks : tuple of range
        The wanted indices of each axis.
    rows : tuple of int
        For each axis, the number of elements from one index to the next.
    shape : tuple of int
        The shape of the result, which lacks the axes that were picked by an integer.
    wanted : int
        Number of wanted elements.
    first : int
        The lowest number of a wanted element; 0 if there is none.
    is_range : bool
        Whether the wanted elements are consecutive, and wanted in this order.
    """

    picks: tuple[range, ...]
    rows: tuple[int, ...]
    shape: tuple[int, ...]
    wanted: int
    first: int
    is_range: bool

    def gather(
        self, read: Callable[[int, int], Array], dtype: np.dtype[Any], each: int, before: int = 0
    ) -> Array:
        """Return the wanted elements, of which there must be some, as a new array.

        Parameters
        ----------
        read : callable
            Returns the elements from a first number up to a stop, as one dimension. It is called
            in ascending order, for a chunk at a time, or for some small ones.
        dtype : numpy.dtype
        each : int
            Elements of a chunk. Chunks that hold no wanted element are left out.
        before : int
            Elements of the first chunk that come before the tensor.
        """
        out = np.empty(tuple(map(len, self.picks)), dtype)
        for first, stop in self._blocks(each, _BLOCK_BYTES // dtype.itemsize, before):
            self._take(0, read(first, stop), first, out)
        return out.reshape(self.shape)

    def _blocks(self, each: int, most: int, before: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges to read, of one chunk or of up to `most` elements."""
        first: int | None = self.first
        while first is not None:
            start = first - (first + before) % each
            stop = start + each
            following = self._next(0, stop)
            while following is not None and following < stop + each <= start + most:
                stop += each
                following = self._next(0, stop)
            last = self._last(0, stop - 1)
            assert last is not None
            yield first, last + 1
            first = following

    # In the methods below, numbers count from the start of one index of axis - 1.

    def _lowest(self, axis: int) -> int:
        places = zip(self.picks[axis:], self.rows[axis:], strict=True)
        return sum(min(pick[0], pick[-1]) * row for pick, row in places)

    def _highest(self, axis: int) -> int:
        places = zip(self.picks[axis:], self.rows[axis:], strict=True)
        return sum(max(pick[0], pick[-1]) * row for pick, row in places)

    def _next(self, axis: int, number: int) -> int | None:
        """Return the first wanted element from `number` on; None if there is none."""
        if number <= self._lowest(axis):
            return self._lowest(axis)
        if axis == len(self.picks):
            return None
        pick, row = _ascending(self.picks[axis]), self.rows[axis]
        index = number // row
        if index in pick:
            found = self._next(axis + 1, number % row)
            if found is not None:
                return index * row + found
            index += 1
        place, _ = _places(pick, index, index)
        return pick[place] * row + self._lowest(axis + 1) if place < len(pick) else None

    def _last(self, axis: int, number: int) -> int | None:
        """Return the last wanted element up to `number`; None if there is none."""
        if number >= self._highest(axis):
            return self._highest(axis)
        if axis == len(self.picks):
            return None
        pick, row = _ascending(self.picks[axis]), self.rows[axis]
        index = number // row
        if index in pick:
            found = self._last(axis + 1, number % row)
            if found is not None:
                return index * row + found
            index -= 1
        _, place = _places(pick, 0, index + 1)
        return pick[place - 1] * row + self._highest(axis + 1) if place > 0 else None

    def _take(self, axis: int, block: Array, first: int, out: Array) -> None:
        """Copy the wanted elements of a block, which begins at number `first`, to `out`."""
        if axis == len(self.picks):
            out[...] = block[-first]
            return
        pick, row, stop = self.picks[axis], self.rows[axis], first + len(block)
        low, high = -(-first // row), stop // row  # the block holds all of these rows
        begin, end = _places(pick, low, high)
        if begin < end:
            later = zip(self.rows[axis:], self.rows[axis + 1 :], strict=False)
            lengths = [outer // inner for outer, inner in later]
            rows = block[low * row - first : high * row - first].reshape(-1, *lengths)
            others = (_slice(other) for other in self.picks[axis + 1 :])
            out[begin:end] = rows[(_slice(pick[begin:end], low), *others)]
        for index in {low - 1, high}:  # and a part of these
            if index in pick and index * row < stop and first < (index + 1) * row:
                at = pick.index(index)
                self._take(axis + 1, block, first - index * row, out[at])


def select(index: Index, shape: tuple[int, ...]) -> Selection:
    """Resolve an index of integers, slices with any step, and one Ellipsis.

    Raises
    ------
    IndexError
        If an integer is out of range, or there are too many indices.
    TypeError
        For lists, arrays, None and masks.

    Examples
    --------
    >>> column = select((slice(None), 1), (2, 3))
    >>> column.is_range, column.gather(lambda first, stop: np.arange(first, stop), np.dtype(int), 2)
    (False, array([1, 4]))
    """
    items = _normalise(index, shape)
    picks, rows, dims = [], [], []
    row = wanted = 1  # elements of the later axes, and wanted ones of them
    first, is_range = 0, True
    for item, size in zip(reversed(items), reversed(shape), strict=True):
        if isinstance(item, int):
            pick = range(item, item + 1)
            first += item * row
        else:
            pick, count = item, len(item)
            dims.append(count)
            if count > 1 and (pick.step != 1 or wanted != row):
                is_range = False
            if count:
                first += min(pick[0], pick[-1]) * row
            wanted *= count
        picks.append(pick)
        rows.append(row)
        row *= size
    if wanted == 0:
        first, is_range = 0, True
    return Selection(
        tuple(picks[::-1]), tuple(rows[::-1]), tuple(dims[::-1]), wanted, first, is_range
    )


def _normalise(index: Index, shape: tuple[int, ...]) -> list[int | range]:
    """Return one non-negative integer or range per axis."""
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


def _pick(item: Any, axis: int, size: int) -> int | range:
    if isinstance(item, slice):
        return range(size)[item]
    if isinstance(item, (bool, np.bool_)) or not hasattr(item, "__index__"):
        raise TypeError(
            f"indices are integers, slices and Ellipsis, not {type(item).__name__}; "
            "decode the whole tensor for more"
        )
    value = operator.index(item)
    if not -size <= value < size:
        raise IndexError(f"index {value} is out of range for axis {axis} of size {size}")
    return value % size


def _ascending(pick: range) -> range:
    return pick if pick.step > 0 else pick[::-1]


def _places(pick: range, low: int, high: int) -> tuple[int, int]:
    """Return from where to where a pick has the indices [low, high)."""
    ascending = _ascending(pick)
    begin, end = (
        min(max(-(-(bound - ascending.start) // ascending.step), 0), len(pick))
        for bound in (low, high)
    )
    return (begin, end) if pick.step > 0 else (len(pick) - end, len(pick) - begin)


def _slice(pick: range, low: int = 0) -> slice:
    """Return the slice that takes a pick, which is not empty, of indices from `low` on."""
    stop = pick[-1] - low + (1 if pick.step > 0 else -1)
    return slice(pick[0] - low, stop if stop >= 0 else None, pick.step)
