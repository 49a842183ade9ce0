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
            # C weighs what contexts save against their slow decoding (qc_contexts_limit). In
            # tensors of several chunks they hardly ever pay, so they are not even tried.
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

    def least(self, indices: list[int]) -> int:
        """Return the bytes that these chunks surely take, without encoding them; 0: unknown."""
        if self.layout.positions != "dense":
            return 0
        least = 0
        for index in indices:
            _, codes = self.stored.within(*self.ranges[index])
            least += self.plan.chunk_least(bytes_of(codes), len(codes), self.codings, self.profile)
        return least

    def price(self, index: int, chunk: Chunk) -> int:
        """Return the bytes that a chunk has to save for the time that its contexts take.

        C weighs each stream against other codings of the same symbols; this weighs layouts.
        """
        data, codings = chunk
        if self.profile != ids.PROFILES["balanced"] or not codings & _CONTEXTS:
            return 0
        return self.plan.chunk_price(self.ranges[index][1], data)

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
    sample = np.subtract(quantized.positions[:stop], first, dtype=np.uint32, casting="unsafe")
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
    is taken if it saves enough compared with the best one before it; in "balanced", its contexts
    also have to save what their time is worth. Elements that were quantized before are also encoded
    as the codes that they once were; the smaller frame is taken.
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
        tried = [(layout.with_chunks(stored, chunk, profile), stored) for layout, stored in tried]

        def encoder(layout: Layout, stored: Quantized) -> FrameEncoder:
            return FrameEncoder(stored, layout, encoding, order, notes)

        return _smallest(tried, encoder, encoding, threads, below)

    # Profile fixed keeps elements as bytes, which are read in place.
    best = b""
    for form in [] if profile == "fixed" else exact_forms(quantized):
        best = _smaller(best, encode(form))
    below = len(best) - len(notes.to_bytes()) if best else inf
    # The sorted codes come first, so that they are gone when the tensor itself is encoded.
    other = _encode_ascending(quantized, encode) if _may_move(quantized, profile) else b""
    return _smaller(_smaller(best, encode(quantized, below=below)), other)


def _encode_ascending(quantized: Quantized, encode: Callable[..., bytes]) -> bytes:
    """Encode with sorted codebooks; empty if they ascend already."""
    moved = ascending(quantized)
    return b"" if moved is None else encode(*moved)


def _smaller(frame: bytes, other: bytes) -> bytes:
    """Return the smaller frame, the first of two of one size; an empty one is none."""
    return other if other and (not frame or len(other) < len(frame)) else frame


def _may_move(quantized: Quantized, profile: str) -> bool:
    """Whether codebooks may be stored in another order, which needs coded parameters."""
    if quantized.codebook is None or profile in ("fast", "fixed"):
        return False
    return quantized.codebook.values.size <= max(quantized.size, _ALWAYS_CODED)


def _per_element(size: int, encoder: FrameEncoder, indices: list[int]) -> float:
    return size / max(sum(encoder.ranges[i][1] for i in indices), 1)


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
    samples = layouts.sampled(
        [layout.chunks_of(stored) for layout, stored in tried], encoding.effort
    )
    # Threads share the chunks of a layout, or if these are too few, the layouts.
    is_short = max(map(len, samples)) < threads
    across, within = (threads, 1) if is_short else (1, threads)
    keep = 1 - _WORTHWHILE[encoding.profile]

    def measured(place: int) -> tuple[FrameEncoder, dict[int, Chunk], float, float]:
        """Return also the bytes of an element, without and with the price of their contexts."""
        encoder, indices = encoder_of(*tried[place]), samples[place]
        chunks = encoder.chunks(indices, within)
        size = sum(len(data) for data, _ in chunks.values())
        priced = size + sum(encoder.price(index, chunk) for index, chunk in chunks.items())
        each, cost = (_per_element(it, encoder, indices) for it in (size, priced))
        return encoder, chunks, each, cost

    places, known = list(range(len(tried))), {}
    if [layout.kind for layout, _ in tried[:2]] == ["bytes", "planes"]:
        # To encode bytes of floats takes as long as planes, which are nearly always smaller.
        known[1] = measured(1)
        first, indices = encoder_of(*tried[0]), samples[0]
        if known[1][3] < keep * _per_element(first.least(indices), first, indices):
            places.remove(0)
    best, sampled, smallest, least = None, {}, inf, inf
    unknown = [place for place in places if place not in known]
    with closing(in_order(measured, unknown, across)) as others:
        for place in places:
            encoder, chunks, each, cost = known[place] if place in known else next(others)
            if best is None or cost < least * keep:
                best, sampled, smallest, least = encoder, chunks, each, cost
    assert best is not None
    elements = sum(count for _, count in best.ranges)
    return b"" if smallest * elements >= below else best.frame(sampled, threads)
