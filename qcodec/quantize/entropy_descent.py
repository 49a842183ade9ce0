"""Descent in squared error + price * bits (Chou, Lookabaugh and Gray 1989).

A step has two parts. Each value takes the entry of least squared error + price * bits, where bits
are -log2 of the entry's frequency. Then each entry is fitted to the values that took it. If the
values are sorted, those of each entry form a range, and a step takes one search per end of a range.

If only some elements are stored, a value may also become absent. This is an entry of 0 that costs
no bits, and every other entry costs the bits of a position too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._core import core
from .sorting import ascending
from .weights import Array

_MAX_STEPS = 1000
# Steps end when no end of a range moves by more than this share of all values.
_STILL = 1e-7
_NONE = -1

#: Takes entries, and the number and the sum of the values of each; returns better entries.
Fit = Callable[[Array, Array, Array], Array]


class Entries(NamedTuple):
    """Entries, and the thresholds between the values that take them.

    Attributes
    ----------
    values : numpy.ndarray of float32
        Ascending.
    thresholds : numpy.ndarray of float32
        One fewer than entries, for `core.assign_by_thresholds`.
    absent : int
        The index of the entry that represents absent elements; -1 if there is none.
    """

    values: Array
    thresholds: Array
    absent: int


class Ordered:
    """Sorted values, and sums over ranges of them.

    Sums start at the median and go outward, so that the rounding error of an outlier affects only
    the sums that contain it.
    """

    def __init__(self, values: Array) -> None:
        self.values = ascending(values)
        self.centre = float(self.values[len(values) // 2])
        self._kept = core.kept_deviation_sums(self.values)

    @property
    def mean(self) -> float:
        """The mean of all values."""
        count = len(self.values)
        return self.centre + float(self.deviations(np.array([0, count]))[0]) / count

    def deviations(self, cuts: Array) -> Array:
        """Return the sums of value - centre between neighbouring cuts."""
        return np.diff(core.deviation_sums(self.values, *self._kept, cuts))


def means(_: Array, sizes: Array, sums: Array) -> Array:
    """Fit unconstrained entries: each becomes the mean of its values."""
    return sums / sizes


def price_of(values: Array, rate: float) -> float:
    """Convert a rate to a price in squared error per bit.

    Examples
    --------
    >>> price_of(np.array([-3, 3], np.float32), 0.5)
    4.5
    """
    return rate * float(np.var(values, dtype=np.float64))


def descend(
    ordered: Ordered,
    entries: Array,
    price: float,
    elements: int | None,
    fit: Fit,
    maximum: int = _MAX_STEPS,
) -> tuple[float, Entries]:
    """Make steps until nothing moves; returns the cost, up to a constant, and the entries.

    Parameters
    ----------
    ordered : Ordered
    entries : numpy.ndarray of float32
        Ascending.
    price : float
        The price of a bit, in squared error.
    elements : int, optional
        The number of elements of the tensor, if only the values may be stored.
    fit : callable
    maximum : int
        The largest number of steps.
    """
    count = len(ordered.values)
    costs, absent = np.zeros(len(entries)), _NONE
    if elements is not None:
        entries, costs, absent = _with_absent(entries[entries != 0], price)
    cuts = np.zeros(0, np.intp)
    total = np.inf
    for step in range(maximum + 1):
        thresholds, survivors = core.cost_thresholds(entries, costs)
        absent = _place_in(survivors, absent)
        found = Entries(entries[survivors], thresholds, absent)
        last, cuts = cuts, _cuts(ordered, thresholds)
        still = len(last) == len(cuts) and np.abs(last - cuts).max() <= _STILL * count
        if still or step == maximum:  # `found` belongs to the last fit
            break
        taken = np.diff(cuts) > 0  # unused entries are dropped
        absent = _place_in(np.flatnonzero(taken), absent)
        cuts = cuts[np.append(taken, True)]
        sizes, deviations = np.diff(cuts), ordered.deviations(cuts)
        fitted = fit(found.values[taken], sizes, deviations + sizes * ordered.centre)
        if absent != _NONE:
            fitted[absent] = 0
        bits = _bits(sizes, absent, elements)
        away = fitted - ordered.centre
        total = float(np.sum(sizes * price * bits + away * (sizes * away - 2 * deviations)))
        # Neighbours that round to the same float32 become one entry.
        entries, first = np.unique(fitted.astype(np.float32), True)
        costs, absent = price * bits[first], _place_in(first, absent)
    return total, found


def _with_absent(entries: Array, price: float) -> tuple[Array, Array, int]:
    """Insert an entry of 0 that costs nothing; at first, the others cost one bit each."""
    absent = int(np.searchsorted(entries, 0))
    costs = np.insert(np.full(len(entries), price), absent, 0.0)
    return np.insert(entries, absent, np.float32(0)), costs, absent


def _place_in(numbers: Array, absent: int) -> int:
    """Return the index of the absent entry among the remaining ones; -1 if it is gone."""
    places = np.flatnonzero(numbers == absent)
    return int(places[0]) if len(places) else _NONE


def _bits(sizes: Array, absent: int, elements: int | None) -> Array:
    """Return the bits of one more value of each entry: for its code, and if needed its position."""
    stored = int(sizes.sum()) - (int(sizes[absent]) if absent != _NONE else 0)
    bits = -np.log2(sizes / max(stored, 1))
    if elements is not None:
        bits += max(np.log2(max(elements - stored, 1) / max(stored, 1)), 0)
    if absent != _NONE:
        bits[absent] = 0
    return bits


def _cuts(ordered: Ordered, thresholds: Array) -> Array:
    inner = np.searchsorted(ordered.values, thresholds, side="right")
    return np.concatenate([[0], inner, [len(ordered.values)]])
