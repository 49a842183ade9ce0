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
        The number of elements of all groups.
    """

    inner: int
    count: int
    members: int
    elements: int

    def sample(self, count: int) -> Array:
        """Return up to this many elements of the first group."""

    def pieces(self, codes: Array) -> Iterator[Piece]:
        """Yield all groups in order.

        What the consumer writes as codes of a piece goes to `codes`, one per element, which may be
        empty if there are none.
        """

    def stored(self, codes: Array) -> Array:
        """Return the codes of the stored elements."""


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

    def stored(self, codes: Array) -> Array:
        """Return the codes of the stored elements."""
        return codes

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
        if self.count == 1:
            return np.array([len(self._items)], np.uintp)
        if self._positions is not None:
            ends = np.arange(first + 1, last + 1) * self.inner
            return np.searchsorted(self._positions, ends).astype(np.uintp)
        dense = np.arange(first + 1, last + 1, dtype=np.uintp)
        dense *= np.uintp(self.inner)
        dense[-1] = min(int(dense[-1]), len(self._items))  # the last block may be shorter
        return dense


class AxisGroups:
    """Groups of an axis that is not the first: each index is a group, absent elements included."""

    def __init__(self, quantized: Quantized, axis: int) -> None:
        shape = quantized.shape
        self.inner, self.count = math.prod(shape[axis + 1 :]), shape[axis]
        self.members, self.elements = quantized.size // self.count, quantized.size
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

    def stored(self, codes: Array) -> Array:
        """Return the codes of the stored elements."""
        return codes if self._positions is None else codes[self._positions]

    def pieces(self, codes: Array) -> Iterator[Piece]:
        """Yield all groups in order."""
        dense = self._dense()
        for first, last in _spans(self.count, self.members):
            items = np.ascontiguousarray(dense[:, first:last].swapaxes(0, 1))
            ends = np.arange(1, last - first + 1, dtype=np.uintp) * np.uintp(self.members)
            found = np.zeros(items.shape if codes.size else 0, codes.dtype)
            yield Piece(slice(first, last), items.reshape(-1), ends, found.reshape(-1))
            if codes.size:
                codes.reshape(self._sides)[:, first:last] = found.swapaxes(0, 1)

    def _dense(self) -> Array:
        """Return all elements as (before the axis, the axis, after it); absent ones are zeros."""
        if self._positions is None:
            return self._items.reshape(self._sides)
        dense = np.zeros(self.elements, self._items.dtype)
        dense[self._positions] = self._items
        return dense.reshape(self._sides)


def _spans(count: int, members: int) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of consecutive groups: few at first, then about `_PIECE` elements."""
    first, size = 0, 1
    while first < count:
        last = min(first + size, count)
        yield first, last
        first, size = last, min(size * _GROWTH, max(_PIECE // max(members, 1), 1))
