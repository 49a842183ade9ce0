"""Quantization to a fixed table of levels times a scale per group, such as NF4 and MXFP4.

The table is chosen beforehand, so that a group stores its scale only. NF4 is of QLoRA (Dettmers,
Pagnoni, Holtzman and Zettlemoyer 2023, appendix E). FP4 is E2M1 of the OCP microscaling formats
(version 1.0, section 5.3.3). Ternary levels times the mean magnitude are those of BitNet b1.58
(Ma et al. 2024, equations 1 to 3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from .._base.checks import check_choice, check_number
from .._core import core
from .._core.float_mode import standard_float_mode
from ..dtypes import BY_NAME
from ..quantized import Groups, Quantized
from .groups import Grouping
from .scales import SCALE_DTYPES, rounded
from .weights import Array, Weights, quantizable

#: The tables that have a name.
TABLES: dict[str, tuple[float, ...]] = {
    "nf4": (
        -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
        -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
        0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
        0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
    ),
    "fp4": (
        -6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0,
    ),
    "ternary": (-1.0, 0.0, 1.0),
}  # fmt: skip

Levels = str | Sequence[float]
Unit = Literal["max", "mean"]
UNITS = ("max", "mean")
_MAX_LEVELS = 256


@standard_float_mode()
def quantize_levels(
    array: Any,
    levels: Levels = "nf4",
    *,
    unit: Unit = "max",
    per: int | None = None,
    group: int | None = None,
    scale_dtype: str = "float32",
    mask: Any = None,
) -> Quantized:
    """Quantize to the nearest of given levels times a scale per group.

    Parameters
    ----------
    array : array_like
        float32, float16, bfloat16 or float64, of any shape.
    levels : {"nf4", "fp4", "ternary"} or sequence of float
        The table; numbers are ascending, at most 256, and not all are zero.
    unit : {"max", "mean"}
        What the scale is: ``"max"`` lets the largest magnitude of a group meet the largest level;
        ``"mean"`` is the mean magnitude of the group.
    per, group : int, optional
        A scale per index of this axis, or per block of this many elements; the default is one for
        the tensor.
    scale_dtype : {"float32", "float16", "bfloat16", "float8_e8m0fnu"}
        The type to which scales are rounded. ``"float8_e8m0fnu"`` has powers of two only: the one
        below the largest magnitude, divided by the one below the largest level, as in the
        microscaling formats.
    mask : array_like of bool, optional
        The elements to store, in the shape of `array`; of those, the ones that become zero are not
        stored either.

    Returns
    -------
    Quantized
        Of kind ``"codebook"``: one table, and a scale per group.

    Raises
    ------
    TypeError
        If the array has another element type.
    ValueError
        If a value is NaN or infinite, an argument is out of range, or a scale is beyond the range
        of `scale_dtype`; with a mask, if no level is zero.
    GroupsError
        A ValueError: if the groups are so small that codes and parameters take more than the
        elements, in tensors of at least 4,096 elements.

    Examples
    --------
    >>> weights = np.array([-4.0, 0.1, 2.0, 3.9], np.float32)
    >>> quantize_levels(weights, (-1, 0, 1), unit="mean").dequantize()
    array([-2.5,  0. ,  2.5,  2.5], dtype=float32)
    >>> quantize_levels(weights, "fp4", scale_dtype="float8_e8m0fnu").dequantize()
    array([-4.,  0.,  2.,  4.], dtype=float32)
    """
    table = table_of(levels)
    check_choice("unit", unit, UNITS)
    check_choice("scale_dtype", scale_dtype, SCALE_DTYPES)
    weights = quantizable(array, mask)
    if mask is not None and not np.any(table == 0):
        raise ValueError("levels: none is 0, which a mask needs for the elements not stored")
    bits = max(1, (len(table) - 1).bit_length())
    parameter_bits = 8 * BY_NAME[scale_dtype].itemsize
    layout = weights.grouping(per, group, parameter_bits=parameter_bits, code_bits=bits)
    largest = float(np.max(np.abs(table)))
    scales = _scales(weights, layout, unit, largest)
    stored, numbers = rounded(scales, scale_dtype, weights.max_value / largest, largest)
    # A quotient is not above the largest level by more than rounding.
    quotients: Array = weights.values / layout.spread(numbers, None, weights.size)
    codes = core.assign(quotients, table)
    positions, codes = weights.stored_codes(codes, int(np.argmin(np.abs(table))))
    return Quantized(
        weights.shape, weights.dtype, "codebook", codes, positions, bits,
        codebook=Groups(table[None]), scale=Groups(stored, layout.inner), scale_dtype=scale_dtype,
    )  # fmt: skip


def table_of(levels: Levels) -> Array:
    """Return the levels as float32, or raise TypeError or ValueError.

    Examples
    --------
    >>> table_of("nf5")
    Traceback (most recent call last):
        ...
    ValueError: levels='nf5': allowed are 'nf4', 'fp4', 'ternary' and ascending numbers
    """
    if isinstance(levels, str):
        if levels not in TABLES:
            names = ", ".join(map(repr, TABLES))
            raise ValueError(f"levels={levels!r}: allowed are {names} and ascending numbers")
        return np.array(TABLES[levels], np.float32)
    if not 2 <= len(levels) <= _MAX_LEVELS:
        raise ValueError(f"levels: found {len(levels)}, allowed are 2 to {_MAX_LEVELS}")
    for level in levels:
        check_number("levels", level, -math.inf)
    with np.errstate(over="ignore"):
        table = np.array(levels, np.float32) + np.float32(0)  # -0.0 becomes 0.0
    if not np.all(table[1:] > table[:-1]) or not np.all(np.isfinite(table)):
        raise ValueError("levels: allowed are finite numbers, each above the one before as float32")
    return table


def _scales(weights: Weights, layout: Grouping, unit: Unit, largest: float) -> Array:
    """Return each group's scale in float64; 1 where all elements are zero."""
    if unit == "mean":
        none = np.zeros((layout.count, 2), np.float32)
        sums, _ = core.sums_beyond(weights.values, layout.inner, none)
        scales = sums.sum(axis=1) / np.maximum(weights.counts(layout), 1)
    else:
        low, high = weights.ranges(layout)
        scales = np.maximum(-low, high) / largest
    return np.where(scales > 0, scales, 1.0)
