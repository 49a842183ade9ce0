"""Ternary quantization: -Wn, 0 or +Wp."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .._base.checks import check_choice, check_number
from .._core import core
from .._core.float_mode import standard_float_mode
from ..quantized import Groups, Quantized
from .groups import Grouping
from .ternary_best import best_ternary, mean_above
from .thresholds import float32_at_most, float32_below
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
    members = weights.members(layout)
    if threshold == "exact":
        with weights.explaining():
            thresholds, means = best_ternary(members, scales)
    else:
        beyond = _threshold(np.abs(members), weights.counts(layout), threshold)
        thresholds = np.stack([beyond] * scales, axis=1)
        means = _means(members, thresholds)
    trits = _trits(weights, layout, thresholds[:, 0], thresholds[:, -1])
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


def _threshold(magnitudes: Array, counts: Array, threshold: float | str) -> Array:
    """Return the threshold of each row; only larger magnitudes are stored."""
    if threshold == "twn":
        sums = np.sum(magnitudes, axis=1, dtype=np.float64)
        return np.asarray(_TWN * sums / np.maximum(counts, 1))
    return np.asarray(float(threshold) * np.max(magnitudes, axis=1, initial=0).astype(np.float64))


def _means(members: Array, thresholds: Array) -> Array:
    """Return the mean magnitudes above the thresholds, shape (groups, sides)."""
    if thresholds.shape[1] == 1:
        return mean_above(np.abs(members), thresholds[:, 0])[:, None]
    positive, negative = np.maximum(members, 0), np.maximum(-members, 0)
    means = mean_above(positive, thresholds[:, 0]), mean_above(negative, thresholds[:, 1])
    return np.stack(means, axis=1)


def _trits(weights: Weights, layout: Grouping, above: Array, below: Array) -> Array:
    """Return the code of every element: 2 above the threshold, 0 below minus it, otherwise 1."""
    if layout.count == 1:
        ascending = float32_below(-float(below[0])), float32_at_most(float(above[0]))
        return core.assign_by_thresholds(weights.values, np.array(ascending))
    count = len(weights.values)
    codes = np.ones(count, np.uint8)
    codes += weights.values > layout.spread(above, None, count)
    codes -= -weights.values > layout.spread(below, None, count)
    return codes


def _quantized(weights: Weights, codes: Array, book: Groups, scale: Groups | None) -> Quantized:
    positions, codes = weights.stored_codes(codes, 1)
    return Quantized(
        weights.shape, weights.dtype, "codebook", codes, positions, 2, codebook=book, scale=scale
    )
