"""Encodes a `Quantized` as a frame: compares layouts, and encodes chunks on several threads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import replace
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


#: The bytes of a chunk, and the codings that occur in it.
Chunk = tuple[bytes, int]


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
        self.stored = layouts.StoredElements(quantized, layout)
        self.plan = _plan(quantized, layout, order, notes)
        self.ranges = layout.chunks_of(quantized)

    def chunk(self, index: int) -> Chunk:
        """Encode one chunk."""
        first, elements = self.ranges[index]
        positions, codes = self.stored.within(first, elements)
        return self.plan.encode_chunk(
            first,
            elements,
            positions,
            bytes_of(codes),
            len(codes),
            self.stored.filler,
            self.codings,
            self.profile,
            self.effort,
        )

    def chunks(self, indices: Collection[int], threads: int) -> dict[int, Chunk]:
        """Encode the chunks of these indices, on several threads."""
        with closing(in_order(self.chunk, indices, threads)) as found:
            return dict(zip(indices, found, strict=True))

    def frame(self, known: Mapping[int, Chunk], threads: int) -> bytes:
        """Return the frame; of its chunks, some may be known already."""
        missing = [index for index in range(len(self.ranges)) if index not in known]
        with closing(in_order(self.chunk, missing, threads)) as others:
            chunks = (
                known[index] if index in known else next(others)
                for index in range(len(self.ranges))
            )
            return self.plan.write(chunks, self.parameter_codings, self.profile)


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
            widths = _gap_widths(changed, None, encoding)
            tried += [(it, changed) for it in layouts.changes_layouts(changed, deltas, widths)]
        tried = [
            (layout.with_chunks(stored, chunk, profile), stored) for layout, stored in tried
        ]

        def encoder(layout: Layout, stored: Quantized) -> FrameEncoder:
            return FrameEncoder(stored, layout, encoding, order, notes)

        return _smallest(tried, encoder, encoding, threads, below)

    # Profile fixed keeps elements as bytes, which are read in place.
    best = b""
    for form in [] if profile == "fixed" else exact_forms(quantized):
        best = _smaller(best, encode(form))
    below = len(best) - len(notes.to_bytes()) if best else inf
    best = _smaller(best, encode(quantized, below=below))
    moved = ascending(quantized) if _may_move(quantized, profile) else None
    return best if moved is None else _smaller(best, encode(*moved))


def _smaller(frame: bytes, other: bytes) -> bytes:
    """Return the smaller frame, the first of two of one size; an empty one is none."""
    return other if other and (not frame or len(other) < len(frame)) else frame


def _may_move(quantized: Quantized, profile: str) -> bool:
    """Whether codebooks may be stored in another order, which needs coded parameters."""
    if quantized.codebook is None or profile in ("fast", "fixed"):
        return False
    return quantized.codebook.values.size <= max(quantized.size, _ALWAYS_CODED)


def _smallest(
    tried: list[tuple[Layout, Quantized]],
    encoder_of: Callable[[Layout, Quantized], FrameEncoder],
    encoding: Encoding,
    threads: int,
    below: float,
) -> bytes:
    """Return the smallest frame; empty if the samples say that it takes `below` bytes or more.

    Only the best encoder so far and its sampled chunks are kept.
    """
    if len(tried) == 1:
        return encoder_of(*tried[0]).frame({}, threads)
    best, sampled, cost = None, {}, inf
    chunkings = [layout.chunks_of(stored) for layout, stored in tried]
    samples = layouts.sampled(chunkings, encoding.effort)
    for (layout, stored), indices in zip(tried, samples, strict=True):
        encoder = encoder_of(layout, stored)
        chunks = encoder.chunks(indices, threads)
        size = sum(len(data) for data, _ in chunks.values())
        each = size / max(sum(encoder.ranges[i][1] for i in indices), 1)
        if best is None or each < cost * (1 - _WORTHWHILE[encoding.profile]):
            best, sampled, cost = encoder, chunks, each
    assert best is not None
    elements = sum(count for _, count in best.ranges)
    return b"" if cost * elements >= below else best.frame(sampled, threads)
