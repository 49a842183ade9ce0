"""Rounding of thresholds to float32 that keeps all comparisons the same."""

from __future__ import annotations

from typing import Any

import numpy as np


def float32_at_most(numbers: Any) -> Any:
    """Return the largest float32 that is not above a number: the same values exceed both.

    Parameters
    ----------
    numbers : float or numpy.ndarray
        Not NaN.

    Returns
    -------
    numpy.float32, or numpy.ndarray of float32

    Examples
    --------
    >>> float(float32_at_most(0.1)) < 0.1 < float(np.float32(0.1))
    True
    """
    exact = np.asarray(numbers, np.float64)
    with np.errstate(over="ignore"):
        nearest = exact.astype(np.float32)
    return np.where(nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest)[()]
