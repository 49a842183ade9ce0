"""Encodes a `Quantized` as a frame: compares layouts, and encodes chunks on several threads."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np

from .._base.arrays import bytes_of, little_endian_bytes
from .._base.threads import in_order
from .._core import core
from .._core.float_mode import standard_float_mode
from ..dtypes import element_type
from ..quantized import Groups, Quantized
from . import ids
from . import layout as layouts
from .codebook_order import ascending
from .exact_forms import exact_forms
from .layout import Encoding, Layout
from .notes import Notes

Array = np.ndarray[Any, Any]

_CONTEXTS = 1 << core.coding_names().index("contexts")

# Up to this many parameters may be coded, even if the tensor is smaller (format, section 5).
_ALWAYS_CODED = 256

# A later candidate decodes more slowly, so it must save this share of the bytes.
_WORTHWHILE = {"fast": 1 / 64, "balanced": 1 / 64, "small": 0.0, "fixed": 1 / 64}

_NO_NOTES = Notes()


@dataclass(frozen=True)
class EncodedChunks:
    """The chunks of one layout, and the codings that occur in them."""

    data: list[bytes]
    features: int

    @property
    def size(self) -> int:
        """Number of bytes of all chunks."""
        return sum(len(chunk) for chunk in self.data)


class FrameEncoder:
    """Encodes one tensor in one layout.

    `order` is the original order of its codebooks, if they were sorted.
    """

    def __init__(
        self,
        quantized: Quantized,
        layout: Layout,
        encoding: Encoding,
        order: Array | None = None,
        notes: Notes = _NO_NOTES,
    ) -> None:
        self.layout = layout
        self.codings = self.parameter_codings = encoding.codings
        if layout.chunk_elements and encoding.profile == "balanced":
            # Contexts need no tables but decode slowly, so they are for small tensors only.
            self.codings &= ~_CONTEXTS
        self.profile, self.effort = ids.PROFILES[encoding.profile], encoding.effort
        self.filler = layout.filler_of(quantized)
        self.positions = layout.positions_of(quantized)
        self.codes = np.ascontiguousarray(layout.codes_of(quantized))
        self.plan = _plan(quantized, layout, order, notes)
        self.ranges = layout.chunks_of(quantized)

    def chunk(self, index: int) -> tuple[bytes, int]:
        """Encode one chunk; returns (bytes, codings used)."""
        first, elements = self.ranges[index]
        start, stop = first, first + elements
        positions = np.empty(0, np.uint32)
        if self.positions is not None:
            start, stop = np.searchsorted(self.positions, (first, first + elements))
            positions = (self.positions[start:stop] - first).astype(np.uint32)
        values = bytes_of(self.codes[start:stop])
        stored = int(stop - start)
        return self.plan.encode_chunk(
            first,
            elements,
            positions,
            values,
            stored,
            self.filler,
            self.codings,
            self.profile,
            self.effort,
        )

    def least(self, indices: list[int]) -> int:
        """Return the bytes that these chunks surely take, without encoding them."""
        if self.positions is not None:
            return 0
        ranges = [self.ranges[i] for i in indices]
        return sum(
            self.plan.chunk_least(
                bytes_of(self.codes[first : first + count]), count, self.codings, self.profile
            )
            for first, count in ranges
        )

    def chunks(self, indices: list[int], threads: int) -> EncodedChunks:
        """Encode the chunks of these indices, on several threads."""
        with closing(in_order(self.chunk, indices, threads)) as found:
            results = list(found)
        features = 0
        for _, used in results:
            features |= used
        return EncodedChunks([data for data, _ in results], features)

    def frame(self, chunks: EncodedChunks) -> bytes:
        """Return the frame around all of the chunks."""
        return self.plan.write(chunks.data, chunks.features, self.parameter_codings, self.profile)


def _groups(groups: Groups | None, dtype: str) -> core.PlanGroups | None:
    """Return a parameter in the form in which a frame stores it."""
    if groups is None:
        return None
    element = element_type(dtype)
    values = little_endian_bytes(np.ascontiguousarray(groups.values, element.carrier))
    if groups.lengths is None:
        return core.PlanGroups(element.id, groups.inner, len(groups.values), values)
    ends = np.cumsum(groups.lengths, dtype=np.uint64).view(np.uint8)
    return core.PlanGroups(element.id, 0, len(groups.values), values, ends)


def _plan(quantized: Quantized, layout: Layout, order: Array | None, notes: Notes) -> core.Plan:
    codebook, scale, zero = quantized.codebook, quantized.scale, quantized.zero_point
    by_group = None
    if not isinstance(zero, (int, np.integer)):
        by_group = Groups(zero) if scale is None else replace(scale, values=zero, second=None)
    base = quantized.base if layout.kind == "delta" else None
    notes = notes if base else notes.without_base()
    return core.Plan(
        quantized.shape,
        element_type(quantized.dtype).id,
        ids.KINDS[layout.kind],
        ids.POSITIONS[layout.positions],
        chunk_elements=layout.chunk_elements,
        gap_width=layout.gap_width,
        width=quantized.bits,
        stored_dtype=quantized.stored_type.id,
        entries=codebook.values.shape[1] if codebook else 0,
        codebook=_groups(codebook, quantized.codebook_dtype),
        codebook_order=None if order is None else bytes_of(order),
        scales=_groups(scale, quantized.scale_dtype),
        second_scale=scale.second if scale else None,
        zero_point=0 if by_group else int(zero),
        zero_points=_groups(by_group, "uint16"),
        step=layout.step,
        filter_sides=layout.filter,
        digest=np.frombuffer(base.digest, np.uint8) if base else None,
        base=base.data if base else None,
        notes=notes.to_bytes(),
    )


def _gap_widths(quantized: Quantized, gap_bits: int | None, encoding: Encoding) -> list[int]:
    """Return the gap widths to try: the requested one, or those that may be smallest."""
    if quantized.positions is None or gap_bits is not None:
        return [gap_bits or 1]
    if len(quantized.positions) == 0:
        return [1]
    # The positions of one chunk are a sample of all of them.
    first = int(quantized.positions[0])
    stop = np.searchsorted(quantized.positions, first + layouts.MAX_CHUNK_ELEMENTS)
    sample = (quantized.positions[:stop] - first).astype(np.uint32)
    best_fixed = core.relative_index_width(sample, layouts.value_bits(quantized))
    return layouts.gap_widths(quantized, best_fixed, encoding)


@standard_float_mode()
def encode_quantized(
    quantized: Quantized,
    *,
    profile: str,
    codings: int,
    effort: int = 5,
    positions: str = "auto",
    gap_bits: int | None = None,
    chunk: int | None = None,
    threads: int = 1,
    notes: Notes = _NO_NOTES,
) -> bytes:
    """Encode a `Quantized` as one frame.

    The layouts that `positions` allows are compared on sampled chunks, simplest first. A layout
    is taken if it saves enough compared with the best one before it. Elements that were quantized
    before are also encoded as the codes that they once were; the smaller frame is taken.
    """
    encoding = Encoding(profile, effort, codings)

    def encode(quantized: Quantized, order: Array | None = None, below: float = inf) -> bytes:
        found = layouts.candidates(
            quantized, positions, _gap_widths(quantized, gap_bits, encoding), profile
        )
        tried = [(layout, quantized) for layout in found]
        deltas = [layout for layout in found if layout.kind == "delta"]
        if deltas:
            changed = layouts.changes(quantized)
            is_few = changed.density <= layouts.MAX_CHANGED
            widths = _gap_widths(changed, None, encoding) if is_few else []
            tried += [(it, changed) for it in layouts.changes_layouts(changed, deltas, widths)]
        encoders = [
            FrameEncoder(stored, layout.with_chunks(stored, chunk, profile), encoding, order, notes)
            for layout, stored in tried
        ]
        return _smallest(encoders, encoding, threads, below)

    # Profile fixed keeps elements as bytes, which are read in place.
    frames = [] if profile == "fixed" else [encode(form) for form in exact_forms(quantized)]
    smallest = min(map(len, frames), default=inf)
    frames.append(encode(quantized, below=smallest - len(notes.to_bytes())))
    moved = ascending(quantized) if _may_move(quantized, profile) else None
    if moved is not None:
        frames.append(encode(*moved))
    return min(filter(None, frames), key=len)


def _may_move(quantized: Quantized, profile: str) -> bool:
    """Whether codebooks may be stored in another order, which needs coded parameters."""
    if quantized.codebook is None or profile in ("fast", "fixed"):
        return False
    return quantized.codebook.values.size <= max(quantized.size, _ALWAYS_CODED)


def _per_element(size: int, encoder: FrameEncoder, indices: list[int]) -> float:
    return size / max(sum(encoder.ranges[i][1] for i in indices), 1)


def _smallest(
    encoders: list[FrameEncoder], encoding: Encoding, threads: int, below: float
) -> bytes:
    """Return the smallest frame; empty if the samples say that it takes `below` bytes or more."""
    keep = 1 - _WORTHWHILE[encoding.profile]
    best, sampled, cost = encoders[0], None, inf
    samples = layouts.sampled([encoder.ranges for encoder in encoders], encoding.effort)
    compared = list(zip(encoders, samples, strict=True)) if len(encoders) > 1 else []
    known = {}
    if [encoder.layout.kind for encoder, _ in compared[:2]] == ["bytes", "planes"]:
        # To encode bytes of floats takes as long as planes, and planes are smaller.
        (first, indices), (planes, others) = compared[:2]
        known[planes] = planes.chunks(others, threads)
        least = _per_element(first.least(indices), first, indices)
        if _per_element(known[planes].size, planes, others) < least * keep:
            del compared[0]
    for encoder, indices in compared:
        chunks = known.pop(encoder, None) or encoder.chunks(indices, threads)
        each = _per_element(chunks.size, encoder, indices)
        if each < cost * keep:
            best, sampled, cost = encoder, chunks, each
    elements = sum(count for _, count in best.ranges)
    if sampled is not None and cost * elements >= below:
        return b""
    if sampled is None or len(sampled.data) < len(best.ranges):
        sampled = best.chunks(list(range(len(best.ranges))), threads)
    return best.frame(sampled)
