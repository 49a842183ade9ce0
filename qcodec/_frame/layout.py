"""Layouts of a frame: the possible kinds, positions forms and chunk sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._base.arrays import as_float32, bytes_of
from .._base.delta_base import filter_of, step_of
from .._core import core
from ..dtypes import QUANTIZABLE, element_type
from . import ids

if TYPE_CHECKING:
    from ..quantized import Quantized

Array = np.ndarray[Any, Any]

MIN_CHUNK_ELEMENTS, MAX_CHUNK_ELEMENTS = 256, 1 << 22
# The approximate size of a chunk's codes. Chunks are small enough for cheap slices and for threads
# to share the work, and large enough that tables and directory cost little. Chunks of "small" are
# larger, because contexts learn for longer.
_CHUNK_BYTES = {"fast": 1 << 17, "balanced": 1 << 17, "small": 1 << 19, "fixed": 1 << 17}
# Smaller chunks would spend more on tables of exponents than they gain by adapting. Chunks of wide
# floats are smaller, because neighbouring rows may have lowest bits that are zero.
_NARROW_EXPONENTS_CHUNK = 1 << 21
_WIDE_EXPONENTS_CHUNK = 1 << 19
_MAX_GAP_WIDTH = 16
# Where a larger share of elements has changed, differences of all elements are smaller.
MAX_CHANGED = 1 / 4
# So many codes of a sparse tensor are searched for repeats.
_SAMPLED_CODES = 1 << 20
# Positions that are looked at in one step.
_AT_ONCE = 1 << 16
_WIDEST_HUFFMAN = 8
_NOWHERE = np.empty(0, np.uint32)

# From this effort on more is tried, as in C (qcodec.h).
_HIGH_EFFORT = 7
# Layouts are compared by encoding this many chunks, by effort; higher efforts encode all chunks.
_SAMPLED_CHUNKS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 16, 8: 16}


@dataclass(frozen=True)
class Encoding:
    """The settings of an encoder.

    Attributes
    ----------
    profile : {"balanced", "fast", "small", "fixed"}
    effort : int
        1 to 9: how much the encoder tries.
    codings : int
        The codings that may occur, one bit per coding (docs/format.md, section 7).
    """

    profile: str
    effort: int
    codings: int


@dataclass(frozen=True)
class Layout:
    """One way to store a tensor: the kind, and which elements are stored.

    Attributes
    ----------
    kind, positions : str
        docs/format.md, sections 4 and 6.
    gap_width : int
        Bits per gap, for gaps and csr.
    chunk_elements : int
        Elements per chunk; 0: the tensor is one chunk.
    step : int
        For kind delta: the exponent of the step.
    filter : (int, int)
        For kind delta: width and height of the filters, inside which neighbours predict.
    """

    kind: str
    positions: str
    gap_width: int = 0
    chunk_elements: int = 0
    step: int = 0
    filter: tuple[int, int] = (1, 1)

    def filler_of(self, quantized: Quantized) -> int:
        """Return the code of fillers; -1 if there is none or this layout needs none."""
        return filler_code(quantized) if self.positions in ("gaps", "csr") else -1

    def chunks_of(self, quantized: Quantized) -> list[tuple[int, int]]:
        """Return (first element, elements) of every chunk.

        Examples
        --------
        >>> from qcodec import Affine
        >>> Layout("affine", "dense", chunk_elements=256).chunks_of(Affine(4).quantize([0.0] * 600))
        [(0, 256), (256, 256), (512, 88)]
        """
        count, chunk = quantized.size, self.chunk_elements
        if chunk == 0:
            return [(0, count)]
        return [(i, min(chunk, count - i)) for i in range(0, count, chunk)]

    def with_chunks(self, quantized: Quantized, chunk: int | None, profile: str) -> Layout:
        """Set the chunk size: whole rows if they fit, and one chunk for a small tensor."""
        count = quantized.size
        row = math.prod(quantized.shape[1:]) if quantized.shape else 1
        if chunk is not None and not MIN_CHUNK_ELEMENTS <= chunk <= MAX_CHUNK_ELEMENTS:
            allowed = f"{MIN_CHUNK_ELEMENTS:,} to {MAX_CHUNK_ELEMENTS:,}"
            raise ValueError(f"chunk={chunk}: allowed are {allowed} elements")
        if self.positions == "csr" and row > MAX_CHUNK_ELEMENTS:
            raise ValueError(
                f"csr needs rows of at most {MAX_CHUNK_ELEMENTS:,} elements, not {row:,}"
            )
        if chunk is None:
            chunk = self._default_chunk(quantized, profile)
            if count <= min(chunk + chunk // 2, MAX_CHUNK_ELEMENTS):
                return self
        if 0 < row <= chunk or self.positions == "csr":
            row = max(row, 1)
            chunk = max(chunk // row, -(-MIN_CHUNK_ELEMENTS // row)) * row
        return replace(self, chunk_elements=chunk) if chunk < count else self

    def _default_chunk(self, quantized: Quantized, profile: str) -> int:
        """Return the default number of elements per chunk."""
        if self.kind == "planes" and quantized.dtype in QUANTIZABLE:
            size = quantized.stored_type.itemsize
            return (_NARROW_EXPONENTS_CHUNK if size == 2 else _WIDE_EXPONENTS_CHUNK) // size
        bits = float(value_bits(quantized))
        if quantized.positions is not None and self.positions not in ids.FULL_POSITIONS:
            density = len(quantized.positions) / max(quantized.size, 1)
            bits = density * (bits + self.gap_width) + (self.positions in ("mask", "bit_mask"))
        if self.kind in ("planes", "delta"):  # only some streams are coded, each with its own head
            bits /= 4
        elements = _CHUNK_BYTES[profile] * 8 / max(bits, 0.25)
        return int(min(max(elements, 4096), MAX_CHUNK_ELEMENTS)) & ~255


def filler_code(quantized: Quantized) -> int:
    """Return the code that decodes to +0.0 in every group, or -1.

    Absent elements are +0.0, so only this code can represent them: as a filler in a long
    gap, or for every absent element in dense form.
    """
    if quantized.scale is not None:
        scales = quantized.float_scales()
        if not np.isfinite(scales).all() or np.signbit(scales).any():
            return -1
    if quantized.kind == "bytes":
        return 0
    if quantized.kind == "affine":
        zeros = np.unique(np.asarray(quantized.zero_point))
        return int(zeros[0]) if len(zeros) == 1 and zeros[0] < 1 << quantized.bits else -1
    assert quantized.codebook is not None
    books = as_float32(quantized.codebook.values, element_type(quantized.codebook_dtype))
    is_zero = ((books == 0) & ~np.signbit(books)).all(axis=0)
    return int(np.argmax(is_zero)) if is_zero.any() else -1


class StoredElements:
    """The elements that a layout stores, chunk by chunk.

    In full forms absent elements are stored too, but never those of all chunks at once: a sparse
    tensor can be much smaller than a code per element.

    Attributes
    ----------
    filler : int
        As `Layout.filler_of`.
    """

    def __init__(self, quantized: Quantized, layout: Layout) -> None:
        self.filler = layout.filler_of(quantized)
        self._codes = np.ascontiguousarray(quantized.codes)
        self._positions = quantized.positions
        is_full = quantized.positions is not None and layout.positions in ids.FULL_POSITIONS
        self._absent = _absent_code(quantized) if is_full else None

    def within(self, first: int, elements: int) -> tuple[Array, Array]:
        """Return positions, from `first` on, and codes; no positions if every element is stored."""
        if self._positions is None:
            return _NOWHERE, self._codes[first : first + elements]
        start, stop = np.searchsorted(self._positions, (first, first + elements))
        positions, codes = self._positions[start:stop] - first, self._codes[start:stop]
        if self._absent is None:
            return positions.astype(np.uint32), codes
        dense = np.zeros(elements, codes.dtype)
        if self._absent:
            dense.fill(self._absent)
        dense[positions] = codes
        return _NOWHERE, dense


def _absent_code(quantized: Quantized) -> int:
    """Return the code of absent elements, which has to exist."""
    return 0 if quantized.kind == "bytes" else filler_code(quantized)


def dense_codes(quantized: Quantized) -> Array:
    """Return one code per element; absent elements get the code whose value is zero."""
    if quantized.positions is None:
        return quantized.codes
    codes = np.zeros(quantized.size, quantized.codes.dtype)
    if quantized.kind != "bytes":
        codes.fill(_absent_code(quantized))
    codes[quantized.positions] = quantized.codes
    return codes


def value_bits(quantized: Quantized) -> int:
    """Return the bits of a stored element at fixed width."""
    return quantized.bits or 8 * quantized.stored_type.itemsize


def gap_widths(quantized: Quantized, best_fixed: int, encoding: Encoding) -> list[int]:
    """Return gap widths to try: the best at fixed width, and those that need fewer fillers."""
    positions = quantized.positions
    assert positions is not None
    needed = max(1, (_max_gap(positions) - 1).bit_length())
    if filler_code(quantized) < 0:  # every gap must fit without a filler
        return [needed] if needed <= _MAX_GAP_WIDTH else []
    if encoding.profile in ("fixed", "fast"):
        return [best_fixed]
    wide = min(needed, _MAX_GAP_WIDTH)
    if encoding.effort >= _HIGH_EFFORT:
        return list(range(min(best_fixed, wide), max(best_fixed, wide) + 1))
    return sorted({best_fixed, min(wide, max(best_fixed, _WIDEST_HUFFMAN)), wide})


def _max_gap(positions: Array) -> int:
    """Return the greatest distance of a position from the one before, of the first from -1."""
    maximum, before = 1, -1
    for start in range(0, len(positions), _AT_ONCE):
        block = positions[start : start + _AT_ONCE]
        maximum = max(maximum, int(np.diff(block, prepend=before).max()))
        before = block[-1]
    return maximum


def candidates(
    quantized: Quantized, positions: str, widths: list[int], profile: str
) -> list[Layout]:
    """Return every layout that can store `quantized` and that `positions` allows, simplest first.

    `widths` are the gap widths to try.
    """
    kinds: list[str] = [quantized.kind]
    is_scaled = quantized.kind == "bytes" and quantized.scale is not None
    if is_scaled:
        kinds = ["planes"]
    elif quantized.kind == "bytes" and profile != "fixed":
        kinds = _element_kinds(quantized.dtype)
        if quantized.size == 1:  # more streams than one take more
            kinds = kinds[:1]
    # Profile fixed promises that any element can be decoded alone.
    may_delta = profile != "fixed" and positions in ("dense", "auto")
    others = _deltas(quantized, profile) if may_delta else []
    can_be_dense = filler_code(quantized) >= 0 or quantized.positions is None
    may_copy = profile in ("balanced", "small") and positions in ("dense", "auto") and not is_scaled
    if may_copy and can_be_dense and _may_have_copies(quantized):
        others += [Layout(kind, "copies") for kind in kinds]
    if quantized.positions is None:
        return [Layout(kind, "dense") for kind in kinds] + others
    forms: list[tuple[str, int]] = []
    if positions == "dense" and not can_be_dense:
        raise ValueError("positions='dense' needs a code whose value is zero; there is none")
    if positions == "dense" or (positions == "auto" and can_be_dense):
        forms.append(("dense", 0))
    if positions in ("mask", "auto"):
        forms.append(("mask", 0))
    # With bit-packing both masks take the same bytes, and "mask" is faster.
    if positions == "bit_mask" or (positions == "auto" and profile in ("balanced", "small")):
        forms.append(("bit_mask", 0))
    if positions in ("gaps", "auto"):
        forms += [("gaps", width) for width in widths]
    if positions == "csr":
        forms += [("csr", width) for width in widths]
    if not forms:
        raise ValueError(
            f"positions={positions!r} cannot bridge the longest run of absent elements: "
            "no code has the value zero; use positions='mask'"
        )
    return [Layout(kind, form, width) for form, width in forms for kind in kinds] + others


def _may_have_copies(quantized: Quantized) -> bool:
    """Return whether elements share their parameters, and a sample of them shows repeats."""
    for groups in (quantized.codebook, quantized.scale):
        if groups is not None and len(groups.values) > 1:
            return False
    codes = np.ascontiguousarray(_sample_of_codes(quantized))
    is_code = quantized.kind != "bytes"
    dtype = element_type("bool" if is_code else quantized.dtype)
    return core.copies_may_pay(bytes_of(codes), codes.itemsize, dtype.id)


def _sample_of_codes(quantized: Quantized) -> Array:
    """Return the codes of all elements, or of the first ones if absent ones get a code too."""
    if quantized.positions is None or quantized.size <= _SAMPLED_CODES:
        return dense_codes(quantized)
    stored = int(np.searchsorted(quantized.positions, _SAMPLED_CODES))
    first = replace(
        quantized,
        shape=(_SAMPLED_CODES,),
        codes=quantized.codes[:stored],
        positions=quantized.positions[:stored],
        base=None,
    )
    return dense_codes(first)


def _element_kinds(dtype: str) -> list[str]:
    """Return the kinds that may suit elements: of a byte each there is one that is never worse."""
    element = element_type(dtype)
    if element.itemsize > 1:
        return ["bytes", "planes"]
    return ["planes"] if dtype == "int8" or element.is_float else ["bytes"]


def changes(quantized: Quantized) -> Quantized:
    """Return the elements that differ from the base, which there is, with their positions."""
    assert quantized.base is not None
    codes = dense_codes(quantized)
    word = f"u{codes.itemsize}"
    where = np.flatnonzero(codes.view(word) != quantized.base.elements.view(word))
    return replace(quantized, codes=codes[where], positions=where)


def changes_layouts(changed: Quantized, deltas: list[Layout], widths: list[int]) -> list[Layout]:
    """Return layouts of the changes alone, if they are few. `widths` are those of gaps to try."""
    if changed.density > MAX_CHANGED or not deltas:
        return []
    forms = [("gaps", width) for width in widths] + [("mask", 0), ("bit_mask", 0)]
    steps = dict.fromkeys(layout.step for layout in deltas)
    return [Layout("delta", form, width, step=step) for form, width in forms for step in steps]


def _deltas(quantized: Quantized, profile: str) -> list[Layout]:
    """Return layouts of differences from the base, if any: without and with prediction."""
    if quantized.base is None:
        return []
    element, whole = element_type(quantized.dtype), filter_of(quantized.shape)
    best = step_of(dense_codes(quantized), quantized.base.elements, element)
    steps = {best, max(best - 1, 0), best + 1} if profile == "small" and best else {best}
    filters = [(1, 1)] if whole == (1, 1) else [(1, 1), whole]
    return [
        Layout("delta", "dense", step=step, filter=sides)
        for sides in filters
        for step in sorted(steps, key=lambda step: (abs(step - best), step))
    ]


def sampled(chunkings: list[list[tuple[int, int]]], effort: int) -> list[list[int]]:
    """Choose the chunks on which layouts are compared, so that they cover the same elements.

    `chunkings` has the ranges of the chunks of each layout. Some chunks are taken from the layout
    with the fewest, and from each other layout the chunks that begin inside these.
    """
    longest = min(chunkings, key=len)
    maximum = _SAMPLED_CHUNKS.get(effort, len(longest))
    if len(longest) <= maximum:
        return [list(range(len(ranges))) for ranges in chunkings]
    ranges = [longest[i * (len(longest) - 1) // max(maximum - 1, 1)] for i in range(maximum)]
    return [
        [i for i, (first, _) in enumerate(chunks) if any(0 <= first - at < n for at, n in ranges)]
        for chunks in chunkings
    ]
