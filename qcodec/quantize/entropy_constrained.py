"""Codebooks that trade squared error against entropy (Chou, Lookabaugh and Gray 1989)."""

from __future__ import annotations

import numpy as np

from .entropy_descent import Entries, Ordered, descend, means
from .weights import Array

# The best equal step, in square roots of the price, if steps are fine. Their error, step**2 / 12,
# falls to a quarter with each bit, so its derivative by bits is -2 * ln(2) * step**2 / 12; at the
# optimum this is minus the price.
FINE_STEP = (6 / np.log(2)) ** 0.5


def entropy_constrained(
    values: Array, start: Array, price: float, elements: int | None = None
) -> Entries:
    """Find a codebook of low squared error + price * bits.

    Parameters
    ----------
    values : numpy.ndarray of float32
        Finite, at least one.
    start : numpy.ndarray of float32
        The entries to start from, distinct and ascending. As many equal steps are tried as
        a start too, and the cheaper result is taken.
    price : float
        The price of a bit, in squared error.
    elements : int, optional
        The number of elements of the tensor, if only `values` may be stored.

    Examples
    --------
    >>> values = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1.1, 8], np.float32)
    >>> start = np.array([0, 1, 1.1, 8], np.float32)
    >>> entropy_constrained(values, start, 0.05).values
    array([0.  , 1.05, 8.  ], dtype=float32)
    >>> found = entropy_constrained(values[7:], start[1:], 0.2, 1000)
    >>> found.values, found.absent  # 1 and 1.1 are not worth a position
    (array([0., 8.], dtype=float32), 0)
    """
    ordered = Ordered(values)
    found = [
        descend(ordered, entries, price, elements, means)
        for entries in (start, _equal_steps(ordered, len(start), FINE_STEP * price**0.5))
    ]
    return min(found, key=lambda result: result[0])[1]


def _equal_steps(ordered: Ordered, maximum: int, step: float) -> Array:
    """Return at most `most` entries around the mean, inside the range of the values."""
    first, last = float(ordered.values[0]), float(ordered.values[-1])
    entries = ordered.mean + (np.arange(maximum) - (maximum - 1) // 2) * step
    return np.unique(np.clip(entries, first, last).astype(np.float32))
