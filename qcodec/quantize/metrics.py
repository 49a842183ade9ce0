"""Measures of quantization error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._base.arrays import as_array, cast
from .._core.float_mode import standard_float_mode
from ..dtypes import BY_NAME

Array = np.ndarray[Any, Any]


@standard_float_mode()
def sqnr(original: Any, decoded: Any) -> float:
    """Return the signal-to-quantization-noise ratio in dB.

    Parameters
    ----------
    original, decoded : array_like
        Float arrays of the same shape, of any float type.

    Returns
    -------
    float
        ``10 log10(sum x**2 / sum (x - y)**2)``, computed without overflow of the squares.
        Infinite if the arrays are equal, element by element (NaN equals NaN). Otherwise
        NaN if `original` has a NaN or an infinity, or `decoded` has a NaN; and minus
        infinity if `original` is all zero, or `decoded` has an infinity.

    Raises
    ------
    ValueError
        If the shapes differ, or a type is not a float type.

    Examples
    --------
    >>> round(sqnr(np.array([3.0, 4.0]), np.array([3.0, 3.5])), 6)
    20.0
    """
    x, y = _float64(original), _float64(decoded)
    if x.shape != y.shape:
        raise ValueError(f"shapes differ: {x.shape} and {y.shape}")
    if np.array_equal(x, y, equal_nan=True):
        return math.inf
    if not np.isfinite(x).all() or np.isnan(y).any():
        return math.nan
    if not np.isfinite(y).all() or not x.any():
        return -math.inf
    with np.errstate(over="ignore"):
        noise = x - y
    if not np.isfinite(noise).all():
        x, noise = x / 2, x / 2 - y / 2
    return 10 * math.log10(2) * (_log2_of_squares(x) - _log2_of_squares(noise))


def _log2_of_squares(values: Array) -> float:
    """Return the binary logarithm of the sum of squares, which itself might overflow float64."""
    _, exponent = np.frexp(np.max(np.abs(values)))
    return math.log2(float(np.sum(np.square(np.ldexp(values, -exponent))))) + 2.0 * float(exponent)


def _float64(x: Any) -> Array:
    array, element = as_array(x)
    if not element.is_float:
        raise ValueError(f"an array of {element.name} was given; allowed are float types")
    return cast(array, element, BY_NAME["float64"])
