"""Codebooks that trade squared error against entropy (Chou, Lookabaugh and Gray 1989).

Lloyd's steps with a price: each value takes the entry of least squared error + price * bits, bits
being -log2 of how often the entry is taken; then each entry becomes the mean of what took it. On
sorted values each entry has a range, and a step costs a search for each end of one.

Where only some elements are stored, a value may also become absent: that is an entry of 0 which
costs nothing, and every other one costs the bits of a position too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._core import numeric
from .source import Array

_MAX_STEPS = 1000
# Steps end when no range grows or shrinks by more than this part of all values.
_STILL = 1e-7
# The best equal steps, in square roots of the price, if they are fine: their error, step**2 / 12,
# is a quarter with each bit more, so at the optimum a bit is worth 2 * ln(2) * step**2 / 12.
_STEP = (6 / np.log(2)) ** 0.5
_NONE = -1


class Entries(NamedTuple):
    """Entries of a codebook, and what bounds the values that take them.

    Attributes
    ----------
    values : numpy.ndarray of float32
        Ascending.
    thresholds : numpy.ndarray of float32
        One less, for `numeric.assign_by_thresholds`.
    absent : int
        The number of the entry that stands for what is not stored; -1: none does.
    """

    values: Array
    thresholds: Array
    absent: int


def entropy_constrained(
    values: Array, start: Array, rate: float, elements: int | None = None
) -> Entries:
    """A codebook of little error and little entropy.

    Parameters
    ----------
    values : numpy.ndarray of float32
        Finite, at least one.
    start : numpy.ndarray of float32
        Entries to begin with, distinct and ascending. Equal steps are tried too, no
        more of them than there are entries here, and the cheaper result is taken.
    rate : float
        What a bit a value is worth, in variances of the values.
    elements : int, optional
        Of the tensor, where the values are the only ones that may be stored.

    Examples
    --------
    >>> values = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1.1, 8], np.float32)
    >>> start = np.array([0, 1, 1.1, 8], np.float32)
    >>> entropy_constrained(values, start, 0.01).values
    array([0.  , 1.05, 8.  ], dtype=float32)
    >>> found = entropy_constrained(values[7:], start[1:], 0.02, 1000)
    >>> found.values, found.absent  # 1 and 1.1 are not worth a position
    (array([0., 8.], dtype=float32), 0)
    """
    ordered = _Ordered(np.sort(values))
    price = rate * float(np.var(values, dtype=np.float64))
    found = [
        _descend(ordered, entries, price, elements)
        for entries in (start, _equal_steps(ordered, len(start), _STEP * price**0.5))
    ]
    return min(found, key=lambda result: result[0])[1]


class _Ordered:
    """Sorted values, and sums over ranges of them.

    Summed outward from the median, so that an outlier spoils no sum but its own.
    """

    def __init__(self, values: Array) -> None:
        middle = len(values) // 2
        self.values = values
        self.centre = float(values[middle])
        deviations = values.astype(np.float64) - self.centre
        below = -np.cumsum(deviations[:middle][::-1])[::-1]
        self.before = np.concatenate([below, [0.0], np.cumsum(deviations[middle:])])

    def sums(self, cuts: Array) -> Array:
        """Of the deviations from the centre between neighbouring cuts."""
        return np.diff(self.before[cuts])


def _equal_steps(ordered: _Ordered, most: int, step: float) -> Array:
    """At most so many entries about the mean, inside the range of the values."""
    first, last = float(ordered.values[0]), float(ordered.values[-1])
    mean = ordered.centre + float(ordered.before[-1] - ordered.before[0]) / len(ordered.values)
    entries = mean + (np.arange(most) - (most - 1) // 2) * step
    return np.unique(np.clip(entries, first, last).astype(np.float32))


def _descend(
    ordered: _Ordered, entries: Array, price: float, elements: int | None
) -> tuple[float, Entries]:
    """Steps until nothing moves; returns what it costs, less a constant, and the result."""
    count = len(ordered.values)
    costs, absent = np.zeros(len(entries)), _NONE
    if elements is not None:
        entries, costs, absent = _with_absent(entries[entries != 0], price)
    cuts = np.zeros(0, np.intp)
    total = np.inf
    for _ in range(_MAX_STEPS):
        thresholds, survivors = numeric.cost_thresholds(entries, costs)
        absent = _place_in(survivors, absent)
        found = Entries(entries[survivors], thresholds, absent)
        last, cuts = cuts, _cuts(ordered, thresholds)
        if len(last) == len(cuts) and np.abs(last - cuts).max() <= _STILL * count:
            break
        taken = np.diff(cuts) > 0  # an entry that none takes is dropped
        absent = _place_in(np.flatnonzero(taken), absent)
        cuts = cuts[np.append(taken, True)]
        sizes, sums = np.diff(cuts), ordered.sums(cuts)
        bits = _bits(sizes, absent, elements)
        total = _total(ordered, sizes, sums, price * bits, absent)
        means = (ordered.centre + sums / sizes).astype(np.float32)
        if absent != _NONE:
            means[absent] = 0
        # Means of neighbours may round to the same float32: they become one entry.
        entries, first = np.unique(means, True)
        costs, absent = price * bits[first], _place_in(first, absent)
    return total, found


def _with_absent(entries: Array, price: float) -> tuple[Array, Array, int]:
    """Entries with one of 0 that costs nothing among them; the others cost a bit, at first."""
    absent = int(np.searchsorted(entries, 0))
    costs = np.insert(np.full(len(entries), price), absent, 0.0)
    return np.insert(entries, absent, np.float32(0)), costs, absent


def _place_in(numbers: Array, absent: int) -> int:
    """Where the absent entry's number stands among those that are left."""
    places = np.flatnonzero(numbers == absent)
    return int(places[0]) if len(places) else _NONE


def _bits(sizes: Array, absent: int, elements: int | None) -> Array:
    """What one more value of each entry adds to the code and, if some are absent, to positions."""
    stored = int(sizes.sum()) - (int(sizes[absent]) if absent != _NONE else 0)
    bits = -np.log2(sizes / max(stored, 1))
    if elements is not None:
        bits += max(np.log2(max(elements - stored, 1) / max(stored, 1)), 0)
    if absent != _NONE:
        bits[absent] = 0
    return bits


def _total(ordered: _Ordered, sizes: Array, sums: Array, prices: Array, absent: int) -> float:
    """Squared error and prices, less the squared deviations from the centre."""
    costs = sizes * prices - sums**2 / sizes
    if absent != _NONE:
        costs[absent] = ordered.centre * (2 * sums[absent] + sizes[absent] * ordered.centre)
    return float(np.sum(costs))


def _cuts(ordered: _Ordered, thresholds: Array) -> Array:
    inner = np.searchsorted(ordered.values, thresholds, side="right")
    return np.concatenate([[0], inner, [len(ordered.values)]])
