"""Histograms of values; of a large tensor, of a sample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BINS = 96
#: Of a tensor with more elements, as many are looked at.
SAMPLE = 1 << 20
_BLOCKS = 64
_LEAST_BINS = 8
# Beyond this many times the range of 998 of 1,000 elements, a few far ones would leave all others
# in one bin.
_FAR = 1.6


@dataclass(frozen=True)
class Histogram:
    """How often values occur.

    Attributes
    ----------
    low, high : float
        The edges of the first and of the last bin; all bins are equally wide.
    counts : tuple of int
    below, above : int
        Elements outside the bins.
    elements : int
        How many were looked at: finite ones, of a large tensor a sample.
    is_sample : bool
    """

    low: float
    high: float
    counts: tuple[int, ...]
    below: int
    above: int
    elements: int
    is_sample: bool


def sampled(flat: Array) -> Array:
    """Return all elements of a small array, and of a large one blocks at equal distances.

    Examples
    --------
    >>> len(sampled(np.zeros(1000))), len(sampled(np.zeros(SAMPLE + 1, np.uint8))) == SAMPLE
    (1000, True)
    """
    if len(flat) <= SAMPLE:
        return flat
    length = SAMPLE // _BLOCKS
    starts = np.linspace(0, len(flat) - length, _BLOCKS).astype(np.int64)
    return np.concatenate([flat[start : start + length] for start in starts])


def histogram(values: Array, bins: int = BINS) -> Histogram | None:
    """Count values in bins of equal width.

    Parameters
    ----------
    values : numpy.ndarray
        Numbers of any type that NumPy computes with.
    bins : int
        The most that there are; few values have fewer.

    Returns
    -------
    Histogram or None
        None if no value is finite, or if they are farther apart than a float can be.

    Examples
    --------
    >>> histogram(np.array([0.0, 1.0, 1.0, 2.0]), bins=2).counts
    (1, 3)
    """
    flat = values.reshape(-1)
    some = sampled(flat).astype(np.float64)
    some = some[np.isfinite(some)]
    if not len(some):
        return None
    with np.errstate(over="ignore"):
        if not math.isfinite(some.max() - some.min()):  # NumPy's bins would be infinitely wide
            return None
    low, high = _range(some)
    bins = min(bins, max(_LEAST_BINS, math.ceil(2 * math.sqrt(len(some)))))
    counts, _ = np.histogram(some, bins, (low, high))
    return Histogram(
        low,
        high,
        tuple(counts.tolist()),
        int(np.count_nonzero(some < low)),
        int(np.count_nonzero(some > high)),
        len(some),
        len(flat) > SAMPLE,
    )


def _range(values: Array) -> tuple[float, float]:
    least, greatest = float(values.min()), float(values.max())
    low, high = map(float, np.quantile(values, (0.001, 0.999)))
    middle, half = low / 2 + high / 2, high / 2 - low / 2
    if half > 0:
        least, greatest = max(least, middle - _FAR * half), min(greatest, middle + _FAR * half)
    if not greatest > least:
        margin = abs(least) / 2 or 0.5
        return least - margin, greatest + margin
    return least, greatest
