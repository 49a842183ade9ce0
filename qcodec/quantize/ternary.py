"""Ternary quantization: -Wn, 0 or +Wp."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .._base.checks import check_choice, check_number
from .._core import core
from .._core.float_mode import standard_float_mode
from ..quantized import Groups, Quantized
from .groups import Grouping
from .ternary_best import best_ternary, both_sides, ternary_means
from .thresholds import float32_at_most
from .weights import Array, Weights, quantizable

Threshold = Literal["exact", "twn"] | float

_TWN = 0.7


@standard_float_mode()
def quantize_ternary(
    array: Any,
    threshold: Threshold = "exact",
    *,
    scales: int = 2,
    per: int | None = None,
    group: int | None = None,
    mask: Any = None,
) -> Quantized:
    """Quantize to three values.

    Parameters
    ----------
    array : array_like
        float32, float16, bfloat16 or float64, of any shape.
    threshold : {"exact", "twn"} or float
        The largest magnitude that becomes zero. ``"exact"``: the one with the least
        squared error. ``"twn"``: 0.7 times the mean magnitude (ternary weight networks).
        A number t: t times the largest magnitude (trained ternary quantization).
    scales : {2, 1}
        With 2, Wp and Wn are the mean magnitudes of the positive and of the negative
        weights. With 1, both are the mean magnitude of all.
    per, group : int, optional
        Scales per index of this axis, or per block of this many elements; the
        default is the tensor.
    mask : array_like of bool, optional
        The elements to store, in the shape of `array`. Elements that become zero are
        not stored either.

    Returns
    -------
    Quantized
        Of kind ``"codebook"``; the code is the trit plus 1. With two scales there is a
        codebook {-Wn, 0, Wp} per group; with one, the codebook {-1, 0, 1} and a scale per
        group.

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
    >>> q = quantize_ternary(np.array([-1.0, 0.1, 2.0, 4.0], np.float32))
    >>> q.codebook.values, q.codes
    (array([[-1.,  0.,  3.]], dtype=float32), array([0, 1, 2, 2], dtype=uint8))
    """
    check_ternary(threshold, scales)
    weights = quantizable(array, mask, check=threshold != "exact")
    entries = 3 if scales == 2 else 1
    layout = weights.grouping(per, group, parameter_bits=32 * entries, code_bits=2)
    values = weights.values
    if threshold == "exact":
        with weights.explaining():
            thresholds, means = best_ternary(values, layout, scales)
    else:
        thresholds = np.repeat(_thresholds(weights, layout, threshold)[:, None], scales, axis=1)
        means = ternary_means(values, layout, thresholds)
    trits = core.ternary_codes(values, layout.inner, both_sides(thresholds))
    if scales == 1:
        book = Groups(np.array([[-1, 0, 1]], np.float32))
        return _quantized(weights, trits, book, Groups(means[:, 0], layout.inner))
    wp, wn = means.T
    # 0 - Wn, because -Wn would be -0.0 if Wn is 0.
    books = np.stack([np.float32(0) - wn, np.zeros_like(wp), wp], axis=1)
    return _quantized(weights, trits, Groups(books, layout.inner), None)


def check_ternary(threshold: Threshold, scales: int) -> None:
    """Raise TypeError or ValueError unless both parameters are allowed."""
    check_choice("scales", scales, (1, 2))
    if isinstance(threshold, str):
        check_choice("threshold", threshold, ("exact", "twn"))
    else:
        check_number("threshold", threshold, 0, 1)


def _thresholds(weights: Weights, layout: Grouping, threshold: float | str) -> Array:
    """Return the threshold of each group; only larger magnitudes are stored."""
    if threshold == "twn":
        nothing = np.zeros((layout.count, 2), np.float32)
        sums, _ = core.sums_beyond(weights.values, layout.inner, nothing)
        exact = _TWN * sums.sum(axis=1) / np.maximum(weights.counts(layout), 1)
    else:
        low, high = weights.ranges(layout)
        exact = float(threshold) * np.maximum(-low, high)
    found: Array = float32_at_most(exact)
    return found


def _quantized(weights: Weights, codes: Array, book: Groups, scale: Groups | None) -> Quantized:
    positions, codes = weights.stored_codes(codes, 1)
    return Quantized(
        weights.shape, weights.dtype, "codebook", codes, positions, 2, codebook=book, scale=scale
    )
