"""Scales in the element type in which they are stored."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._base.arrays import cast
from ..dtypes import BY_NAME
from .weights import MAX_VALUES

Array = np.ndarray[Any, Any]

SCALE_DTYPES = ("float32", "float16", "bfloat16", "float8_e8m0fnu")
# What rounding to a type may add to a number that is in its range.
_ROUNDING = 2.0**-7
# The smallest and largest exponent of an e8m0 scale, and what is added to it in its byte.
_MIN_EXPONENT, _MAX_EXPONENT, _BIAS = -127, 127, 127


def rounded(
    scales: Array, scale_dtype: str, limit: Any, largest: float = 1.0
) -> tuple[Array, Array]:
    """Round scales to the type in which they are stored.

    Parameters
    ----------
    scales : numpy.ndarray of float64
        Positive, one per group.
    scale_dtype : {"float32", "float16", "bfloat16", "float8_e8m0fnu"}
        The nearest number of the type is taken. Of e8m0 it is the power of two below
        ``scale * largest``, divided by the one below `largest`.
    limit : float or numpy.ndarray
        What no scale may exceed.
    largest : float
        The largest magnitude that is multiplied with a scale.

    Returns
    -------
    stored : numpy.ndarray
        In the carrier dtype of the type.
    numbers : numpy.ndarray of float32
        The same scales.

    Raises
    ------
    ValueError
        If a scale is beyond the range of the type.

    Examples
    --------
    >>> rounded(np.array([0.3, 7.0]), "float16", 6.0)[1]
    array([0.30004883, 6.        ], dtype=float32)
    >>> rounded(np.array([0.3, 7.0]), "float8_e8m0fnu", 6.0)[1]
    array([0.25, 4.  ], dtype=float32)
    """
    element = BY_NAME[scale_dtype]
    word = np.dtype(f"u{element.itemsize}")
    if scale_dtype == "float8_e8m0fnu":
        exponents = np.frexp(scales * largest)[1] - math.frexp(largest)[1]
        exponents = np.clip(exponents, _MIN_EXPONENT, _MAX_EXPONENT)
        bits = (exponents + _BIAS).astype(word)
    else:
        most = np.max(np.minimum(scales, limit), initial=0)
        if most > MAX_VALUES[scale_dtype] * (1 + _ROUNDING):
            raise ValueError(
                f"scale_dtype={scale_dtype!r}: a scale is {most:.6g}, beyond the range of the "
                "type: take float32 or bfloat16"
            )
        wanted = np.minimum(np.minimum(scales, limit), MAX_VALUES[scale_dtype])
        bits = cast(wanted.astype(np.float32), BY_NAME["float32"], element).view(word)
    # The bits of positive numbers are ordered as integers: one less is the next smaller number.
    numbers = _float32(bits, scale_dtype)
    smallest = 0 if scale_dtype == "float8_e8m0fnu" else 1
    bits = np.maximum(bits - (numbers > limit).astype(word), smallest).astype(word)
    return bits.view(element.carrier), _float32(bits, scale_dtype)


def _float32(bits: Array, scale_dtype: str) -> Array:
    element = BY_NAME[scale_dtype]
    return cast(bits.view(element.carrier), element, BY_NAME["float32"])
