"""Equal steps that trade squared error against entropy (Sullivan 1996)."""

from __future__ import annotations

import numpy as np

from .entropy_constrained import FINE_STEP
from .entropy_descent import Entries, Ordered, descend
from .thresholds import float32_at_most
from .weights import Array

LEAST_STEP = float(np.finfo(np.float32).smallest_subnormal)

# The search tries so many steps in a doubling, then closer ones about the best; each for some
# rounds of assignment.
_IN_A_DOUBLING = 2
_CLOSER = (0.25, 0.125, 0.0625)
_ROUNDS = 4
_LAST_ROUNDS = 1000


class EqualSteps:
    """Fits entries that are multiples of one step: by least squares, the step alone.

    Parameters
    ----------
    step : float
        To begin with.
    reach : float
        The greatest magnitude of an entry.

    Examples
    --------
    >>> fit = EqualSteps(1.0, 100.0)
    >>> fit(np.array([-1, 0, 2], np.float32), np.array([1, 5, 2]), np.array([-1.5, 0.3, 4.5]))
    array([-1.16666663,  0.        ,  2.33333325])
    """

    def __init__(self, step: float, reach: float) -> None:
        self.step = float(np.float32(min(max(step, LEAST_STEP), reach)))
        self.reach = reach

    def numbers(self, entries: Array) -> Array:
        """How many steps each entry is from 0."""
        return np.rint(entries.astype(np.float64) / self.step)

    def __call__(self, entries: Array, sizes: Array, sums: Array) -> Array:
        numbers = self.numbers(entries)
        squares, products = np.sum(sizes * numbers**2), np.sum(numbers * sums)
        if products > 0:
            most = float(float32_at_most(self.reach / np.max(np.abs(numbers))))
            self.step = float(np.float32(max(min(products / squares, most), LEAST_STEP)))
        return numbers * self.step


def entropy_constrained_steps(
    values: Array,
    levels: int,
    price: float,
    elements: int | None = None,
    *,
    lowest: int | None = None,
    reach: float = float(np.finfo(np.float32).max),
) -> tuple[Entries, EqualSteps]:
    """Multiples of a step, of little error and little entropy.

    Steps are tried from below the one that is best if it is fine, and the one at which
    the levels reach all values, to above both; the cheapest is then fitted further.

    Parameters
    ----------
    values : numpy.ndarray of float32
        Finite, at least one, not all the same.
    levels : int
        2 to 256: multiples that follow one another, 0 among them; at most so many.
    price : float
        Of a bit, in squared error; above 0.
    elements : int, optional
        Of the tensor, where the values are the only ones that may be stored.
    lowest : int, optional
        The lowest multiple, of as many as there are levels. The default: those that
        the values need, or else those about their mean.
    reach : float
        The greatest magnitude of an entry.

    Returns
    -------
    Entries
    EqualSteps
        With the step of the entries.

    Examples
    --------
    >>> values = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1.1, 8], np.float32)
    >>> found, fit = entropy_constrained_steps(values, 9, 0.05)
    >>> fit.numbers(found.values)
    array([0., 1., 8.])
    """
    ordered = Ordered(values)
    least, greatest = min(float(ordered.values[0]), 0), max(float(ordered.values[-1]), 0)

    extreme = max(greatest, -least)

    def attempt(step: float, most: int = _ROUNDS) -> tuple[float, Entries, EqualSteps]:
        steps = round(extreme / step)
        if steps * step > reach:  # the extreme value would lose its entry
            step = float(float32_at_most(reach / steps))
        fit = EqualSteps(step, reach)
        low, high = _window(np.array([least, greatest, ordered.mean]) / fit.step, levels)
        if lowest is not None:
            low, high = lowest, lowest + levels - 1
        numbers = np.arange(low, high + 1)
        numbers = numbers[np.abs(numbers) <= reach / fit.step]
        entries = (numbers * fit.step).astype(np.float32)
        return *descend(ordered, entries, price, elements, fit, most), fit

    bounds = np.log2([FINE_STEP * price**0.5, (greatest - least) / (levels - 1)])
    steps = 2 ** np.arange(bounds.min() - 1, bounds.max() + 2, 1 / _IN_A_DOUBLING)
    best = min((attempt(float(step)) for step in steps), key=lambda found: found[0])
    for closer in _CLOSER:
        around = [attempt(best[2].step * 2**exponent) for exponent in (-closer, closer)]
        best = min([best, *around], key=lambda found: found[0])
    _, entries, fit = min(best, attempt(best[2].step, _LAST_ROUNDS), key=lambda found: found[0])
    return entries, fit


def _window(steps: Array, levels: int) -> tuple[int, int]:
    """The lowest and highest level, for the least and greatest value and the mean, in steps.

    Examples
    --------
    >>> _window(np.array([-2.2, 3.6, 0.1]), 8)
    (-2, 4)
    >>> _window(np.array([-2.2, 9.0, 0.1]), 8)
    (-2, 5)
    >>> _window(np.array([0.0, 9.0, 8.1]), 4)
    (0, 3)
    """
    low, high, middle = np.rint(steps)
    if high - low + 1 > levels:
        low = min(max(middle - levels // 2, low), high - levels + 1)
        low = min(max(low, 1 - levels), 0)
        high = low + levels - 1
    return int(low), int(high)
