"""Steps downhill in squared error + price * bits (Chou, Lookabaugh and Gray 1989).

Each value takes the entry of least squared error + price * bits, bits being -log2 of how often the
entry is taken; then the entries are fitted to what took them. On sorted values each entry has a
range, and a step costs a search for each end of one.

Where only some elements are stored, a value may also become absent: that is an entry of 0 which
costs nothing, and every other one costs the bits of a position too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._core import core
from .sorting import ascending
from .weights import Array

_MAX_STEPS = 1000
# Steps end when no range grows or shrinks by more than this part of all values.
_STILL = 1e-7
_NONE = -1

#: From entries, and how many values with which sums took them, to entries that suit those better.
Fit = Callable[[Array, Array, Array], Array]


class Entries(NamedTuple):
    """Entries, and what bounds the values that take them.

    Attributes
    ----------
    values : numpy.ndarray of float32
        Ascending.
    thresholds : numpy.ndarray of float32
        One less, for `core.assign_by_thresholds`.
    absent : int
        The number of the entry that stands for what is not stored; -1: none does.
    """

    values: Array
    thresholds: Array
    absent: int


class Ordered:
    """Sorted values, and sums over ranges of them.

    Summed outward from the median, so that an outlier spoils no sum but its own.
    """

    def __init__(self, values: Array) -> None:
        self.values = ascending(values)
        middle = len(values) // 2
        self.centre = float(self.values[middle])
        deviations = self.values.astype(np.float64) - self.centre
        below = -np.cumsum(deviations[:middle][::-1])[::-1]
        self.before = np.concatenate([below, [0.0], np.cumsum(deviations[middle:])])

    @property
    def mean(self) -> float:
        """Of all values."""
        return self.centre + float(self.before[-1] - self.before[0]) / len(self.values)

    def deviations(self, cuts: Array) -> Array:
        """Sums between neighbouring cuts, of what the values are above the centre."""
        return np.diff(self.before[cuts])


def means(_: Array, sizes: Array, sums: Array) -> Array:
    """What the best entries are if they may be any: the means of what took them."""
    return sums / sizes


def price_of(values: Array, rate: float) -> float:
    """A rate as squared error a bit.

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
    most: int = _MAX_STEPS,
) -> tuple[float, Entries]:
    """Steps until nothing moves; returns what it costs, less a constant, and the result.

    Parameters
    ----------
    ordered : Ordered
    entries : numpy.ndarray of float32
        Ascending.
    price : float
        Of a bit, in squared error.
    elements : int, optional
        Of the tensor, where the values are the only ones that may be stored.
    fit : callable
    most : int
        Steps.
    """
    count = len(ordered.values)
    costs, absent = np.zeros(len(entries)), _NONE
    if elements is not None:
        entries, costs, absent = _with_absent(entries[entries != 0], price)
    cuts = np.zeros(0, np.intp)
    total = np.inf
    for step in range(most + 1):
        thresholds, survivors = core.cost_thresholds(entries, costs)
        absent = _place_in(survivors, absent)
        found = Entries(entries[survivors], thresholds, absent)
        last, cuts = cuts, _cuts(ordered, thresholds)
        still = len(last) == len(cuts) and np.abs(last - cuts).max() <= _STILL * count
        if still or step == most:  # what was found belongs to the last fit
            break
        taken = np.diff(cuts) > 0  # an entry that none takes is dropped
        absent = _place_in(np.flatnonzero(taken), absent)
        cuts = cuts[np.append(taken, True)]
        sizes, deviations = np.diff(cuts), ordered.deviations(cuts)
        fitted = fit(found.values[taken], sizes, deviations + sizes * ordered.centre)
        if absent != _NONE:
            fitted[absent] = 0
        bits = _bits(sizes, absent, elements)
        away = fitted - ordered.centre
        total = float(np.sum(sizes * price * bits + away * (sizes * away - 2 * deviations)))
        # Neighbours may round to the same float32: they become one entry.
        entries, first = np.unique(fitted.astype(np.float32), True)
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


def _cuts(ordered: Ordered, thresholds: Array) -> Array:
    inner = np.searchsorted(ordered.values, thresholds, side="right")
    return np.concatenate([[0], inner, [len(ordered.values)]])
