"""Section 4: groups, the elements that share a codebook, or a scale and a zero point."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from .conventions import Reader, require


@dataclass(frozen=True)
class Groups:
    """Which group an element is in."""

    inner: int
    count: int
    ends: tuple[int, ...] = ()

    def group_of(self, i: int) -> int:
        """The group of element i of the tensor."""
        if self.inner == 0:
            return bisect_right(self.ends, i)
        return i // self.inner % self.count


ONE_GROUP = Groups(inner=1, count=1)


def read_lengths(reader: Reader, inner: int, count: int, n: int) -> Groups:
    """The groups of an `inner` and a `count`; their lengths follow only if `inner` is 0."""
    if inner > 0:
        return Groups(inner, count)
    # Each length has at least one byte; so a count that is too large is refused before the loop.
    require(count <= reader.left, "lengths of groups beyond the end", reader.error)
    lengths = [reader.vu("length of a group") for _ in range(count)]
    require(all(length >= 1 for length in lengths), "a group of no elements")
    require(sum(lengths) == n, "the lengths of the groups do not add up to n")
    return Groups(inner, count, tuple(accumulate(lengths)))
