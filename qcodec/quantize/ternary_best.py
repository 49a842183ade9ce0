"""Ternary weights of least squared error: by sorting, or for many weights by a histogram."""

from __future__ import annotations

import numpy as np

from .._core import core
from .sorting import ascending, row_blocks
from .weights import Array

# From this size on, a histogram is faster than sorting.
_MIN_COUNTED = 1 << 18


def best_ternary(members: Array, sides: int) -> tuple[Array, Array]:
    """Return the thresholds of least squared error, and the means of the magnitudes above them.

    Storing the m largest magnitudes as their mean reduces the squared error by
    (their sum)**2 / m, so the best m is an argmax over the sorted magnitudes.

    Parameters
    ----------
    members : numpy.ndarray of float32
        Shape (groups, members).
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
    >>> best_ternary(np.array([[-1.0, 0.1, 2.0, 4.0]], np.float32), 2)[1]
    array([[3., 1.]], dtype=float32)
    """
    thresholds = np.empty((len(members), sides), np.float32)
    means = np.empty_like(thresholds)
    if members.shape[1] < _MIN_COUNTED:
        if not core.all_finite(np.ascontiguousarray(members).reshape(-1)):
            raise ValueError("values are not finite")
        for rows in row_blocks(*members.shape):
            thresholds[rows], means[rows] = _by_sorting(members[rows], sides)
        return thresholds, means
    for group, values in enumerate(members):
        values = np.ascontiguousarray(values)
        thresholds[group], means[group], coarse = core.ternary_best(values, sides)
        if coarse:
            by_sorting = _by_sorting(values[None], sides)
            thresholds[group], means[group] = (of_group[0] for of_group in by_sorting)
    return thresholds, means


def mean_above(magnitudes: Array, threshold: Array) -> Array:
    """Return the mean of each row's magnitudes above its threshold; 0 if there are none."""
    above = magnitudes > threshold[:, None]
    sums = np.sum(magnitudes, axis=1, dtype=np.float64, where=above)
    means: Array = sums / np.maximum(np.sum(above, axis=1), 1)
    return means.astype(np.float32)


def _by_sorting(members: Array, sides: int) -> tuple[Array, Array]:
    magnitudes = (
        [np.abs(members)] if sides == 1 else [np.maximum(members, 0), np.maximum(-members, 0)]
    )
    thresholds = [_threshold(of_side) for of_side in magnitudes]
    means = [mean_above(*side) for side in zip(magnitudes, thresholds, strict=True)]
    return np.stack(thresholds, axis=1), np.stack(means, axis=1)


def _threshold(magnitudes: Array) -> Array:
    if magnitudes.shape[1] == 0:
        return np.zeros(len(magnitudes), np.float32)
    one = len(magnitudes) == 1  # a single row may be long
    ordered = ascending(magnitudes[0])[None] if one else np.sort(magnitudes, axis=1)
    gains = np.cumsum(ordered[:, ::-1], axis=1, dtype=np.float64)
    np.square(gains, out=gains)
    gains /= np.arange(1, gains.shape[1] + 1)
    min_stored = np.take_along_axis(ordered, -1 - np.argmax(gains, axis=1)[:, None], axis=1)
    threshold: Array = np.maximum(np.nextafter(min_stored[:, 0], np.float32(-1)), 0)
    return threshold
