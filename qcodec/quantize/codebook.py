"""Weight sharing: quantization to a codebook of a few values, chosen by k-means."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .._base.checks import check_choice, check_integer, check_number
from .._core import core
from .._core.float_mode import standard_float_mode
from ..quantized import Groups, Quantized
from .entropy_constrained import entropy_constrained
from .entropy_descent import means, price_of
from .groups import Grouping
from .position_costs import store
from .sorting import ascending
from .thresholds import float32_at_most
from .weights import Array, Weights, quantizable

Init = Literal["auto", "exact", "fast", "linear", "density", "forgy", "k-means++"]
Normalization = Literal["max", "rms"]

MAX_CODEBOOK_BITS = 8
INITS = ("auto", "exact", "fast", *core.KMEANS_INITS)
NORMALIZATIONS = ("max", "rms")

# By "auto", a codebook is the optimum up to this many values per entry, near it up to this many in
# all, and by the fast method above: more values hardly ever take less time.
_EXACT_PER_ENTRY = 64
_MAX_NEAR = 1 << 13
# It is the optimum up to this many if prices of bits follow, which take longer.
_MAX_EXACT_START = 1 << 16
_UNLIMITED = (1 << 63) - 1
# How many values of a group are sorted at most, by the name of the method.
_LIMITS = {"auto": 1 << 16, "exact": _UNLIMITED, "fast": 0}
# The share of the error inside the bins of the fast method, up to which it is near the optimum.
_MAX_COARSENESS = 0.001
# On sorted values, a step of Lloyd's algorithm takes microseconds, and the last ones change little.
_MAX_STEPS = 10_000
_TINY = float(np.finfo(np.float32).tiny)


@standard_float_mode()
def quantize_codebook(
    array: Any,
    bits: int,
    init: Init = "auto",
    *,
    scale: Normalization | None = None,
    per: int | None = None,
    group: int | None = None,
    seed: int = 0,
    rate: float = 0.0,
    mask: Any = None,
) -> Quantized:
    """Quantize to at most ``2**bits`` shared values.

    Each element takes the nearest value, or with a `rate` the cheapest.

    Parameters
    ----------
    array : array_like
        float32, float16, bfloat16 or float64, of any shape.
    bits : int
        1 to 8.
    init : {"auto", "exact", "fast", "linear", "density", "forgy", "k-means++"}
        ``"exact"`` finds the optimum, the smallest squared error. ``"fast"`` is at most
        0.05 % above the optimum (0.01 % on common distributions) and takes a millisecond
        per million weights: it is the exact method on the bins of a histogram, or on the
        weights if the bins are too coarse. ``"auto"`` is exact up to 64 weights per entry,
        typically within 0.01 % of the optimum up to 8,192 weights, and fast above. With a
        codebook per group, groups of up to 65,536 weights are typically within 0.01 %. The
        others are starts for Lloyd's algorithm.
    scale : {"max", "rms"}, optional
        Divide each group by its largest magnitude or its root mean square, store
        this as the group's scale, and share one codebook. The default: no scale, and
        each group has its own codebook.
    per, group : int, optional
        A group is an index of this axis, or a block of this many elements; the
        default is the tensor.
    seed : int
        For ``"forgy"`` and ``"k-means++"``.
    rate : float
        The price of one bit per weight, as a part of the variance of the stored weights.
        With 0, each weight takes the nearest value. Above 0: entropy-constrained
        quantization, which minimises squared error + rate * variance * bits. A value that
        a share p of the weights takes costs -log2(p) bits, as entropy coding will make it.
        At a rate of 0.04 the error is about 0.03 of the variance, and at 0.001 about
        0.0007, if there are enough `bits`: use one or two more than for k-means, which is
        the start. A rate needs a single codebook: no `per` or `group` without a `scale`.
        With a mask, elements that are not worth the bits of their code and position are
        not stored.
    mask : array_like of bool, optional
        The elements to store, in the shape of `array`. Entry 0 of the codebook is
        then 0.0, as in Deep Compression, and the others are chosen for the stored
        elements.

    Returns
    -------
    Quantized
        Of kind ``"codebook"``. Entries are ascending (with a mask: from entry 1
        on) and no more than there are distinct values.

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
    >>> q = quantize_codebook(np.array([0.9, -2.0, 1.1, -2.0], np.float32), 1)
    >>> q.codebook.values, q.codes
    (array([[-2.,  1.]], dtype=float32), array([1, 0, 1, 0], dtype=uint8))
    """
    check_integer("bits", bits, 1, MAX_CODEBOOK_BITS)
    check_choice("init", init, INITS)
    check_choice("scale", scale, (None, *NORMALIZATIONS))
    check_seed(seed)
    check_rate(rate, scale, per, group)
    # Without a scale, k-means takes the values unchanged and checks that they are finite.
    weights = quantizable(array, mask, check=scale is not None)
    entries = 1 if scale is not None else 1 << bits
    layout = weights.grouping(per, group, parameter_bits=32 * entries, code_bits=bits)
    k = (1 << bits) - (weights.kept is not None)
    if scale is None and layout.count > 1:
        with weights.explaining():
            books, codes = _books(weights, layout, k, init, seed)
        return _quantized(weights, weights.positions, codes, Groups(books, layout.inner), None)
    scales, inner = None, layout.inner
    if scale is not None:
        by_group, inner = _scales(weights, layout, scale), 1

    def stored() -> Array:
        """Return the values of the stored elements: made anew where they are not the given ones."""
        if scale is None:
            return weights.stored
        return weights.stored / layout.spread(by_group, weights.positions, weights.size)

    with weights.explaining():
        # To sort, a copy is as good as a new one.
        is_own = scale is not None or weights.copies
        centroids = _centroids(stored(), k, init, seed, is_own, is_start=rate > 0)
        if rate > 0 and weights.any_stored:
            positions, centroids, codes = _by_rate(weights, stored(), centroids, rate)
        else:
            codes, positions = core.assign(stored(), centroids), weights.positions
    if scale is not None:
        centroids, by_group, codes = _within_reach(
            weights, positions, layout, centroids, by_group, codes
        )
        scales = Groups(by_group, layout.inner)
    return _quantized(weights, positions, codes, Groups(centroids[None], inner), scales)


def check_seed(seed: int) -> None:
    """Raise TypeError or ValueError unless this is a valid seed."""
    check_integer("seed", seed, 0, (1 << 64) - 1)


def check_rate(rate: float, scale: str | None, per: int | None, group: int | None) -> None:
    """Raise TypeError or ValueError unless the rate is valid and allowed with these groups."""
    check_number("rate", rate, 0)
    if rate > 0 and scale is None and (per is not None or group is not None):
        raise ValueError("a rate with per or group needs a scale: it is for one codebook")


def _by_rate(
    weights: Weights, stored: Array, start: Array, rate: float
) -> tuple[Array | None, Array, Array]:
    """Choose the elements worth storing, a codebook for them, and their codes."""
    elements = None if weights.kept is None else weights.size
    price = price_of(stored, rate)
    found = entropy_constrained(stored, start, price, elements)
    positions, values, codes = store(weights, stored, found, price, means)
    return positions, values + np.float32(0), codes


def _quantized(
    weights: Weights, positions: Array | None, codes: Array, books: Groups, scale: Groups | None
) -> Quantized:
    if positions is not None:
        zero = np.zeros((len(books.values), 1), np.float32)
        # If nothing is stored, the codebook needs no entry but zero.
        entries = books.values if len(codes) else books.values[:, :0]
        books = Groups(np.hstack([zero, entries]), books.inner)
        codes += np.uint8(1)
    entries_last = books.values.shape[1] - 1
    return Quantized(
        weights.shape,
        weights.dtype,
        "codebook",
        codes,
        positions,
        max(1, entries_last.bit_length()),
        codebook=books,
        scale=scale,
    )


def _centroids(
    values: Array, k: int, init: Init, seed: int, is_own: bool = False, is_start: bool = False
) -> Array:
    """Return at most k distinct centroids, ascending; a single 0 if there are no values.

    The values may be sorted if they are our own.
    """
    if len(values) == 0:
        return np.zeros(1, np.float32)
    method = _method(len(values), k, is_start) if init == "auto" else init
    if method == "fast":
        centroids, coarseness = core.kmeans_fast(values, k)
        if coarseness > _MAX_COARSENESS:
            method = "near" if init == "auto" and not is_start else "exact"
    if method == "exact":
        centroids, _ = core.kmeans_exact(ascending(values, is_own), k)
    elif method == "near":
        books, _, _ = core.group_codebooks(
            values, None, len(values), 1, k, _UNLIMITED, _MAX_COARSENESS, exact=False
        )
        centroids = books[0]
    elif method != "fast":
        centroids, _ = core.kmeans_lloyd(ascending(values, is_own), k, method, seed, _MAX_STEPS)
    # Adding 0 turns -0.0 into +0.0, as quantizers promise.
    return np.unique(centroids + np.float32(0))


def _method(values: int, k: int, is_start: bool) -> str:
    """Return what "auto" is for so many values."""
    if values <= (_MAX_EXACT_START if is_start else _EXACT_PER_ENTRY * k):
        return "exact"
    return "near" if values <= _MAX_NEAR and not is_start else "fast"


def _within_reach(
    weights: Weights,
    positions: Array | None,
    layout: Grouping,
    entries: Array,
    scales: Array,
    codes: Array,
) -> tuple[Array, Array, Array]:
    """Change entries, scales and codes so that every product is finite in the element type.

    A shared entry may be larger than all values of a group. If that group's scale is near the
    end of the range, their product would be infinite. An entry that is slightly too large is
    lowered; otherwise the group gets another scale, or codes of smaller entries.
    """
    max_value, magnitudes = weights.max_value, np.abs(entries).astype(np.float64)
    if float(np.max(scales)) * float(np.max(magnitudes, initial=0)) <= max_value:
        return entries, scales, codes
    stored = weights.given if positions is None else weights.given[positions]
    groups = layout.of(np.arange(weights.size) if positions is None else positions)
    used = np.full(len(entries), _TINY)  # the largest scale that each entry is multiplied with
    np.maximum.at(used, codes, scales[groups])
    if np.all(used * magnitudes <= max_value):
        return entries, scales, codes
    entries = _lowered(entries, max_value / used)
    codes = core.assign((stored / scales[groups]).astype(np.float32), entries)
    too_far = np.abs(entries).astype(np.float64)[codes] * scales[groups] > max_value
    scales, by_group = scales.copy(), np.argsort(groups, kind="stable")
    for group in np.unique(groups[too_far]):
        ends = np.searchsorted(groups, (group, group + 1), sorter=by_group)
        members = by_group[slice(*ends)]
        scales[group], codes[members] = _reaching(
            stored[members], entries, scales[group], max_value
        )
    return entries, scales, codes


def _lowered(entries: Array, reach: Array) -> Array:
    """Lower each entry to its reach, unless it would then pass the middle to a neighbour."""
    ends = float32_at_most(reach)
    lowered = np.clip(entries, -ends, ends)
    middles = (entries[1:] + entries[:-1]) / 2
    below, above = np.append(-np.inf, middles), np.append(middles, np.inf)
    return np.where((lowered > below) & (lowered < above), lowered, entries)


def _reaching(values: Array, entries: Array, scale: Any, max_value: float) -> tuple[Any, Array]:
    """Return the scale and codes of least squared error for a group, with finite products.

    These scales are tried: the present one, without the entries that become too large; and for
    each of these entries the scale at which it becomes the largest number.
    """
    magnitudes = np.abs(entries).astype(np.float64)
    too_far = np.unique(magnitudes[magnitudes * scale > max_value])
    best, found = np.inf, (scale, np.zeros(len(values), np.uint8))
    for trial in (scale, *float32_at_most(max_value / too_far)):
        allowed = np.flatnonzero(magnitudes * trial <= max_value)
        if len(allowed) == 0:
            continue
        codes = allowed[core.assign((values / trial).astype(np.float32), entries[allowed])]
        error = np.sum(np.square(values - entries[codes].astype(np.float64) * trial))
        if error < best:
            best, found = error, (trial, codes.astype(np.uint8))
    return found


def _books(
    weights: Weights, layout: Grouping, k: int, init: Init, seed: int
) -> tuple[Array, Array]:
    """Return a codebook per group, padded with its last entry, and the codes of all elements."""
    start = None if init in _LIMITS else init
    books, entries, codes = core.group_codebooks(
        weights.given, None if weights.kept is None else weights.kept.view(np.uint8),
        layout.inner, layout.count, k, _LIMITS.get(init, 0), _MAX_COARSENESS, init == "exact",
        start, seed, _MAX_STEPS,
    )  # fmt: skip
    return books[:, : max(entries)], codes if weights.all_kept else codes[weights.kept]


def _scales(weights: Weights, layout: Grouping, scale: Normalization) -> Array:
    members = weights.members(layout)
    if scale == "max":
        scales = np.max(np.abs(members), axis=1, initial=0)
    else:
        squares = np.sum(np.square(members, dtype=np.float64), axis=1)
        scales = np.sqrt(squares / np.maximum(weights.counts(layout), 1)).astype(np.float32)
    return np.where(scales > 0, scales, np.float32(1)).astype(np.float32)
