"""Storage of elements bit for bit, without quantization."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._base.arrays import as_array
from ..quantized import Quantized
from .weights import as_mask


def quantize_verbatim(array: Any, *, dtype: str | None = None, mask: Any = None) -> Quantized:
    """Keep every bit of the elements, including NaN, infinities and -0.0.

    Parameters
    ----------
    array : array_like
        Any element type, of any shape.
    dtype : str, optional
        The element type, if `array` holds the bits as unsigned integers (see `as_array`).
    mask : array_like of bool, optional
        The elements to store, in the shape of `array`. The others become +0.0.

    Returns
    -------
    Quantized
        Of kind ``"bytes"``.

    Raises
    ------
    TypeError
        If qcodec cannot store the type.
    ValueError
        If the mask has another shape.

    Examples
    --------
    >>> quantize_verbatim(np.array([1.5, np.nan])).codes
    array([1.5, nan])
    """
    given, element = as_array(array, dtype)
    codes, positions = given.reshape(-1), None
    if mask is not None:
        if element.name == "float8_e8m0fnu":
            raise TypeError("float8_e8m0fnu has no zero for the elements that are not stored")
        positions = np.flatnonzero(as_mask(mask, given.shape))
        codes = codes[positions]
    return Quantized(given.shape, element.name, "bytes", codes, positions)


def nonzero_bits_mask(array: Any, dtype: str | None = None) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the mask of elements with any bit set: all but +0.0, 0 and False.

    float8_e8m0fnu has no zero, so all its elements are in the mask.

    Examples
    --------
    >>> nonzero_bits_mask(np.array([0.0, -0.0, 3.0]))
    array([False,  True,  True])
    """
    given, element = as_array(array, dtype)
    if element.name == "float8_e8m0fnu":
        return np.ones(given.shape, np.bool_)
    mask: np.ndarray[Any, np.dtype[np.bool_]] = given.view(f"u{element.itemsize}") != 0
    return mask
