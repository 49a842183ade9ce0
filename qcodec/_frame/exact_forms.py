"""Exact forms of floats that were quantized before: the codes that they once were.

Such floats have few distinct bit patterns, or are multiples of a scale per row or block. Both are
proved bit by bit: a codebook holds the patterns themselves, and `core.equal_steps` multiplies as
decoders do. Weights that were not quantized are refused after some hundred elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .._base.arrays import bytes_of, cast
from .._core import core
from ..dtypes import BY_NAME, QUANTIZABLE, ElementType, element_type
from ..quantized import Groups, Quantized
from .codebook_order import keys_of
from .element_groups import AxisGroups, ElementGroups, Part, Runs

Array = np.ndarray[Any, Any]

_FLOAT32 = BY_NAME["float32"]
_MAX_CODE = 255
# Smaller groups take as much for their scale as for their codes.
_MIN_MEMBERS = 8
_BLOCKS = (128, 64, 32)
# An axis with fewer indices is the side of a filter.
_MIN_INDICES = 16
# Elements of a group that are looked at before all groups are.
_PROBED = 32


def exact_forms(quantized: Quantized) -> list[Quantized]:
    """Return other forms of a tensor that decode to the same bits, in every output type.

    Parameters
    ----------
    quantized : Quantized
        Of kind ``"bytes"``; others have no other form.

    Returns
    -------
    list of Quantized
        Of kind ``"codebook"`` or ``"affine"``, with the same positions. Usually there are none.

    Examples
    --------
    >>> steps = np.array([3, -1, 0, 2, 2, -1, 3, 0], np.float32)
    >>> q = Quantized((8,), "float32", "bytes", np.float32(0.1) * steps)
    >>> [form.kind for form in exact_forms(q)]
    ['codebook', 'affine']
    """
    if quantized.kind != "bytes" or quantized.dtype not in QUANTIZABLE or not quantized.stored:
        return []
    whole, rows = Runs(quantized, max(quantized.size, 1)), _rows(quantized)
    codebook = _codebooks(quantized, whole)
    forms = [codebook, codebook and _steps(quantized, whole)]
    if forms[1] is None:
        found = (_steps(quantized, groups) for groups in _groupings(quantized, rows))
        forms.append(next((form for form in found if form), None))
    if not any(forms) and rows is not None:
        forms.append(_codebooks(quantized, rows))
    return [form for form in forms if form]


def _rows(quantized: Quantized) -> Runs | None:
    """Return the rows as groups, if there are several, each of several elements."""
    shape, size = quantized.shape, quantized.size
    if len(shape) < 2 or shape[0] < 2 or size < _MIN_MEMBERS * shape[0]:
        return None
    return Runs(quantized, size // shape[0])


def _groupings(quantized: Quantized, rows: Runs | None) -> Iterator[ElementGroups]:
    """Yield groups whose first one may have equal steps: rows, then other axes, then blocks."""
    shape, size = quantized.shape, quantized.size
    runs = [] if rows is None else [rows]
    runs += [Runs(quantized, block) for block in _BLOCKS if size > block]
    # The first run of the shortest ones is in the first run of all others.
    if not runs or not _may_have_steps(min(runs, key=lambda run: run.inner), quantized.dtype):
        runs, rows = [], None
    if rows is not None:
        yield rows
    for axis in sorted({1, len(shape) - 1} - {-1, 0}) if quantized.positions is None else ():
        if axis < len(shape) and shape[axis] >= _MIN_INDICES:
            groups = AxisGroups(quantized, axis)
            if groups.members >= _MIN_MEMBERS and _may_have_steps(groups, quantized.dtype):
                yield groups
    yield from (run for run in runs if run is not rows)


def _may_have_steps(groups: ElementGroups, dtype: str) -> bool:
    """Look at a few elements of the first group."""
    values = _exactly(groups.sample(_PROBED), element_type(dtype), _FLOAT32)
    if values is None:
        return False
    return core.equal_steps(values[None], np.array([len(values)], np.uint16), _MAX_CODE)[2] == 1


def _distinct(part: Part, dtype: str, limit: int) -> tuple[Array, Array] | None:
    """Number the distinct values of each group; the numbers become the codes of the part.

    Returns
    -------
    (values, counts) or None
        float32 of shape (groups, limit), of which the first `counts` are used, and finite or
        infinite. None if a group has more values, or one that float32 does not hold.
    """
    element = element_type(dtype)
    items = bytes_of(part.items)
    patterns, counts, done = core.distinct(items, element.itemsize, part.ends, limit, part.codes)
    if done < len(counts):
        return None
    patterns[np.arange(limit) >= counts[:, None]] = 0
    given = patterns.astype(f"u{element.itemsize}").view(element.carrier)
    values = _exactly(given, element, _FLOAT32)
    if values is None or np.isnan(values).any():  # the format does not promise the bits of a NaN
        return None
    return values, counts


def _exactly(values: Array, source: ElementType, to: ElementType) -> Array | None:
    """Convert between float types; None if that would change a value."""
    found = cast(values, source, to)
    if source.itemsize < to.itemsize or source is to:
        return found
    same = np.array_equal(bytes_of(cast(found, to, source)), bytes_of(values))
    return found if same else None


def _narrowest(values: Array) -> tuple[Array, str]:
    """Return float32 values in the narrowest type that holds them, and its name."""
    for name in ("bfloat16", "float16"):
        narrow = _exactly(values, _FLOAT32, BY_NAME[name])
        if narrow is not None:
            return narrow, name
    return values, _FLOAT32.name


# ---- codebooks ----


def _codebooks(quantized: Quantized, groups: ElementGroups) -> Quantized | None:
    """Return the codes of a codebook per group, if groups have at most 256 values."""
    is_sparse = quantized.positions is not None
    if is_sparse and groups.count > 1:  # no code would be zero in all groups
        return None
    limit = min(core.MAX_VALUES, groups.members * 3 // 4)
    if limit == 0:
        return None
    codes, books, entries = np.empty(quantized.stored, np.uint8), [], 1
    for part in groups.parts(codes):
        found = _distinct(part, quantized.dtype, limit)
        if found is None:
            return None
        values, counts = found
        used = np.arange(limit) < counts[:, None]
        if is_sparse:
            values, used = _with_zero(values, used)
        book, numbers = _ascending(values, used)
        core.renumber(part.codes, part.ends, numbers)
        books.append(book)
        entries = max(entries, int(used.sum(axis=1).max()))
    if entries > core.MAX_VALUES:
        return None
    values, name = _narrowest(np.ascontiguousarray(np.concatenate(books)[:, :entries]))
    return Quantized(
        quantized.shape,
        quantized.dtype,
        "codebook",
        codes,
        quantized.positions,
        max(1, (entries - 1).bit_length()),
        codebook=Groups(values, groups.inner),
        codebook_dtype=name,
    )


def _with_zero(values: Array, used: Array) -> tuple[Array, Array]:
    """Add the value +0.0 to each row that lacks it: the value of elements that are not stored."""
    is_zero = (values.view(np.uint32) == 0) & used
    missing = ~is_zero.any(axis=1, keepdims=True)
    return np.append(values, np.zeros_like(values[:, :1]), axis=1), np.append(used, missing, axis=1)


def _ascending(values: Array, used: Array) -> tuple[Array, Array]:
    """Sort each row; values that are not used come last and repeat the greatest.

    Returns the rows, and for each value its place in the row (uint8; meaningless if not used).
    """
    order = np.argsort(np.where(used, keys_of(values), np.uint32(0xFFFFFFFF)), axis=1, kind="stable")
    places = np.argsort(order, axis=1, kind="stable")
    last = used.sum(axis=1, keepdims=True) - 1
    order = np.take_along_axis(order, np.minimum(np.arange(values.shape[1]), last), axis=1)
    return np.take_along_axis(values, order, axis=1), places.astype(np.uint8)


# ---- equal steps ----


def _steps(
    quantized: Quantized, groups: ElementGroups, signed_zeros: bool = False
) -> Quantized | None:
    """Return the codes of a scale per group, if the values of groups are multiples of one.

    With `signed_zeros`, -0.0 is a level of its own, below 0 and above -1.
    """
    limit = min(core.MAX_VALUES, groups.members)
    codes = np.empty(quantized.stored, np.uint8)
    found_scales, found_ends = [], []
    for part in groups.parts(codes):
        found = _distinct(part, quantized.dtype, limit)
        if found is None:
            return None
        scales, levels, done = core.equal_steps(*found, _MAX_CODE)
        if done < len(scales):
            return None
        is_negative_zero = levels == core.NEGATIVE_ZERO
        if is_negative_zero.any() and not signed_zeros:
            return _steps(quantized, groups, signed_zeros=True)
        if signed_zeros:
            levels = np.where(is_negative_zero, -1, levels - (levels < 0))
        ends = np.stack([levels.min(axis=1, initial=0), levels.max(axis=1, initial=0)])
        if (ends[1] - ends[0]).max() > _MAX_CODE:
            return None
        core.renumber(part.codes, part.ends, (levels - ends[0][:, None]).astype(np.uint8))
        found_scales.append(scales)
        found_ends.append(ends)
    low, high = np.concatenate(found_ends, axis=1)
    zero: int | Array = -int(low.min())
    top = int(high.max() - low.min())
    if top <= _MAX_CODE:
        groups.add(codes, (low - low.min()).astype(np.uint8))
    elif signed_zeros or quantized.positions is not None:
        return None
    else:
        zero, top = (-low).astype(np.uint16), int((high - low).max())
    values, name = _narrowest(_filled(np.concatenate(found_scales)))
    form = Quantized(
        quantized.shape,
        quantized.dtype,
        "affine",
        codes,
        quantized.positions,
        max(1, top.bit_length()),
        scale=Groups(values, groups.inner),
        scale_dtype=name,
        zero_point=zero,
    )
    return _as_codebook(form, top) if signed_zeros else form


def _filled(scales: Array) -> Array:
    """Give groups of zeros, whose scale is 0 so far, the scale of the group before them."""
    known = np.maximum.accumulate(np.where(scales > 0, np.arange(len(scales)), 0))
    filled = scales[known]
    return np.where(filled > 0, filled, np.float32(1))


def _as_codebook(form: Quantized, top: int) -> Quantized:
    """Return equal steps as a codebook of integers, the one before 0 being -0.0."""
    numbers = np.arange(top + 1) - form.zero_point
    entries = np.where(numbers == -1, -0.0, numbers + (numbers < 0)).astype(np.float32)
    values, name = _narrowest(entries[None, :])
    return replace(
        form, kind="codebook", codebook=Groups(values), codebook_dtype=name, zero_point=0
    )
