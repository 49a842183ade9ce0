"""Thresholds that float32 values are compared with."""

from __future__ import annotations

import numpy as np


def float32_at_most(number: float) -> np.float32:
    """The greatest float32 that is not above a number: the same values exceed both.

    Parameters
    ----------
    number : float
        Not NaN.

    Examples
    --------
    >>> float(float32_at_most(0.1)) < 0.1 < float(np.float32(0.1))
    True
    """
    with np.errstate(over="ignore"):
        nearest = np.float32(number)
    return np.nextafter(nearest, np.float32(-np.inf)) if float(nearest) > number else nearest


def float32_below(number: float) -> np.float32:
    """The greatest float32 below a number: what exceeds it is at least the number.

    Examples
    --------
    >>> float(float32_below(1.0)) == 1 - 2**-24
    True
    """
    nearest = float32_at_most(number)
    return np.nextafter(nearest, np.float32(-np.inf)) if float(nearest) == number else nearest
