"""The elements of a tensor by group, piece by piece, so that a search needs little memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from ..quantized import Quantized

Array = np.ndarray[Any, Any]

# Elements of a piece, unless a group has more.
_PIECE = 1 << 18
# The first piece is one group, and each is so much larger than the one before: a search in vain
# ends soon.
_GROWTH = 16


@dataclass(frozen=True, eq=False)
class Piece:
    """Some consecutive groups of a tensor.

    Attributes
    ----------
    groups : slice
    items : numpy.ndarray
        The stored elements of these groups, one group after the other.
    ends : numpy.ndarray of uintp
        The end of each group in `items`.
    codes : numpy.ndarray
        The place for the codes of `items`.
    """

    groups: slice
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
    elements : int
        The number of stored elements of all groups.
    """

    inner: int
    count: int
    members: int
    elements: int

    def sample(self, count: int) -> Array:
        """Return up to this many elements of the first group."""

    def pieces(self, codes: Array) -> Iterator[Piece]:
        """Yield all groups in order.

        What the consumer writes as codes of a piece goes to `codes`, one per stored element, which
        may be empty if there are none.
        """


class Runs:
    """Groups of consecutive elements: the tensor, rows, or blocks."""

    def __init__(self, quantized: Quantized, inner: int) -> None:
        self.inner = inner
        self.count = max(-(-quantized.size // inner), 1)
        self.members, self.elements = min(inner, quantized.stored), quantized.stored
        self._items, self._positions = quantized.codes, quantized.positions

    def sample(self, count: int) -> Array:
        """Return up to this many elements of the first group."""
        end = self.inner if self._positions is None else int(self._ends(0, 1)[0])
        return self._items[: min(count, end)]

    def pieces(self, codes: Array) -> Iterator[Piece]:
        """Yield all groups in order."""
        start = 0
        for first, last in _spans(self.count, self.members):
            ends = self._ends(first, last)
            stop = int(ends[-1])
            ends -= np.uintp(start)
            yield Piece(slice(first, last), self._items[start:stop], ends, codes[start:stop])
            start = stop

    def _ends(self, first: int, last: int) -> Array:
        """Return where each of these groups ends among the stored elements."""
        if self._positions is not None:
            limits = np.arange(first + 1, last + 1) * self.inner
            return np.searchsorted(self._positions, limits).astype(np.uintp)
        # The last block may be shorter.
        end = min(last * self.inner, len(self._items))
        if last - first == 1:
            return np.array([end], np.uintp)
        ends = np.arange(first + 1, last + 1, dtype=np.uintp)
        ends *= np.uintp(self.inner)
        ends[-1] = end
        return ends


class AxisGroups:
    """Groups of an axis that is not the first: each index is a group."""

    def __init__(self, quantized: Quantized, axis: int) -> None:
        shape = quantized.shape
        self.inner, self.count = math.prod(shape[axis + 1 :]), shape[axis]
        self.members, self.elements = quantized.size // self.count, quantized.stored
        self._sides = (math.prod(shape[:axis]), self.count, self.inner)
        self._items, self._positions = quantized.codes, quantized.positions

    def sample(self, count: int) -> Array:
        """Return up to this many elements of the first group."""
        if self._positions is None:
            first = self._items.reshape(self._sides)[:count, 0, :count]
            return np.ascontiguousarray(first.reshape(-1)[:count])
        outer, inner = np.arange(min(self._sides[0], count)), np.arange(min(self.inner, count))
        wanted = (outer[:, None] * (self.count * self.inner) + inner).reshape(-1)[:count]
        found = np.minimum(np.searchsorted(self._positions, wanted), len(self._positions) - 1)
        items: Array = self._items[found[self._positions[found] == wanted]]
        return items

    def pieces(self, codes: Array) -> Iterator[Piece]:
        """Yield all groups in order."""
        return self._of_all(codes) if self._positions is None else self._of_stored(codes)

    def _of_all(self, codes: Array) -> Iterator[Piece]:
        items_of = self._items.reshape(self._sides)
        for first, last in _spans(self.count, self.members):
            items = np.ascontiguousarray(items_of[:, first:last].swapaxes(0, 1))
            ends = np.arange(1, last - first + 1, dtype=np.uintp) * np.uintp(self.members)
            found = np.zeros(items.shape if codes.size else 0, codes.dtype)
            yield Piece(slice(first, last), items.reshape(-1), ends, found.reshape(-1))
            if codes.size:
                codes.reshape(self._sides)[:, first:last] = found.swapaxes(0, 1)

    def _of_stored(self, codes: Array) -> Iterator[Piece]:
        """Yield the groups of the stored elements: absent ones are zeros, which fit every group."""
        groups = self._groups_of_stored()
        order = np.argsort(groups, kind="stable")
        all_ends = np.cumsum(np.bincount(groups, minlength=self.count)).astype(np.uintp)
        start = 0
        for first, last in _spans(self.count, self.members):
            ends = all_ends[first:last]
            stop = int(ends[-1])
            places = order[start:stop]
            found = np.zeros(len(places) if codes.size else 0, codes.dtype)
            yield Piece(slice(first, last), self._items[places], ends - np.uintp(start), found)
            if codes.size:
                codes[places] = found
            start = stop

    def _groups_of_stored(self) -> Array:
        """Return the group of each stored element, in the narrowest integers."""
        positions = self._positions
        assert positions is not None
        groups = np.empty(len(positions), np.min_scalar_type(self.count))
        for start in range(0, len(groups), _PIECE):
            block = positions[start : start + _PIECE]
            groups[start : start + _PIECE] = (block // self.inner) % self.count
        return groups


def _spans(count: int, members: int) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of consecutive groups: few at first, then about `_PIECE` elements."""
    first, size = 0, 1
    while first < count:
        last = min(first + size, count)
        yield first, last
        first, size = last, min(size * _GROWTH, max(_PIECE // max(members, 1), 1))
