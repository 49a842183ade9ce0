"""How much of a tensor is left."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import as_array, cast
from ..dtypes import BY_NAME


def sqnr(original: Any, decoded: Any) -> float:
    """The signal-to-quantization-noise ratio in dB.

    Parameters
    ----------
    original, decoded : array_like
        Float arrays of one shape, of any float type.

    Returns
    -------
    float
        ``10 log10(sum x**2 / sum (x - y)**2)``; infinite if they are equal.

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
    noise = float(np.sum(np.square(x - y)))
    signal = float(np.sum(np.square(x)))
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


def _float64(x: Any) -> np.ndarray[Any, Any]:
    array, element = as_array(x)
    return cast(array, element, BY_NAME["float64"])
