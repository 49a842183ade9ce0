"""The elements of a tensor by group, part by part, so that a search needs little memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from ..quantized import Quantized

Array = np.ndarray[Any, Any]

# Elements of a part, unless a group has more.
_PART = 1 << 18
# The first parts are this much smaller each, so a search in vain ends soon.
_GROWTH = 16
_MAX_RUN = 1 << 62


@dataclass(frozen=True, eq=False)
class Part:
    """Some groups of a tensor: `first` is the first of them.

    Attributes
    ----------
    items : numpy.ndarray
        The stored elements of these groups, one group after the other.
    ends : numpy.ndarray of uintp
        The end of each group in `items`.
    codes : numpy.ndarray of uint8
        The place for the codes of `items`.
    """

    first: int
    items: Array
    ends: Array
    codes: Array


class ElementGroups(Protocol):
    """A tensor in groups: the group of element i is ``(i // inner) % count``.

    Attributes
    ----------
    inner, count : int
    members : int
        The maximum number of elements of a group.
    """

    inner: int
    count: int
    members: int

    def sample(self, count: int) -> Array:
        """Return up to this many elements of the first group."""

    def parts(self, codes: Array) -> Iterator[Part]:
        """Yield all groups in order; the consumer fills in the codes of each part."""

    def add(self, codes: Array, offsets: Array) -> None:
        """Add to each code the offset of its group."""


class Runs:
    """Groups of consecutive elements: the tensor, rows, or blocks."""

    def __init__(self, quantized: Quantized, inner: int) -> None:
        self.inner = inner
        self.count = max(-(-quantized.size // inner), 1)
        self.members = min(inner, quantized.stored)
        self._items, self._positions = quantized.codes, quantized.positions

    def sample(self, count: int) -> Array:
        """Return up to this many elements of the first group."""
        return self._items[: min(count, int(self._ends(0, 1)[0]))]

    def parts(self, codes: Array) -> Iterator[Part]:
        """Yield all groups in order; the consumer fills in the codes of each part."""
        start = 0
        for first, last in _spans(self.count, self.members):
            ends = self._ends(first, last)
            stop = int(ends[-1])
            yield Part(first, self._items[start:stop], ends - np.uintp(start), codes[start:stop])
            start = stop

    def add(self, codes: Array, offsets: Array) -> None:
        """Add to each code the offset of its group."""
        sizes = np.diff(self._ends(0, self.count), prepend=np.uintp(0))
        codes += np.repeat(offsets, sizes.astype(np.intp))

    def _ends(self, first: int, last: int) -> Array:
        """Return where each of these groups ends among the stored elements."""
        if self.count == 1:
            return np.array([len(self._items)], np.uintp)
        ends = np.arange(first + 1, last + 1, dtype=np.int64) * self.inner
        if self._positions is not None:
            return np.searchsorted(self._positions, ends).astype(np.uintp)
        return np.minimum(ends, len(self._items)).astype(np.uintp)


class AxisGroups:
    """Groups of an axis that is not the first: each index is a group. All elements are stored."""

    def __init__(self, quantized: Quantized, axis: int) -> None:
        shape = quantized.shape
        self.inner, self.count = math.prod(shape[axis + 1 :]), shape[axis]
        self.members = quantized.size // self.count
        self._sides = (math.prod(shape[:axis]), self.count, self.inner)
        self._items = quantized.codes.reshape(self._sides)

    def sample(self, count: int) -> Array:
        """Return up to this many elements of the first group."""
        return np.ascontiguousarray(self._items[:count, 0, :count].reshape(-1)[:count])

    def parts(self, codes: Array) -> Iterator[Part]:
        """Yield all groups in order; the consumer fills in the codes of each part."""
        for first, last in _spans(self.count, self.members):
            items = np.ascontiguousarray(self._items[:, first:last].swapaxes(0, 1))
            ends = np.arange(1, last - first + 1, dtype=np.uintp) * np.uintp(self.members)
            found = np.empty(items.shape, np.uint8)
            yield Part(first, items.reshape(-1), ends, found.reshape(-1))
            codes.reshape(self._sides)[:, first:last] = found.swapaxes(0, 1)

    def add(self, codes: Array, offsets: Array) -> None:
        """Add to each code the offset of its group."""
        by_group = codes.reshape(self._sides)
        by_group += offsets[:, None]


def _spans(count: int, members: int) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of consecutive groups: few at first, then about `_PART` elements."""
    first, size = 0, 1
    while first < count:
        last = min(first + size, count)
        yield first, last
        first, size = last, min(size * _GROWTH, max(_PART // max(members, 1), 1))
