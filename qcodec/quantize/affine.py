"""Affine quantization: equal steps, ``scale * (code - zero point)``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._base.checks import check_bool, check_integer, check_number
from .._core import core
from .._core.float_mode import standard_float_mode
from ..quantized import Groups, Quantized
from .entropy_constrained_steps import MIN_STEP, entropy_constrained_steps
from .entropy_descent import price_of
from .groups import Grouping
from .position_costs import store
from .thresholds import float32_at_most
from .weights import Array, Weights, quantizable

MAX_BITS = 16
_MAX_BITS_PRICED = 8
# Elements whose errors are computed in one step, in float64.
_AT_ONCE = 1 << 18


@standard_float_mode()
def quantize_affine(
    array: Any,
    bits: int,
    *,
    per: int | None = None,
    group: int | None = None,
    symmetric: bool = False,
    rate: float = 0.0,
    mask: Any = None,
) -> Quantized:
    """Quantize to ``2**bits`` equally spaced values that include zero.

    Each element takes the nearest value, or with a `rate` the cheapest.

    Parameters
    ----------
    array : array_like
        float32, float16, bfloat16 or float64, of any shape.
    bits : int
        1 to 16; at least 2 if symmetric.
    per, group : int, optional
        One scale and zero point per index of this axis, or per block of this many
        elements; the default is one for the tensor.
    symmetric : bool
        If true, the zero point is the middle code and the range is plus and minus the
        largest magnitude. Otherwise the range is from the minimum to the maximum.
    rate : float
        The price of one bit per weight, as a part of the variance of the stored weights.
        With 0, each element takes the nearest value. Above 0: entropy-constrained
        quantization as in `quantize_codebook`, but with equal steps. The best step is
        searched for, and values beyond the levels are clipped. This works up to 8 bits and
        without `per` or `group`; the result may have fewer `bits`. With a mask, elements
        that are not worth their bits are not stored.
    mask : array_like of bool, optional
        The elements to store, in the shape of `array`. Elements that become zero are
        not stored either.

    Returns
    -------
    Quantized
        Of kind ``"affine"``.

    Raises
    ------
    TypeError
        If the array has another element type.
    ValueError
        If a value is NaN or infinite, `bits`, `per` or `group` is out of range,
        or a mask is combined with a zero point per group (then no code means zero
        in all groups).
    GroupsError
        A ValueError: if the groups are so small that codes and parameters take more than the
        elements, in tensors of at least 4,096 elements.

    Examples
    --------
    >>> q = quantize_affine(np.array([-1.0, 0.0, 0.4, 2.0], np.float32), 2)
    >>> q.codes, q.zero_point
    (array([0, 1, 1, 3], dtype=uint8), 1)
    >>> q.dequantize()
    array([-1.,  0.,  0.,  2.], dtype=float32)
    """
    check_affine(bits, per, group, symmetric, rate)
    # Without a rate, ranges are taken of all values, and check that they are finite.
    weights = quantizable(array, mask, check=rate > 0)
    if rate > 0:
        stored = weights.stored
        if np.any(stored != stored[:1]):
            return _by_rate(weights, stored, bits, symmetric, rate)
    layout = weights.grouping(per, group, parameter_bits=32 if symmetric else 48, code_bits=bits)
    if mask is not None and layout.count > 1 and not symmetric:
        raise ValueError(
            "affine with a mask needs one code that is zero in all groups: use symmetric=True"
        )
    if symmetric:
        step, zero_point = _symmetric(*weights.ranges(layout), bits, weights.max_value)
    else:
        step, zero_point = _asymmetric(*weights.ranges(layout), bits)
        step, zero_point = _within_reach(weights, layout, bits, step, zero_point)
    return affine_codes(weights, layout, bits, Groups(step, layout.inner), zero_point)


def check_affine(
    bits: int, per: int | None, group: int | None, symmetric: bool, rate: float
) -> None:
    """Raise TypeError or ValueError unless these parameters are allowed together."""
    check_bool("symmetric", symmetric)
    check_number("rate", rate, 0)
    maximum = MAX_BITS if rate == 0 else _MAX_BITS_PRICED
    check_integer("bits", bits, 2 if symmetric else 1, maximum)
    if rate > 0 and (per is not None or group is not None):
        raise ValueError("a rate with per or group was given; allowed is a rate for a single scale")


def _by_rate(weights: Weights, stored: Array, bits: int, symmetric: bool, rate: float) -> Quantized:
    """Find the cheapest codes at the best step; the stored values must not all be the same."""
    levels, price = 1 << bits, price_of(stored, rate)
    found, fit = entropy_constrained_steps(
        stored,
        levels,
        price,
        None if weights.kept is None else weights.size,
        lowest=-levels // 2 if symmetric else None,
        reach=weights.max_value,
    )
    positions, entries, codes = store(weights, stored, found, price, fit)
    numbers = fit.numbers(entries).astype(np.int64)
    lowest = -levels // 2 if symmetric else int(numbers.min(initial=0))
    if not symmetric:
        bits = max(1, (int(numbers.max(initial=0)) - lowest).bit_length())
    return Quantized(
        weights.shape,
        weights.dtype,
        "affine",
        (numbers - lowest).astype(np.uint8)[codes],
        positions,
        bits,
        scale=Groups(np.array([fit.step], np.float32)),
        zero_point=-lowest,
    )


def affine_codes(
    weights: Weights,
    layout: Grouping,
    bits: int,
    scale: Groups,
    zero_point: Array,
    scale_dtype: str = "float32",
    step: Array | None = None,
) -> Quantized:
    """Find the nearest codes at given steps and zero points.

    Parameters
    ----------
    weights : Weights
    layout : Grouping
        The groups of the scale and the zero points.
    bits : int
    scale : Groups
        Positive, one per group, in the carrier dtype of `scale_dtype`.
    zero_point : numpy.ndarray
        One per group, below ``2**bits``.
    scale_dtype : str
    step : numpy.ndarray, optional
        The scale as numbers, if its carrier dtype is not float32.
    """
    step = (scale.values if step is None else step).astype(np.float64)
    ends = _ends(bits, step, zero_point, weights.max_value)
    steps = np.stack([step, *ends, zero_point.astype(np.float64)], axis=1)
    codes = core.affine_codes(weights.values, layout.inner, steps, 1 if bits <= 8 else 2)
    place, codes = weights.stored_codes(codes, int(zero_point[0]))
    one = bool(np.all(zero_point == zero_point[0]))
    return Quantized(
        weights.shape,
        weights.dtype,
        "affine",
        codes,
        place,
        bits,
        scale=scale,
        scale_dtype=scale_dtype,
        zero_point=int(zero_point[0]) if one else zero_point.astype(np.uint16),
    )


def _symmetric(low: Array, high: Array, bits: int, end: float) -> tuple[Array, Array]:
    """Return step and zero point of each group; the last code is the largest magnitude.

    Here and below, `end` is the largest number of the element type.
    """
    middle = 1 << (bits - 1)
    step = _float32_step(np.maximum(-low, high), middle - 1)
    return np.minimum(step, float32_at_most(end / (middle - 1))), np.full(len(low), middle)


def _asymmetric(low: Array, high: Array, bits: int) -> tuple[Array, Array]:
    """Return step and zero point of each group; the range is that of the values and zero."""
    levels = (1 << bits) - 1
    step = _float32_step(high - low, levels)
    zero_point = np.clip(np.rint(-low / step.astype(np.float64)), 0, levels)
    return step, zero_point.astype(np.int64)


def _within_reach(
    weights: Weights, layout: Grouping, bits: int, step: Array, zero_point: Array
) -> tuple[Array, Array]:
    """Change steps and zero points where the first or last code exceeds the element type.

    Three ways are compared for such a group: do not use that code; take a step at which the code
    is the largest number of the type; or take the middle code as zero point, so that both sides
    have the same range.
    """
    levels, end = (1 << bits) - 1, weights.max_value
    span = np.maximum(levels - zero_point, zero_point)
    rows = np.flatnonzero(step.astype(np.float64) * span > end)
    step, zero_point = step.copy(), zero_point.copy()
    at_once = max(_AT_ONCE * layout.count // max(weights.size, 1), 1)
    for first in range(0, len(rows), at_once):
        some = rows[first : first + at_once]
        members = layout.some_members(weights.values, some)
        reaching = _reaching(members, bits, step[some], zero_point[some], span[some], end)
        step[some], zero_point[some] = reaching
    return step, zero_point


def _reaching(
    members: Array, bits: int, step: Array, zero_point: Array, span: Array, end: float
) -> tuple[Array, Array]:
    """Return the best step and zero point of each row, as `_within_reach` says."""
    half = np.full(len(members), ((1 << bits) - 1) // 2)
    choices = [(step, zero_point), (float32_at_most(end / span), zero_point)]
    if half[0] > 0:
        extreme = np.max(np.abs(members), axis=1, initial=0).astype(np.float64)
        choices.append((float32_at_most(extreme / half), half))
    best = np.full(len(members), np.inf)
    for steps, zeros in choices:
        error = _squared_errors(members, bits, steps.astype(np.float64), zeros, end)
        better = error < best
        step, zero_point = np.where(better, steps, step), np.where(better, zeros, zero_point)
        best = np.minimum(best, error)
    return step, zero_point


def _squared_errors(members: Array, bits: int, step: Array, zero_point: Array, end: float) -> Array:
    """Return each row's squared error with the nearest codes that decode to finite values."""
    low, high = _ends(bits, step, zero_point, end)
    errors = np.zeros(len(members))
    for first in range(0, members.shape[1], _AT_ONCE):
        block = members[:, first : first + _AT_ONCE].astype(np.float64)
        steps = np.clip(np.rint(block / step[:, None]), low[:, None], high[:, None])
        errors += np.sum(np.square(block - steps * step[:, None]), axis=1)
    return errors


def _ends(bits: int, step: Array, zero_point: Array, end: float) -> tuple[Array, Array]:
    """Return the smallest and largest multiple of the step that have a code and are finite."""
    reach = np.floor(end / step)
    return -np.minimum(zero_point, reach), np.minimum((1 << bits) - 1 - zero_point, reach)


def _float32_step(extent: Array, levels: int) -> Array:
    """Return extent / levels as a float32 that is neither 0 nor infinite."""
    exact = np.clip(extent / levels, MIN_STEP, np.finfo(np.float32).max)
    step = np.where(extent > 0, exact, 1.0).astype(np.float32)
    # Subnormal steps are coarse: if rounded down, they would not reach the extremes.
    short = (step < np.finfo(np.float32).smallest_normal) & (step < exact)
    return np.where(short, np.nextafter(step, np.float32(1)), step)
