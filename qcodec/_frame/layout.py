"""How a frame can be laid out: the positions forms and kinds to choose from, and chunk sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._base.arrays import as_float32
from .._base.delta_base import kernel_of, step_of
from ..dtypes import QUANTIZABLE, element_type

if TYPE_CHECKING:
    from ..quantized import Quantized

MAX_CHUNK_ELEMENTS = 1 << 22
# About this much is coded in one chunk: small enough for a slice to be cheap and for threads to
# have work, large enough that tables and directory do not show. "small" learns for longer.
_CHUNK_BYTES = {"fast": 1 << 17, "balanced": 1 << 17, "small": 1 << 19, "fixed": 1 << 17}
# Tables of exponents weigh more than what they could adapt to; but in wide floats there are rows
# whose lowest bits are zero, and they stand together.
_NARROW_FIELDS_CHUNK = 1 << 21
_WIDE_FIELDS_CHUNK = 1 << 19
_MAX_GAP_WIDTH = 16
_WIDEST_HUFFMAN = 8

# From these on more is tried, as in C (qcodec.h).
_HIGH_EFFORT = 7
# A layout is chosen by encoding: all of a small tensor, so many chunks of a large one.
_SAMPLED_CHUNKS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 16, 8: 16}


@dataclass(frozen=True)
class Encoding:
    """What an encoder is to look for.

    Attributes
    ----------
    profile : {"balanced", "fast", "small", "fixed"}
    effort : int
        1 to 9: how much it tries.
    codings : int
        Those that may occur: a set of bits, docs/format.md, section 7.
    """

    profile: str
    effort: int
    codings: int


@dataclass(frozen=True)
class Layout:
    """One way to store a tensor: what its elements are, and which of them are stored."""

    kind: str
    positions: str
    gap_width: int = 0
    chunk_elements: int = 0
    step: int = 0
    kernel: tuple[int, int] = (1, 1)


def filler_code(quantized: Quantized) -> int:
    """The code that decodes to +0.0 in every group, or -1.

    Absent elements are +0.0, so only this code can stand for them: as a filler
    between far entries, or everywhere in a dense layout.
    """
    if quantized.kind == "raw":
        return 0
    if quantized.scale is not None:
        scales = as_float32(quantized.scale.values, element_type(quantized.scale_dtype))
        if not np.isfinite(scales).all() or np.signbit(scales).any():
            return -1
    if quantized.kind == "affine":
        zeros = np.unique(np.asarray(quantized.zero_point))
        return int(zeros[0]) if len(zeros) == 1 and zeros[0] < 1 << quantized.bits else -1
    assert quantized.codebook is not None
    books = as_float32(quantized.codebook.values, element_type(quantized.codebook_dtype))
    is_zero = ((books == 0) & ~np.signbit(books)).all(axis=0)
    return int(np.argmax(is_zero)) if is_zero.any() else -1


def value_bits(quantized: Quantized) -> int:
    """Bits of a stored element at fixed width."""
    return quantized.bits or 8 * element_type(quantized.dtype).itemsize


def gap_widths(quantized: Quantized, best_fixed: int, encoding: Encoding) -> list[int]:
    """Gap widths worth trying: the best at fixed width, and those that need fewer fillers."""
    positions = quantized.positions
    assert positions is not None
    gaps = np.diff(positions, prepend=-1)
    needed = max(1, int(gaps.max(initial=1) - 1).bit_length())
    if filler_code(quantized) < 0:  # no run may need a filler
        return [needed] if needed <= _MAX_GAP_WIDTH else []
    if encoding.profile in ("fixed", "fast"):
        return [best_fixed]
    wide = min(needed, _MAX_GAP_WIDTH)
    if encoding.effort >= _HIGH_EFFORT:
        return list(range(min(best_fixed, wide), max(best_fixed, wide) + 1))
    return sorted({best_fixed, min(wide, max(best_fixed, _WIDEST_HUFFMAN)), wide})


def candidates(
    quantized: Quantized, positions: str, widths: list[int], profile: str
) -> list[Layout]:
    """Every layout that can hold `quantized` and that `positions` allows, simplest first.

    `widths` are the gap widths to try.
    """
    kinds: list[str] = [quantized.kind]
    if quantized.kind == "raw" and profile != "fixed":
        kinds.append("planes")
        if quantized.dtype in QUANTIZABLE:
            kinds.append("fields")
    # Profile fixed promises to find any element alone.
    may_delta = profile != "fixed" and positions in ("dense", "auto")
    deltas = _deltas(quantized, profile) if may_delta else []
    if quantized.positions is None:
        return [Layout(kind, "dense") for kind in kinds] + deltas
    forms: list[tuple[str, int]] = []
    can_be_dense = filler_code(quantized) >= 0
    if positions == "dense" and not can_be_dense:
        raise ValueError("positions='dense' needs a code whose value is zero; there is none")
    if positions == "dense" or (positions == "auto" and can_be_dense):
        forms.append(("dense", 0))
    if positions in ("mask", "auto"):
        forms.append(("mask", 0))
    # Packed they are the same, and a mask is faster.
    if positions == "bits" or (positions == "auto" and profile in ("balanced", "small")):
        forms.append(("bits", 0))
    if positions in ("gaps", "auto"):
        forms += [("gaps", width) for width in widths]
    if positions == "csr":
        forms += [("csr", width) for width in widths]
    if not forms:
        raise ValueError(
            f"positions={positions!r} cannot bridge the longest run of absent elements: "
            "no code has the value zero; use positions='mask'"
        )
    return [Layout(kind, form, width) for form, width in forms for kind in kinds] + deltas


def _deltas(quantized: Quantized, profile: str) -> list[Layout]:
    """Differences from the base, if there is one: plain, and as neighbours predict them."""
    if quantized.base is None:
        return []
    element, kernel = element_type(quantized.dtype), kernel_of(quantized.shape)
    best = step_of(dense_codes(quantized), quantized.base.elements, element)
    steps = {best, max(best - 1, 0), best + 1} if profile == "small" and best else {best}
    kernels = [(1, 1)] if kernel == (1, 1) else [(1, 1), kernel]
    return [
        Layout("delta", "dense", step=step, kernel=kernel)
        for kernel in kernels
        for step in sorted(steps, key=lambda step: (abs(step - best), step))
    ]


def with_chunks(layout: Layout, quantized: Quantized, chunk: int | None, profile: str) -> Layout:
    """The layout with a chunk size: whole rows where they fit, one chunk if that is about all."""
    count = quantized.size
    row = math.prod(quantized.shape[1:]) if quantized.shape else 1
    if chunk is not None and not 1 <= chunk <= MAX_CHUNK_ELEMENTS:
        raise ValueError(f"chunk={chunk}: allowed are 1 to {MAX_CHUNK_ELEMENTS:,} elements")
    if layout.positions == "csr" and row > MAX_CHUNK_ELEMENTS:
        raise ValueError(f"csr needs rows of at most {MAX_CHUNK_ELEMENTS:,} elements, not {row:,}")
    if chunk is None:
        chunk = _chunk_elements(layout, quantized, count, profile)
        if count <= min(chunk + chunk // 2, MAX_CHUNK_ELEMENTS):
            return layout
    if 0 < row <= chunk or layout.positions == "csr":
        chunk = max(chunk // max(row, 1), 1) * max(row, 1)
    return replace(layout, chunk_elements=chunk) if chunk < count else layout


def _chunk_elements(layout: Layout, quantized: Quantized, count: int, profile: str) -> int:
    if layout.kind == "fields":
        size = element_type(quantized.dtype).itemsize
        return (_NARROW_FIELDS_CHUNK if size == 2 else _WIDE_FIELDS_CHUNK) // size
    bits = float(value_bits(quantized))
    if quantized.positions is not None and layout.positions != "dense":
        density = len(quantized.positions) / max(count, 1)
        bits = density * (bits + layout.gap_width) + (
            1 if layout.positions in ("mask", "bits") else 0
        )
    if layout.kind in ("planes", "delta"):  # only some are coded, each with a head of its own
        bits /= 4
    elements = _CHUNK_BYTES[profile] * 8 / max(bits, 0.25)
    return int(min(max(elements, 4096), MAX_CHUNK_ELEMENTS)) & ~255


def sampled(chunkings: list[list[tuple[int, int]]], effort: int) -> list[list[int]]:
    """The chunks by which layouts are compared: of each, those that hold the same elements.

    `chunkings` are the ranges of chunks of each layout. Where one has the fewest, some of
    them are taken, and of the others those that begin inside these.
    """
    longest = min(chunkings, key=len)
    most = _SAMPLED_CHUNKS.get(effort, len(longest))
    if len(longest) <= most:
        return [list(range(len(ranges))) for ranges in chunkings]
    ranges = [longest[i * (len(longest) - 1) // max(most - 1, 1)] for i in range(most)]
    return [
        [i for i, (first, _) in enumerate(chunks) if any(0 <= first - at < n for at, n in ranges)]
        for chunks in chunkings
    ]


def chunk_ranges(count: int, chunk_elements: int) -> list[tuple[int, int]]:
    """(first, elements) of every chunk."""
    if chunk_elements == 0:
        return [(0, count)]
    return [(i, min(chunk_elements, count - i)) for i in range(0, count, chunk_elements)]


def dense_codes(quantized: Quantized) -> np.ndarray[Any, Any]:
    """One code an element: absent ones get the code whose value is zero."""
    if quantized.positions is None:
        return quantized.codes
    count = quantized.size
    codes = np.full(count, 0, quantized.codes.dtype)
    if quantized.kind != "raw":
        codes.fill(filler_code(quantized))
    codes[quantized.positions] = quantized.codes
    return codes
