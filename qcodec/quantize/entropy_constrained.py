"""Codebooks that trade squared error against entropy (Chou, Lookabaugh and Gray 1989)."""

from __future__ import annotations

import numpy as np

from .entropy_descent import Entries, Ordered, descend, means
from .weights import Array

# The best equal steps, in square roots of the price, if they are fine: their error, step**2 / 12,
# is a quarter with each bit more, so at the optimum a bit is worth 2 * ln(2) * step**2 / 12.
FINE_STEP = (6 / np.log(2)) ** 0.5


def entropy_constrained(
    values: Array, start: Array, price: float, elements: int | None = None
) -> Entries:
    """A codebook of little error and little entropy.

    Parameters
    ----------
    values : numpy.ndarray of float32
        Finite, at least one.
    start : numpy.ndarray of float32
        Entries to begin with, distinct and ascending. Equal steps are tried too, no
        more of them than there are entries here, and the cheaper result is taken.
    price : float
        What a bit is worth, in squared error.
    elements : int, optional
        Of the tensor, where the values are the only ones that may be stored.

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


def _equal_steps(ordered: Ordered, most: int, step: float) -> Array:
    """At most so many entries about the mean, inside the range of the values."""
    first, last = float(ordered.values[0]), float(ordered.values[-1])
    entries = ordered.mean + (np.arange(most) - (most - 1) // 2) * step
    return np.unique(np.clip(entries, first, last).astype(np.float32))
