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
# The first part is one group, and each is so much larger than the one before: a search in vain
# ends soon.
_GROWTH = 16


@dataclass(frozen=True, eq=False)
class Part:
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
    """

    inner: int
    count: int
    members: int

    def sample(self, count: int) -> Array:
        """Return up to this many elements of the first group."""

    def parts(self, codes: Array) -> Iterator[Part]:
        """Yield all groups in order; what the consumer writes as codes of a part is kept."""


class Runs:
    """Groups of consecutive elements: the tensor, rows, or blocks."""

    def __init__(self, quantized: Quantized, inner: int) -> None:
        self.inner = inner
        self.count = max(-(-quantized.size // inner), 1)
        self.members = min(inner, quantized.stored)
        self._items, self._positions = quantized.codes, quantized.positions

    def sample(self, count: int) -> Array:
        """Return up to this many elements of the first group."""
        end = self.inner if self._positions is None else int(self._ends(0, 1)[0])
        return self._items[: min(count, end)]

    def parts(self, codes: Array) -> Iterator[Part]:
        """Yield all groups in order; what the consumer writes as codes of a part is kept."""
        start = 0
        for first, last in _spans(self.count, self.members):
            ends = self._ends(first, last)
            stop = int(ends[-1])
            ends -= np.uintp(start)
            yield Part(slice(first, last), self._items[start:stop], ends, codes[start:stop])
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
        """Yield all groups in order; what the consumer writes as codes of a part is kept."""
        for first, last in _spans(self.count, self.members):
            items = np.ascontiguousarray(self._items[:, first:last].swapaxes(0, 1))
            ends = np.arange(1, last - first + 1, dtype=np.uintp) * np.uintp(self.members)
            found = np.zeros(items.shape, codes.dtype)
            yield Part(slice(first, last), items.reshape(-1), ends, found.reshape(-1))
            codes.reshape(self._sides)[:, first:last] = found.swapaxes(0, 1)


def _spans(count: int, members: int) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of consecutive groups: few at first, then about `_PART` elements."""
    first, size = 0, 1
    while first < count:
        last = min(first + size, count)
        yield first, last
        first, size = last, min(size * _GROWTH, max(_PART // max(members, 1), 1))
