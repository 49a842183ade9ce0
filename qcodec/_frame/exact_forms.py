"""Exact forms of floats that were quantized before: the codes that they once were.

Such floats have few distinct bit patterns, or are multiples of a scale per tensor, row or block,
or floats of 16 bits times a scale. All are proved bit by bit: a codebook holds the patterns
themselves, and `core.step_codes` and `core.halves` multiply and round as decoders do. Weights that
were not quantized are refused after some hundred elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._base.arrays import bytes_of, cast
from .._core import core
from ..dtypes import BY_NAME, QUANTIZABLE, ElementType, element_type
from ..quantized import Groups, Quantized
from .codebook_order import keys_of
from .element_groups import AxisGroups, ElementGroups, Piece, Runs
from .exact_probe import BLOCKS, MIN_HALVES, axes_of, max_values, probe_of, row_of, widest_level

Array = np.ndarray[Any, Any]

_FLOAT32 = BY_NAME["float32"]
_MAX_CODE = 255
# The types of halves, the narrower one first.
_HALVES = ("bfloat16", "float16")


def exact_forms(quantized: Quantized) -> list[Quantized]:
    """Return other forms of a tensor that decode to the same bits, in every output type.

    Parameters
    ----------
    quantized : Quantized
        Of kind ``"bytes"``; others have no other form.

    Returns
    -------
    list of Quantized
        Of kind ``"codebook"`` or ``"affine"``, or ``"bytes"`` with scales, with the same positions.
        Usually there are none.

    Examples
    --------
    >>> steps = np.array([3, -1, 0, 2, 1, -1, 3, 0], np.float32)
    >>> q = Quantized((8,), "float32", "bytes", np.float32(0.1) * steps)
    >>> [form.kind for form in exact_forms(q)]
    ['affine']
    """
    if quantized.kind != "bytes" or quantized.scale is not None or not quantized.stored:
        return []
    # The scale of a single element takes more than the element.
    if quantized.dtype not in QUANTIZABLE or quantized.size == 1:
        return []
    if quantized.positions is None and not _may_have_form(quantized):
        return []
    whole, rows = Runs(quantized, max(quantized.size, 1)), _rows(quantized)
    axes = _axes(quantized)
    codebook = _codebooks(quantized, whole)
    forms = [] if codebook is None else [codebook]
    for groups, max_level in _groupings(quantized, whole, rows, axes):
        found = _steps(quantized, groups, _MAX_CODE if forms else max_level)
        if found is None:
            continue
        if codebook is not None and groups is whole and found.bits == codebook.bits:
            return [found]  # the same codes, or nearly so, and a scale takes less than entries
        forms.append(found)
        if found.bits <= 8:  # wider codes may become narrow with a scale per row
            break
    if rows is not None and (not forms or forms == [codebook]):
        found = _codebooks(quantized, rows)
        if found is not None and (codebook is None or found.bits < codebook.bits):
            forms.append(found)
    if not any(map(_is_short, forms)):
        halves = _scaled_halves(quantized, whole, rows, axes)
        forms += [] if halves is None else [halves]
    return forms


def _may_have_form(quantized: Quantized) -> bool:
    """Look at the first elements of all groups, in one call."""
    return probe_of(quantized.shape, quantized.dtype).finds(bytes_of(quantized.codes))


def _is_short(form: Quantized) -> bool:
    """Whether codes and parameters take less than a byte per element, as no halves do."""
    groups = [groups for groups in (form.codebook, form.scale) if groups is not None]
    parameters = sum(group.values.nbytes for group in groups)
    return parameters + form.stored * form.bits / 8 < form.stored


def _rows(quantized: Quantized) -> Runs | None:
    """Return the rows as groups, if there are several, each of several elements."""
    row = row_of(quantized.shape, quantized.size)
    return Runs(quantized, row) if row else None


def _axes(quantized: Quantized) -> list[AxisGroups]:
    """Return the groups of the axes that may have scales, besides the first."""
    axes = axes_of(quantized.shape, quantized.size)
    return [AxisGroups(quantized, axis) for axis in axes]


def _groupings(
    quantized: Quantized, whole: Runs, rows: Runs | None, axes: list[AxisGroups]
) -> Iterator[tuple[ElementGroups, int]]:
    """Yield groups that may have equal steps, coarse ones first, and the maximum level for each."""
    element = element_type(quantized.dtype)
    wide = widest_level(element)
    runs = [whole] if rows is None else [whole, rows]
    blocks = [Runs(quantized, block) for block in BLOCKS if quantized.size > block]
    # The first run of the shortest ones is part of the first run of all others.
    shortest = min(runs[-1:] + blocks[-1:], key=lambda run: run.inner)
    may_be_runs = _may_have_steps(shortest, element, wide)
    if may_be_runs:
        yield from ((run, wide) for run in runs)
    yield from ((groups, wide) for groups in axes if _may_have_steps(groups, element, wide))
    if may_be_runs:
        yield from ((block, _MAX_CODE) for block in blocks)


def _may_have_steps(groups: ElementGroups, element: ElementType, max_level: int) -> bool:
    """Look at some elements of the first group."""
    values = _as_float32(groups.sample(core.PROBED_ITEMS), element)
    return values is not None and core.may_have_steps(values, _product_type(element), max_level)


def _product_type(element: ElementType) -> int:
    """Return the id of the type to which decoders round the products before anything else."""
    return element.id if element.itemsize == 2 else _FLOAT32.id


def _as_float32(values: Array, element: ElementType) -> Array | None:
    """Return floats as float32; None if it does not hold all of them."""
    if element is _FLOAT32:
        return values if values.flags.aligned else values.copy()
    found = cast(values, element, _FLOAT32)
    is_exact = element.itemsize < 4 or _same_bits(cast(found, _FLOAT32, element), values)
    return found if is_exact else None


def _narrowest(values: Array) -> tuple[Array, str]:
    """Return float32 values in the narrowest type that holds them, and its name."""
    for name in ("bfloat16", "float16"):
        narrow = cast(values, _FLOAT32, BY_NAME[name])
        if _same_bits(cast(narrow, BY_NAME[name], _FLOAT32), values):
            return narrow, name
    return values, _FLOAT32.name


def _same_bits(one: Array, other: Array) -> bool:
    return bool(np.array_equal(bytes_of(one), bytes_of(other)))


# ---- codebooks ----


def _codebooks(quantized: Quantized, groups: ElementGroups) -> Quantized | None:
    """Return the codes of a codebook per group, if groups have at most 256 values."""
    element, is_sparse = element_type(quantized.dtype), quantized.positions is not None
    limit = max_values(groups.members)
    if limit == 0:
        return None
    codes, books, sizes = np.zeros(quantized.stored, np.uint8), [], []
    for piece in groups.pieces(codes):
        found = _distinct(piece, element, limit)
        if found is None:
            return None
        values, used = _with_zero(*found) if is_sparse else found
        book, numbers = _ascending(values, used)
        core.renumber(piece.codes, piece.ends, numbers)
        books.append(book)
        sizes.append(used.sum(axis=1))
    values, places = _aligned(np.concatenate(books), np.concatenate(sizes), is_sparse)
    if values.shape[1] > core.MAX_VALUES:
        return None
    for piece in groups.pieces(codes) if places.any() else ():
        core.renumber(piece.codes, piece.ends, _shifts(limit + 1, places[piece.groups]))
    entries, name = _narrowest(values)
    return Quantized(
        quantized.shape,
        quantized.dtype,
        "codebook",
        codes,
        quantized.positions,
        max(1, (values.shape[1] - 1).bit_length()),
        codebook=Groups(entries, groups.inner),
        codebook_dtype=name,
    )


def _aligned(books: Array, sizes: Array, is_sparse: bool) -> tuple[Array, Array]:
    """Give all books the same number of entries: some repeat their first or their last one.

    If absent elements are zeros, 0 has the same place in all books. Returns the books, and the
    place of the first entry of each.
    """
    negative = (np.signbit(books) & (np.arange(books.shape[1]) < sizes[:, None])).sum(axis=1)
    places = negative.max() - negative if is_sparse else np.zeros_like(sizes)
    columns = np.arange((places + sizes).max()) - places[:, None]
    chosen = np.clip(columns, 0, sizes[:, None] - 1)
    return np.take_along_axis(books, chosen, axis=1), places


def _shifts(codes: int, places: Array) -> Array:
    """Return for each group the table that adds its place to codes below `codes`."""
    table: Array = (np.arange(codes) + places[:, None]).astype(np.uint8)
    return table


def _distinct(piece: Piece, element: ElementType, limit: int) -> tuple[Array, Array] | None:
    """Number the distinct values of each group; the numbers become the codes of the piece.

    Returns
    -------
    (values, used) or None
        float32 and bool of shape (groups, limit). None if a group has more values, or one that a
        codebook does not keep.
    """
    patterns, counts, done = core.distinct(
        bytes_of(piece.items), element.itemsize, piece.ends, limit, piece.codes
    )
    if done < len(counts):
        return None
    used = np.arange(limit) < counts[:, None]
    patterns[~used] = 0
    values = _as_float32(patterns.astype(f"u{element.itemsize}").view(element.carrier), element)
    if values is None or np.isnan(values).any():  # the format does not promise the bits of a NaN
        return None
    return values, used


def _with_zero(values: Array, used: Array) -> tuple[Array, Array]:
    """Add the value +0.0 to each row that lacks it: the value of elements that are not stored."""
    is_zero = (values.view(np.uint32) == 0) & used
    missing = ~is_zero.any(axis=1, keepdims=True)
    return np.append(values, np.zeros_like(values[:, :1]), axis=1), np.append(used, missing, axis=1)


def _ascending(values: Array, used: Array) -> tuple[Array, Array]:
    """Sort each row; values that are not used come last.

    Returns the rows, and for each value its place in the row (uint8; meaningless if not used).
    """
    order = np.argsort(
        np.where(used, keys_of(values), np.uint32(0xFFFFFFFF)), axis=1, kind="stable"
    )
    places = np.argsort(order, axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1), places.astype(np.uint8)


# ---- equal steps ----


@dataclass(frozen=True, eq=False)
class _Levels:
    """The integers of all groups: codes are levels plus `zeros`, one per group."""

    scales: Array
    zeros: Array
    maximum: int  # of the codes
    negative_zeros: bool


def _steps(quantized: Quantized, groups: ElementGroups, max_level: int) -> Quantized | None:
    """Return the codes of a scale per group, if the values of each are multiples of one."""
    element = element_type(quantized.dtype)
    if not _may_have_steps(groups, element, max_level):
        return None
    found = _find_levels(quantized, groups, max_level)
    if found is None:
        return None
    codes = np.zeros(groups.elements, np.uint8 if found.maximum <= _MAX_CODE else np.uint16)
    for piece in groups.pieces(codes):
        values = _as_float32(piece.items, element)
        scales, zeros = found.scales[piece.groups], found.zeros[piece.groups]
        if values is None or not core.step_codes(
            values,
            piece.ends,
            _product_type(element),
            scales,
            zeros,
            found.negative_zeros,
            bytes_of(piece.codes),
        ):  # another thread has changed the elements
            return None
    scales, name = _narrowest(found.scales)
    form = Quantized(
        quantized.shape,
        quantized.dtype,
        "affine",
        codes,
        quantized.positions,
        max(1, found.maximum.bit_length()),
        scale=Groups(scales, groups.inner),
        scale_dtype=name,
        zero_point=_zero_point(found.zeros),
    )
    return _as_codebook(form, found.maximum) if found.negative_zeros else form


def _find_levels(quantized: Quantized, groups: ElementGroups, max_level: int) -> _Levels | None:
    """Find the scales, and the numbers that make codes of the levels."""
    element = element_type(quantized.dtype)
    scales, levels = np.empty(groups.count, np.float32), np.empty((groups.count, 3), np.int32)
    for piece in groups.pieces(np.empty(0, np.uint8)):
        values = _as_float32(piece.items, element)
        if values is None:
            return None
        scales[piece.groups], levels[piece.groups], done = core.equal_steps(
            values, piece.ends, _product_type(element), max_level
        )
        if done < len(piece.ends):
            return None
    low, high, negative_zeros = levels.T
    is_signed = bool(negative_zeros.any())
    if is_signed:  # -0.0 is a level of its own, below 0
        low = np.where(low < 0, low - 1, -negative_zeros)
    common, own = int(high.max() - low.min()), int((high - low).max())
    # Zero points per group shift the codes of a group; then no code is zero in all groups.
    by_group = (own <= _MAX_CODE < common or common > core.MAX_LEVEL) and not is_signed
    by_group = by_group and quantized.positions is None
    maximum = own if by_group else common
    if maximum > (_MAX_CODE if is_signed else core.MAX_LEVEL):
        return None
    zeros = -low if by_group else np.full_like(low, -low.min())
    return _Levels(_filled(scales), np.ascontiguousarray(zeros), maximum, is_signed)


def _filled(scales: Array) -> Array:
    """Give groups of zeros, whose scale is 0 so far, the scale of the group before them."""
    known = np.maximum.accumulate(np.where(scales > 0, np.arange(len(scales)), 0))
    filled = scales[known]
    return np.where(filled > 0, filled, np.float32(1))


def _zero_point(zeros: Array) -> int | Array:
    """Return one zero point if all groups have the same, else one per group."""
    return int(zeros[0]) if (zeros == zeros[0]).all() else zeros.astype(np.uint16)


def _as_codebook(form: Quantized, maximum: int) -> Quantized:
    """Return equal steps as a codebook of integers, of which the one below 0 is -0.0."""
    numbers = np.arange(maximum + 1) - form.zero_point
    entries = np.where(numbers == -1, -0.0, numbers + (numbers < 0)).astype(np.float32)
    values, name = _narrowest(entries[None])
    return replace(
        form, kind="codebook", codebook=Groups(values), codebook_dtype=name, zero_point=0
    )


# ---- halves and scales ----


def _scaled_halves(
    quantized: Quantized, whole: Runs, rows: Runs | None, axes: list[AxisGroups]
) -> Quantized | None:
    """Return float32 as elements of 16 bits, each times the scale of its group, if it is that."""
    if quantized.dtype != _FLOAT32.name or quantized.size < MIN_HALVES:
        return None
    for groups in _groupings_of_halves(whole, rows, axes):
        for name in _HALVES:
            found = _halves(quantized, groups, BY_NAME[name])
            if found is not None:
                return found
    return None


def _groupings_of_halves(
    whole: Runs, rows: Runs | None, axes: list[AxisGroups]
) -> Iterator[ElementGroups]:
    """Yield groups whose first elements are halves times a scale, coarse ones first."""
    runs = [whole] if rows is None else [whole, rows]
    # The first row is part of the first run of both.
    if _may_be_halves(runs[-1]):
        yield from runs
    yield from filter(_may_be_halves, axes)


def _may_be_halves(groups: ElementGroups) -> bool:
    """Look at some elements of the first group: float16 has all bits of bfloat16."""
    values = _as_float32(groups.sample(core.PROBED_ITEMS), _FLOAT32)
    assert values is not None
    return core.may_be_scaled_halves(values, BY_NAME["float16"].id)


def _halves(quantized: Quantized, groups: ElementGroups, element: ElementType) -> Quantized | None:
    scales = np.empty(groups.count, np.float32)
    for piece in groups.pieces(np.empty(0, np.uint8)):
        values = _as_float32(piece.items, _FLOAT32)
        assert values is not None
        scales[piece.groups], done = core.scaled_halves(values, piece.ends, element.id)
        if done < len(piece.ends):
            return None
    scales = _filled(scales)
    codes = np.zeros(groups.elements, np.uint16)
    for piece in groups.pieces(codes):
        values = _as_float32(piece.items, _FLOAT32)
        assert values is not None
        if not core.halves(values, piece.ends, scales[piece.groups], element.id, piece.codes):
            return None  # another thread has changed the elements
    narrow, name = _narrowest(scales)
    return Quantized(
        quantized.shape,
        quantized.dtype,
        "bytes",
        codes.view(element.carrier),
        quantized.positions,
        scale=Groups(narrow, groups.inner),
        scale_dtype=name,
        codes_dtype=element.name,
    )
