"""Fixed-point quantization (Qm.n): signed integers times a power of two."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .._base.checks import check_choice, check_integer
from .._core import core
from .._core.float_mode import standard_float_mode
from ..dtypes import element_type
from ..quantized import Groups, Quantized
from .affine import MAX_BITS, affine_codes
from .groups import Grouping
from .uniform_steps import UNIFORM_STEPS
from .weights import Array, Weights, quantizable

Step = Literal["mse", "max", "gauss", "laplace", "gamma"]

STEPS = ("mse", "max", *UNIFORM_STEPS)

# A power of two is one byte as an e8m0 scale: 2**(byte - 127).
_SCALE = element_type("float8_e8m0fnu")
_BIAS = 127


@standard_float_mode()
def quantize_fixed_point(
    array: Any,
    bits: int,
    step: Step = "mse",
    *,
    per: int | None = None,
    group: int | None = None,
    mask: Any = None,
) -> Quantized:
    """Quantize to multiples of a power of two, in the range of two's complement.

    Parameters
    ----------
    array : array_like
        float32, float16, bfloat16 or float64, of any shape.
    bits : int
        2 to 16: values are ``-2**(bits - 1)`` to ``2**(bits - 1) - 1`` steps.
    step : {"mse", "max", "gauss", "laplace", "gamma"}
        ``"mse"``: the power of two with the least squared error, clipping included.
        ``"max"``: the smallest power of two that clips nothing, except where the next
        multiple would exceed the element type. A distribution: the optimal step of that
        distribution times the root mean square, rounded to a power of two.
    per, group : int, optional
        One step per index of this axis, or per block of this many elements; the
        default is one for the tensor.
    mask : array_like of bool, optional
        The elements to store, in the shape of `array`. Elements that become zero are
        not stored either.

    Returns
    -------
    Quantized
        Of kind ``"affine"`` with zero point ``2**(bits - 1)`` and a scale of
        element type float8_e8m0fnu.

    Raises
    ------
    TypeError
        If the array has another element type.
    ValueError
        If a value is NaN or infinite, or an argument is out of range.
    GroupsError
        A ValueError: if the groups are so small that codes and parameters take more than the
        elements, in tensors of at least 4,096 elements.

    Examples
    --------
    >>> q = quantize_fixed_point(np.array([-1.0, 0.24, 0.6], np.float32), 3)
    >>> q.dequantize()
    array([-1.  ,  0.25,  0.5 ], dtype=float32)
    """
    check_integer("bits", bits, 2, MAX_BITS)
    check_choice("step", step, STEPS)
    # Ranges check that values are finite.
    weights = quantizable(array, mask, check=step in UNIFORM_STEPS)
    layout = weights.grouping(per, group, parameter_bits=8, code_bits=bits)
    if step in UNIFORM_STEPS:
        exponents = _table_exponents(weights, layout, UNIFORM_STEPS[step][bits - 1])
        exponents = np.clip(exponents, -_BIAS, _BIAS)
    else:
        extremes = weights.ranges(layout)
        exponents = np.clip(_covering_exponents(*extremes, bits), -_BIAS, _BIAS)
        exponents = _within_reach(*extremes, bits, exponents, weights.max_value)
        if step == "mse":
            exponents = _search_exponents(weights, layout, bits, exponents)
    carried = (exponents + _BIAS).astype(np.uint8).view(_SCALE.carrier)
    middle = np.full(layout.count, 1 << (bits - 1))
    return affine_codes(
        weights,
        layout,
        bits,
        Groups(carried, layout.inner),
        middle,
        _SCALE.name,
        np.ldexp(1.0, exponents),
    )


def _covering_exponents(lowest: Array, highest: Array, bits: int) -> Array:
    """Return for each row the smallest exponent of two at which no value is clipped."""
    maximum = 1 << (bits - 1)
    needed = np.maximum(highest / (maximum - 1), -lowest / maximum)
    fraction, exponents = np.frexp(needed)  # needed = fraction * 2**exponent, fraction in [1/2, 1)
    return np.where(needed > 0, exponents - (fraction == 0.5), 0)


def _ends(exponents: Array, bits: int, max_value: float) -> tuple[Array, Array]:
    """Return each row's smallest and largest value that has a code and is finite in the type."""
    step = np.ldexp(1.0, exponents)
    maximum, reach = 1 << (bits - 1), np.floor(max_value / step)
    return -np.minimum(maximum, reach) * step, np.minimum(maximum - 1, reach) * step


def _within_reach(
    lowest: Array, highest: Array, bits: int, exponents: Array, max_value: float
) -> Array:
    """Decrement the exponent of rows that the end of the element type clips, if that clips less.

    The next multiple of a step may exceed the largest number of the type. Half the step then has
    a multiple that is closer to this end.
    """

    def clipped(exponents: Array) -> Array:
        low, high = _ends(exponents, bits, max_value)
        beyond: Array = np.maximum(np.maximum(highest - high, low - lowest), 0)
        return beyond

    now = clipped(exponents)
    is_better = (now > np.ldexp(0.5, exponents)) & (clipped(exponents - 1) < now)
    return np.where(is_better & (exponents > -_BIAS), exponents - 1, exponents)


def _table_exponents(weights: Weights, layout: Grouping, table_step: float) -> Array:
    """Return the power of two nearest, by ratio, to root mean square * table step."""
    squares = core.group_squares(weights.values, layout.inner, layout.count)
    counts = np.maximum(weights.counts(layout), 1)
    fraction, exponents = np.frexp(np.sqrt(squares / counts) * table_step)
    return np.where(squares > 0, exponents - (fraction < np.sqrt(0.5)), 0)


def _search_exponents(weights: Weights, layout: Grouping, bits: int, start: Array) -> Array:
    """Return the exponent of least squared error for each group, searching downward from `start`.

    `start` clips nothing, and smaller steps clip more. So the search in a group ends when the error
    of clipping alone exceeds the best error so far.
    """
    exponents, best = start.copy(), np.full(layout.count, np.inf)
    trial, searching = start.copy(), np.ones(layout.count, np.bool_)
    while np.any(searching):
        ends = _ends(trial, bits, weights.max_value)
        steps = np.stack([np.ldexp(1.0, trial), *ends, np.zeros(layout.count)], axis=1)
        limits = np.where(searching, best, -1.0)
        clipped, error = core.fixed_point_errors(weights.values, layout.inner, steps, limits)
        searching &= clipped <= limits
        better = searching & (error < best)
        exponents[better], best[better] = trial[better], error[better]
        trial = trial - 1
        searching &= (best > 0) & (trial >= -_BIAS)
    return exponents
