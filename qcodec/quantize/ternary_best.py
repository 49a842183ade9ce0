"""Ternary weights of least squared error: by sorting, or for many weights by a histogram."""

from __future__ import annotations

import numpy as np

from .._core import core
from .groups import Grouping
from .weights import Array

# From this size of a group on, a histogram is faster than sorting.
_MIN_COUNTED = 1 << 18


def best_ternary(values: Array, layout: Grouping, sides: int) -> tuple[Array, Array]:
    """Return the thresholds of least squared error, and the means of the magnitudes above them.

    Storing the m largest magnitudes as their mean reduces the squared error by
    (their sum)**2 / m, so the best m is an argmax over the sorted magnitudes.

    Parameters
    ----------
    values : numpy.ndarray of float32
        One dimension.
    layout : Grouping
    sides : {1, 2}
        1: one threshold for all magnitudes of a group. 2: one for its positive and
        one for its negative values.

    Returns
    -------
    thresholds, means : numpy.ndarray of float32
        Shape (groups, sides). The mean is 0 if no magnitude is above the threshold.

    Raises
    ------
    ValueError
        If a value is NaN or infinite.

    Examples
    --------
    >>> best_ternary(np.array([-1.0, 0.1, 2.0, 4.0], np.float32), Grouping(4, 1), 2)[1]
    array([[3., 1.]], dtype=float32)
    """
    if len(values) < _MIN_COUNTED * layout.count:
        return _by_sorting(values, layout, sides)
    thresholds = np.empty((layout.count, sides), np.float32)
    means = np.empty_like(thresholds)
    for group in range(layout.count):
        members = values
        if layout.count > 1:
            members = layout.some_members(values, np.array([group]))[0]
        thresholds[group], means[group], coarse = core.ternary_best(members, sides)
        if coarse:
            by_sorting = _by_sorting(members, Grouping(len(members), 1), sides)
            thresholds[group], means[group] = (of_group[0] for of_group in by_sorting)
    return thresholds, means


def _by_sorting(values: Array, layout: Grouping, sides: int) -> tuple[Array, Array]:
    thresholds = core.ternary_thresholds(values, layout.inner, layout.count, sides)
    return thresholds, ternary_means(values, layout, thresholds)


def ternary_means(values: Array, layout: Grouping, thresholds: Array) -> Array:
    """Return the mean magnitudes above the thresholds, shape (groups, sides); 0 if there are none.

    Examples
    --------
    >>> x = np.array([-1, 3, 0, 5], np.float32)
    >>> ternary_means(x, Grouping(2, 2), np.array([[0], [4]], np.float32))
    array([[2.],
           [5.]], dtype=float32)
    """
    sums, counts = core.sums_beyond(values, layout.inner, both_sides(thresholds))
    if thresholds.shape[1] == 1:
        sums, counts = (each.sum(axis=1, keepdims=True) for each in (sums, counts))
    means: Array = (sums / np.maximum(counts, 1)).astype(np.float32)
    return means


def both_sides(thresholds: Array) -> Array:
    """Return thresholds of shape (groups, 2), given those of one or two sides."""
    return np.ascontiguousarray(np.broadcast_to(thresholds, (len(thresholds), 2)))
