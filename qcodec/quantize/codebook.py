"""Weight sharing: a codebook of a few values, chosen by k-means."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .._base.checks import check_choice, check_integer, check_number
from .._core import core
from .._core.float_mode import standard_float_mode
from ..quantized import Groups, Quantized
from .entropy_constrained import entropy_constrained
from .entropy_descent import means, price_of
from .groups import Grouping, grouping
from .position_costs import store
from .sorting import ascending, by_group
from .thresholds import float32_at_most
from .weights import Array, Weights, quantizable

Init = Literal["auto", "exact", "fast", "linear", "density", "forgy", "k-means++"]
Normalization = Literal["max", "rms"]

MAX_CODEBOOK_BITS = 8
INITS = ("auto", "exact", "fast", *core.KMEANS_INITS)
NORMALIZATIONS = ("max", "rms")

# Up to here sorting costs little, and the exact optimum not much more.
_MAX_EXACT = 1 << 16
# The part of the error within the bins of the fast method up to which it is near the optimum.
_MAX_COARSENESS = 0.001
# Lloyd's steps cost microseconds each on sorted values, and the last ones change little.
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
    """Quantize to at most ``2**bits`` shared values: the nearest, or the cheapest.

    Parameters
    ----------
    array : array_like
        float32, float16, bfloat16 or float64, of any shape.
    bits : int
        1 to 8.
    init : {"auto", "exact", "fast", "linear", "density", "forgy", "k-means++"}
        ``"exact"`` finds the least squared error there is. ``"fast"`` is at most
        0.05 % above it (0.01 % on common distributions), in a millisecond a
        million weights: the exact method on the bins of a histogram, or on the
        weights where bins are too coarse. ``"auto"``: exact up to 65,536
        weights in a group, fast beyond. The others are starts for Lloyd's steps.
    scale : {"max", "rms"}, optional
        Divide each group by its largest magnitude or its root mean square, store
        that as a scale, and share one codebook. The default: no scale, and each
        group has a codebook of its own.
    per, group : int, optional
        A group is an index of this axis, or a block of this many elements; the
        default is the tensor.
    seed : int
        For ``"forgy"`` and ``"k-means++"``.
    rate : float
        What a bit a weight is worth, as a part of the variance of the stored
        weights. 0: nothing, each weight takes the nearest value. More: entropy-
        constrained quantization, which minimises squared error + rate * variance
        * bits, where a value taken by a share p of the weights costs -log2(p)
        bits, as entropy coding will make of it. At 0.04 the error is about 0.03
        of the variance and at 0.001 about 0.0007, if `bits` are not too few;
        spare one or two more than k-means would get. k-means is the start. One
        codebook only: no `per` or `group` without a `scale`. With a mask, elements
        that are not worth the bits of their code and position are not stored.
    mask : array_like of bool, optional
        The shape of `array`: the elements to store. Entry 0 of the codebook is
        then 0.0, as in Deep Compression, and the others are chosen for what
        is stored.

    Returns
    -------
    Quantized
        Of kind ``"codebook"``. Entries are ascending (with a mask: from entry 1
        on) and no more than there are distinct values.

    Raises
    ------
    TypeError
        If the element type is none of the four.
    ValueError
        If a value is NaN or infinite, or an argument is out of range.

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
    # Without a scale, k-means sees the values as they are and refuses what is not finite.
    weights = quantizable(array, mask, check=scale is not None)
    layout = grouping(weights.shape, per, group)
    k = (1 << bits) - (weights.positions is not None)
    if scale is None and layout.count > 1:
        with weights.explaining():
            books, codes = _books(weights, layout, k, init, seed)
        return _quantized(weights, codes, Groups(books, layout.inner), None)
    stored, scales = weights.stored, None
    if scale is not None:
        by_group = _scales(weights, layout, scale)
        stored = stored / layout.spread(by_group, weights.positions, len(weights.values))
    inner = 1 if scale is not None else layout.inner
    with weights.explaining():
        centroids = _centroids(stored, k, init, seed)
        if rate > 0 and len(stored) > 0:
            weights, centroids, codes = _by_rate(weights, stored, centroids, rate)
        else:
            codes = core.assign(stored, centroids)
    if scale is not None:
        centroids, by_group, codes = _within_reach(weights, layout, centroids, by_group, codes)
        scales = Groups(by_group, layout.inner)
    return _quantized(weights, codes, Groups(centroids[None], inner), scales)


def check_seed(seed: int) -> None:
    """Raise TypeError or ValueError unless it is a seed."""
    check_integer("seed", seed, 0, (1 << 64) - 1)


def check_rate(rate: float, scale: str | None, per: int | None, group: int | None) -> None:
    """Raise TypeError or ValueError unless a rate is possible, and so for these groups."""
    check_number("rate", rate, 0)
    if rate > 0 and scale is None and (per is not None or group is not None):
        raise ValueError("a rate with per or group needs a scale: it is for one codebook")


def _by_rate(
    weights: Weights, stored: Array, start: Array, rate: float
) -> tuple[Weights, Array, Array]:
    """What is worth storing, one codebook for it, and its codes."""
    elements = None if weights.positions is None else len(weights.values)
    price = price_of(stored, rate)
    found = entropy_constrained(stored, start, price, elements)
    weights, values, codes = store(weights, stored, found, price, means)
    return weights, values + np.float32(0), codes


def _quantized(weights: Weights, codes: Array, books: Groups, scale: Groups | None) -> Quantized:
    if weights.positions is not None:
        zero = np.zeros((len(books.values), 1), np.float32)
        # Without a stored element the zero is all that the codebook needs.
        entries = books.values if len(codes) else books.values[:, :0]
        books, codes = Groups(np.hstack([zero, entries]), books.inner), codes + np.uint8(1)
    entries_last = books.values.shape[1] - 1
    return Quantized(
        weights.shape,
        weights.dtype,
        "codebook",
        codes,
        weights.positions,
        max(1, entries_last.bit_length()),
        codebook=books,
        scale=scale,
    )


def _centroids(values: Array, k: int, init: Init, seed: int) -> Array:
    """At most k distinct centroids, ascending; 0 alone if there are no values."""
    if len(values) == 0:
        return np.zeros(1, np.float32)
    if init == "auto":
        init = "exact" if len(values) <= _MAX_EXACT else "fast"
    if init == "fast":
        centroids, coarseness = core.kmeans_fast(values, k)
        init = "fast" if coarseness <= _MAX_COARSENESS else "exact"
    if init == "exact":
        centroids, _ = core.kmeans_exact(ascending(values), k)
    elif init != "fast":
        centroids, _ = core.kmeans_lloyd(ascending(values), k, init, seed, _MAX_STEPS)
    # Adding 0 makes -0.0 the +0.0 that quantizers promise.
    return np.unique(centroids + np.float32(0))


def _within_reach(
    weights: Weights, layout: Grouping, entries: Array, scales: Array, codes: Array
) -> tuple[Array, Array, Array]:
    """Entries, scales and codes of which no product leaves the range of the element type.

    An entry is shared, so it may be above all values of a group; times the scale of a group
    at the end of the range it would be infinite. An entry that is a little too far is lowered;
    otherwise the group gets another scale, or lower entries.
    """
    greatest, magnitudes = weights.greatest, np.abs(entries).astype(np.float64)
    if float(np.max(scales)) * float(np.max(magnitudes, initial=0)) <= greatest:
        return entries, scales, codes
    stored, groups = weights.stored, layout.of(_places(weights))
    used = np.full(len(entries), _TINY)  # the largest scale that each entry is multiplied with
    np.maximum.at(used, codes, scales[groups])
    if np.all(used * magnitudes <= greatest):
        return entries, scales, codes
    entries = _lowered(entries, greatest / used)
    codes = core.assign((stored / scales[groups]).astype(np.float32), entries)
    too_far = np.abs(entries).astype(np.float64)[codes] * scales[groups] > greatest
    scales, by_group = scales.copy(), np.argsort(groups, kind="stable")
    for group in np.unique(groups[too_far]):
        ends = np.searchsorted(groups, (group, group + 1), sorter=by_group)
        members = by_group[slice(*ends)]
        scales[group], codes[members] = _reaching(stored[members], entries, scales[group], greatest)
    return entries, scales, codes


def _lowered(entries: Array, reach: Array) -> Array:
    """The entries, those beyond their reach moved to it if they stay beyond the middle of a gap."""
    ends = float32_at_most(reach)
    lowered = np.clip(entries, -ends, ends)
    middles = (entries[1:] + entries[:-1]) / 2
    below, above = np.append(-np.inf, middles), np.append(middles, np.inf)
    return np.where((lowered > below) & (lowered < above), lowered, entries)


def _reaching(values: Array, entries: Array, scale: Any, greatest: float) -> tuple[Any, Array]:
    """The scale and codes of least squared error for a group, all products being finite.

    Tried are the scale as it is, without the entries that it takes too far, and the scales
    that take one of these to the greatest number.
    """
    magnitudes = np.abs(entries).astype(np.float64)
    too_far = np.unique(magnitudes[magnitudes * scale > greatest])
    best, found = np.inf, (scale, np.zeros(len(values), np.uint8))
    for trial in (scale, *float32_at_most(greatest / too_far)):
        allowed = np.flatnonzero(magnitudes * trial <= greatest)
        if len(allowed) == 0:
            continue
        codes = allowed[core.assign((values / trial).astype(np.float32), entries[allowed])]
        error = np.sum(np.square(values - entries[codes].astype(np.float64) * trial))
        if error < best:
            best, found = error, (trial, codes.astype(np.uint8))
    return found


def _places(weights: Weights) -> Array:
    """The flat indices of the stored elements."""
    return np.arange(len(weights.values)) if weights.positions is None else weights.positions


def _books(
    weights: Weights, layout: Grouping, k: int, init: Init, seed: int
) -> tuple[Array, Array]:
    """A codebook for each group (those with fewer entries repeat the last), and all codes."""
    stored = weights.stored
    codes = np.empty(len(stored), np.uint8)
    books = []
    for members in by_group(layout, weights.positions, len(stored)):
        books.append(_centroids(stored[members], k, init, seed))
        codes[members] = core.assign(stored[members], books[-1])
    entries = max(len(book) for book in books)
    return np.stack([np.pad(book, (0, entries - len(book)), "edge") for book in books]), codes


def _scales(weights: Weights, layout: Grouping, scale: Normalization) -> Array:
    members = weights.members(layout)
    if scale == "max":
        scales = np.max(np.abs(members), axis=1, initial=0)
    else:
        squares = np.sum(np.square(members, dtype=np.float64), axis=1)
        scales = np.sqrt(squares / np.maximum(weights.counts(layout), 1)).astype(np.float32)
    return np.where(scales > 0, scales, np.float32(1)).astype(np.float32)
