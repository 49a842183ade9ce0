"""Groups of elements that share a parameter: the tensor, an index of an axis, or a block."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._base.checks import check_integer

Array = np.ndarray[Any, Any]

MAX_DIMS = 8


class GroupsError(ValueError):
    """Groups that are so small that a tensor would be larger than its elements."""


@dataclass(frozen=True)
class Grouping:
    """The group of element i (C order) is ``(i // inner) % count``.

    Attributes
    ----------
    inner : int
        Number of consecutive elements that share a group.
    count : int
        Number of groups, at least 1.
    """

    inner: int
    count: int

    def members(self, values: Array) -> Array:
        """Rearrange flat values into the shape (groups, members).

        An incomplete last block is filled with zeros.

        Examples
        --------
        >>> Grouping(inner=1, count=2).members(np.array([1, 2, 3, 4]))
        array([[1, 3],
               [2, 4]])
        """
        period = self.inner * self.count
        missing = -len(values) % period if period else 0
        if missing:
            values = np.concatenate([values, np.zeros(missing, values.dtype)])
        by_outer = values.reshape(-1, self.count, self.inner)
        return np.swapaxes(by_outer, 0, 1).reshape(self.count, -1)

    def counts(self, elements: int) -> Array:
        """Return the number of elements in each group of a tensor.

        Examples
        --------
        >>> Grouping(inner=2, count=3).counts(5)
        array([2, 2, 1])
        """
        rounds, rest = divmod(elements, self.inner * self.count)
        more = np.clip(rest - np.arange(self.count) * self.inner, 0, self.inner)
        counts: Array = rounds * self.inner + more
        return counts

    def some_members(self, values: Array, groups: Array) -> Array:
        """Return `members` of these groups alone.

        Examples
        --------
        >>> Grouping(inner=2, count=3).some_members(np.array([1, 2, 3, 4, 5]), np.array([0, 2]))
        array([[1, 2],
               [5, 0]])
        """
        period = self.inner * self.count
        starts = np.arange(0, len(values), period) + groups[:, None] * self.inner
        index = (starts[..., None] + np.arange(self.inner)).reshape(len(groups), -1)
        found: Array = np.where(index < len(values), values[np.minimum(index, len(values) - 1)], 0)
        return found

    def of(self, index: Array) -> Array:
        """Return the group of each flat index."""
        return (index // self.inner) % self.count

    def spread(self, parameters: Array, positions: Array | None, count: int) -> Array:
        """Return each stored element's parameter, given one parameter per group.

        Parameters
        ----------
        parameters : numpy.ndarray
            Shape (groups,).
        positions : numpy.ndarray of int64, optional
            Flat indices of the stored elements; None: all `count` of them.
        count : int
            Number of elements of the tensor.

        Examples
        --------
        >>> Grouping(inner=2, count=2).spread(np.array([5, 6]), None, 4)
        array([5, 5, 6, 6])
        """
        if self.count == 1:
            return parameters
        if positions is not None:
            return parameters[self.of(positions)]
        period = np.repeat(parameters, self.inner)
        return np.resize(period, count)


def grouping(shape: tuple[int, ...], per: int | None = None, group: int | None = None) -> Grouping:
    """Return the grouping of a tensor's elements.

    Parameters
    ----------
    shape : tuple of int
    per : int, optional
        An axis; each of its indices is a group. It may be negative.
    group : int, optional
        The number of consecutive elements (C order) in a group. If neither is
        given, the tensor is one group.

    Raises
    ------
    ValueError
        If both are given, the axis does not exist, or the group is empty.

    Examples
    --------
    >>> grouping((8, 3, 5, 5), per=0)
    Grouping(inner=75, count=8)
    >>> grouping((100,), group=32)
    Grouping(inner=32, count=4)
    """
    check_grouping(per, group)
    if per is not None:
        if not -len(shape) <= per < len(shape):
            raise ValueError(f"per={per} is not an axis of an array of shape {shape}")
        axis = per % len(shape)
        return Grouping(max(1, math.prod(shape[axis + 1 :])), max(1, shape[axis]))
    if group is not None:
        return Grouping(group, max(1, -(-math.prod(shape) // group)))
    return Grouping(1, 1)


def check_grouping(per: int | None, group: int | None) -> None:
    """Raise TypeError or ValueError if both are given, or one is out of range."""
    if per is not None and group is not None:
        raise ValueError("per and group were both given; allowed is one of them")
    if per is not None:
        check_integer("per", per, -MAX_DIMS, MAX_DIMS - 1)
    if group is not None:
        check_integer("group", group, 1)
