"""Equal steps that trade squared error against entropy (Sullivan 1996)."""

from __future__ import annotations

import numpy as np

from .entropy_constrained import FINE_STEP
from .entropy_descent import Entries, Ordered, descend
from .thresholds import float32_at_most
from .weights import Array

MIN_STEP = float(np.finfo(np.float32).smallest_subnormal)

# The search tries this many steps per doubling, with a few rounds of assignment each. Then it
# multiplies and divides the best step by 2 to the power of each of these.
_IN_A_DOUBLING = 2
_CLOSER = (0.25, 0.125, 0.0625)
_ROUNDS = 4
_LAST_ROUNDS = 1000


class EqualSteps:
    """Fits entries that are multiples of one step, by choosing the step by least squares.

    Parameters
    ----------
    step : float
        The step to start with.
    reach : float
        The largest magnitude of an entry.

    Examples
    --------
    >>> fit = EqualSteps(1.0, 100.0)
    >>> fit(np.array([-1, 0, 2], np.float32), np.array([1, 5, 2]), np.array([-1.5, 0.3, 4.5]))
    array([-1.16666663,  0.        ,  2.33333325])
    """

    def __init__(self, step: float, reach: float) -> None:
        self.step = float(np.float32(min(max(step, MIN_STEP), reach)))
        self.reach = reach

    def numbers(self, entries: Array) -> Array:
        """Return each entry as a multiple of the step."""
        return np.rint(entries.astype(np.float64) / self.step)

    def __call__(self, entries: Array, sizes: Array, sums: Array) -> Array:
        numbers = self.numbers(entries)
        squares, products = np.sum(sizes * numbers**2), np.sum(numbers * sums)
        if products > 0:
            maximum = float(float32_at_most(self.reach / np.max(np.abs(numbers))))
            self.step = float(np.float32(max(min(products / squares, maximum), MIN_STEP)))
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
    """Find multiples of a step of low squared error + price * bits.

    Two steps bound the search: the best one if steps are fine, and the one at which the levels
    cover all values. Steps from half the smaller to more than twice the larger are tried, and the
    cheapest is then refined.

    Parameters
    ----------
    values : numpy.ndarray of float32
        Finite, at least one, not all the same.
    levels : int
        2 to 256: the largest number of successive multiples, 0 included.
    price : float
        The price of a bit, in squared error; above 0.
    elements : int, optional
        The number of elements of the tensor, if only `values` may be stored.
    lowest : int, optional
        The lowest multiple of the step; `levels` multiples follow. The default: the multiples
        that the values need, or if these are too many, those around the mean.
    reach : float
        The largest magnitude of an entry.

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
    minimum, max_value = min(float(ordered.values[0]), 0), max(float(ordered.values[-1]), 0)

    extreme = max(max_value, -minimum)

    def attempt(step: float, maximum: int = _ROUNDS) -> tuple[float, Entries, EqualSteps]:
        steps = round(extreme / step)
        if steps * step > reach:  # otherwise the extreme value would lose its entry
            step = float(float32_at_most(reach / steps))
        fit = EqualSteps(step, reach)
        low, high = _window(np.array([minimum, max_value, ordered.mean]) / fit.step, levels)
        if lowest is not None:
            low, high = lowest, lowest + levels - 1
        numbers = np.arange(low, high + 1)
        numbers = numbers[np.abs(numbers) <= reach / fit.step]
        entries = (numbers * fit.step).astype(np.float32)
        return *descend(ordered, entries, price, elements, fit, maximum), fit

    bounds = np.log2([FINE_STEP * price**0.5, (max_value - minimum) / (levels - 1)])
    steps = 2 ** np.arange(bounds.min() - 1, bounds.max() + 2, 1 / _IN_A_DOUBLING)
    best = min((attempt(float(step)) for step in steps), key=lambda found: found[0])
    for closer in _CLOSER:
        around = [attempt(best[2].step * 2**exponent) for exponent in (-closer, closer)]
        best = min([best, *around], key=lambda found: found[0])
    _, entries, fit = min(best, attempt(best[2].step, _LAST_ROUNDS), key=lambda found: found[0])
    return entries, fit


def _window(steps: Array, levels: int) -> tuple[int, int]:
    """Return the lowest and highest level for the minimum, maximum and mean, all in steps.

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
