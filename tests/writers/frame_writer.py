"""Frames and packs, written straight from sections 2 to 6 and 8 of docs/format.md.

Any legal combination can be written, whatever the library's encoder would choose,
and its parts can be spoilt before they are put together with right lengths and CRCs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from reference.conventions import FormatError, Reader, crc32c
from reference.frame import digest_of
from reference.head import DELTA, VERSION, read_head, read_notes
from reference.parameters import read_parameters
from tests.writers.coded_floats_writer import floats, order_of, planes
from tests.writers.copies_writer import DIRECTIONS, SIGNS, STEPS, Copies, choose, write_copies
from tests.writers.delta_writer import Delta, delta_symbols
from tests.writers.planes_writer import BITS, Coder, write_planes
from tests.writers.stream_writer import is_routed, vu, write_stream

# By id.
DTYPES = ("f32", "f16", "bf16", "f64", "u8", "i8", "u16", "i16")
DTYPES += ("u32", "i32", "u64", "i64", "bool", "f8e4m3", "f8e5m2", "e8m0")
DTYPES += ("f4", "f6e2m3", "f6e3m2", "c64", "f8e4m3fnuz", "f8e5m2fnuz")
_SIZES = (4, 2, 2, 8, 1, 1, 2, 2, 4, 4, 8, 8, 1, 1, 1, 1, 1, 1, 1, 8, 1, 1)
ITEM_SIZES = dict(zip(DTYPES, _SIZES, strict=True))
KINDS = ("bytes", "planes", "affine", "codebook", "delta")
#: Kinds that store elements, not codes.
ELEMENT_KINDS = ("bytes", "planes", "delta")
POSITIONS = ("dense", "gaps", "mask", "csr", "bit_mask", "copies")
#: Forms in which every element is given.
FULL_POSITIONS = ("dense", "copies")
#: Forms of kind delta.
DELTA_POSITIONS = ("dense", "gaps", "mask", "bit_mask")
INTEGERS = DTYPES[4:12]
FLOATS = ("f32", "f16", "bf16", "f64")
#: The types of elements that planes with scales store.
SCALED = ("f16", "bf16")

_INSIDE = 0b1111  # whatever their maps and sub-streams may be in

_NO_COPIES = Copies(share=0.0)

#: Of every frame of kind delta that was written: digest to base.
_BASES: dict[bytes, bytes] = {}


@dataclass(frozen=True)
class Floats:
    """Parameters: `data` holds `count` x `entries` values of a dtype, in a `mode`."""

    dtype: str
    data: bytes
    count: int
    inner: int = 1
    entries: int = 1
    mode: str = "verbatim"
    mantissa_bits: int = 3
    base: int = 0
    lengths: Sequence[int] = ()  # of the groups, instead of `inner`

    def group_of(self, index: int) -> int:
        """The group of the element with a flat index."""
        if self.lengths:
            return bisect_right(list(accumulate(self.lengths)), index)
        return index // self.inner % self.count


@dataclass(frozen=True)
class Frame:
    """What a frame says, before it is bytes.

    `stored` are the flat indices of the stored elements, ascending; `elements` their
    codes, or the bytes of each (bytes, planes, delta). `stored_dtype` is that of scaled planes.
    """

    dtype: str
    kind: str
    positions: str
    dims: tuple[int, ...]
    stored: Sequence[int]
    elements: Sequence[int] | Sequence[bytes]
    chunk_elements: int | None = None
    width: int = 8
    zero_point: int | Sequence[int] = 0
    codebook: Floats | None = None
    gap_width: int = 4
    scales: Floats | None = None
    second_scale: bytes = b""
    zero_points_mode: str = "verbatim"
    delta: Delta | None = None
    mantissa_bits: int = 3
    base: int = 0
    notes: Sequence[tuple[int, bytes]] | None = None
    copies: Copies = _NO_COPIES
    stored_dtype: str = ""

    @property
    def element_dtype(self) -> str:
        """The dtype of the elements of kinds that store elements."""
        return self.stored_dtype or self.dtype

    @property
    def size(self) -> int:
        """The number of elements."""
        size = 1
        for dim in self.dims:
            size *= dim
        return size

    @property
    def row_length(self) -> int:
        """Elements of a csr row."""
        length = 1
        for dim in self.dims[1:]:
            length *= dim
        return length


@dataclass(frozen=True)
class Parts:
    """A frame's bytes but for lengths and CRCs."""

    fields: bytes  # magic to dims
    chunk_elements: bytes | None  # None: not chunked
    parameters: bytes
    chunks: tuple[bytes, ...]
    notes: bytes = b""  # with their length


def bitpacked(symbols: Sequence[int], width: int) -> bytes:
    """The plainest coder."""
    return write_stream(symbols, width, "bitpacked")


def write_frame(frame: Frame, coder: Coder = bitpacked) -> bytes:
    """All bytes of a frame."""
    return assemble(write_parts(frame, coder))


def assemble(parts: Parts) -> bytes:
    """Put parts together with the lengths and CRCs that they need."""
    if parts.chunk_elements is None:
        (chunk,) = parts.chunks
        body = parts.notes + parts.parameters + chunk
        start = parts.fields + vu(len(body) + 4) + body
        return start + crc32c(start).to_bytes(4, "little")
    directory = b"".join(
        len(chunk).to_bytes(4, "little") + crc32c(chunk).to_bytes(4, "little")
        for chunk in parts.chunks
    )
    content = b"".join(parts.chunks)
    shared = parts.notes + parts.chunk_elements + parts.parameters + directory
    body = vu(len(shared) + 4) + shared
    start = parts.fields + vu(len(body) + 4 + len(content)) + body
    return start + crc32c(start).to_bytes(4, "little") + content


def write_parts(frame: Frame, coder: Coder = bitpacked) -> Parts:
    """A frame's parts."""
    features = 0

    def unrouted(symbols: Sequence[int], width: int) -> bytes:
        nonlocal features
        stream = coder(symbols, width)
        stream = bitpacked(symbols, width) if is_routed(stream) else stream
        features |= 1 << stream[0]
        return stream

    def write_chunk(elements: range) -> bytes:
        routed_streams = 0

        def recording(symbols: Sequence[int], width: int) -> bytes:
            nonlocal features, routed_streams
            stream = coder(symbols, width)
            if is_routed(stream):  # one in a chunk
                routed_streams += 1
                stream = stream if routed_streams == 1 else bitpacked(symbols, width)
            features |= 1 << stream[0] | (_INSIDE if is_routed(stream) else 0)
            return stream

        return _chunk(frame, elements, recording)

    step = frame.chunk_elements or max(frame.size, 1)
    firsts = range(0, frame.size, step) if frame.chunk_elements else [0]
    chunks = tuple(write_chunk(range(first, min(first + step, frame.size))) for first in firsts)
    chunk_elements = vu(frame.chunk_elements) if frame.chunk_elements else None
    parameters = write_parameters(frame, unrouted)
    fields, notes = write_fields(frame, features), write_notes(frame.notes)
    return Parts(fields, chunk_elements, parameters, chunks, notes)


def write_notes(notes: Sequence[tuple[int, bytes]] | None) -> bytes:
    """Their length, and items of an id, a length and bytes."""
    if notes is None:
        return b""
    items = b"".join(vu(number) + vu(len(data)) + data for number, data in notes)
    return vu(len(items)) + items


def write_fields(frame: Frame, features: int) -> bytes:
    """Magic to dims."""
    flags = (
        (frame.chunk_elements is not None)
        | POSITIONS.index(frame.positions) << 1
        | (frame.scales is not None) << 4
        | (frame.notes is not None) << 5
    )
    kind_ndim = KINDS.index(frame.kind) << 4 | len(frame.dims)
    return (
        b"QC"
        + bytes([VERSION, flags])
        + vu(features)
        + bytes([DTYPES.index(frame.dtype), kind_ndim])
        + b"".join(vu(dim) for dim in frame.dims)
    )


def _floats(parameters: Floats, coder: Coder) -> bytes:
    dtype, entries, mode = parameters.dtype, parameters.entries, parameters.mode
    if mode != "planes":
        return floats(mode, parameters.data, dtype, ITEM_SIZES[dtype], entries, coder)
    fields = (parameters.mantissa_bits, parameters.base)
    return planes(parameters.data, dtype, ITEM_SIZES[dtype], *fields, coder)


def _lengths(parameters: Floats) -> bytes:
    """0 instead of `inner`, and the lengths of the groups; empty if they have none."""
    return b"\0" + b"".join(map(vu, parameters.lengths)) if parameters.lengths else b""


def is_delta(frame: bytes) -> bool:
    """Whether the kind that a frame names, damaged or not, is delta."""
    kind = 6  # behind features, a number of one byte or more, and the dtype
    while kind < len(frame) and frame[kind - 2] & 0x80:
        kind += 1
    return kind < len(frame) and frame[kind] >> 4 == KINDS.index("delta")


def write_parameters(frame: Frame, coder: Coder = bitpacked) -> bytes:
    """Section 5."""
    by_group = not isinstance(frame.zero_point, int)
    written = b""
    if frame.stored_dtype:
        written += bytes([DTYPES.index(frame.stored_dtype)])
    if frame.kind == "affine":
        written += bytes([frame.width, by_group])
        if isinstance(frame.zero_point, int):
            written += vu(frame.zero_point)
    if frame.codebook is not None:
        book = frame.codebook
        written += bytes([book.entries - 1, DTYPES.index(book.dtype)]) + vu(book.count)
        inner = vu(book.inner) if book.count > 1 else b""
        written += (_lengths(book) or inner) + _floats(book, coder)
    if frame.delta is not None:
        digest = remember_base(frame.delta.base)
        written += digest + vu(frame.delta.step) + bytes(frame.delta.filter)
    if frame.positions in ("gaps", "csr"):
        written += bytes([frame.gap_width])
    if frame.scales is not None:
        scales = frame.scales
        written += bytes([DTYPES.index(scales.dtype) | bool(frame.second_scale) << 6])
        written += frame.second_scale + vu(0 if scales.lengths else scales.inner)
        written += vu(scales.count) + _lengths(scales)[1:] + _floats(scales, coder)
    if isinstance(frame.zero_point, int):
        return written
    points = b"".join(zero.to_bytes(2, "little") for zero in frame.zero_point)
    mode = frame.zero_points_mode
    return written + _floats(Floats("u16", points, len(frame.zero_point), mode=mode), coder)


def _chunk(frame: Frame, elements: range, coder: Coder) -> bytes:
    chosen = [at for at, index in enumerate(frame.stored) if index in elements]
    places = [frame.stored[at] - elements.start for at in chosen]
    values = [_element(frame, at) for at in chosen]
    if frame.delta is not None:
        positions = _write_positions(frame, places, len(elements), coder)
        base = [frame.delta.base_of(frame.stored[at], ITEM_SIZES[frame.dtype]) for at in chosen]
        return positions + _write_delta(frame, base, values, coder)
    if frame.positions == "copies":
        return _write_copies(frame, values, coder)
    positions = _write_positions(frame, places, len(elements), coder)
    return positions + _write_values(frame, values, coder)


def _element(frame: Frame, at: int) -> int | bytes:
    """What stands for a stored element: a code moves with its codebook."""
    element, book = frame.elements[at], frame.codebook
    if book is None or book.mode != "permuted":
        return element
    first = book.group_of(frame.stored[at]) * book.entries
    size = ITEM_SIZES[book.dtype]
    data = book.data[first * size : (first + book.entries) * size]
    return order_of(data, size)[element] if element in range(book.entries) else element


def gaps_of(places: Sequence[int]) -> list[int]:
    """Relative index."""
    befores = [-1, *places][: len(places)]
    return [place - before - 1 for before, place in zip(befores, places, strict=True)]


def row_count_width(row_length: int) -> int:
    """Bits of a csr row count."""
    return min(max(row_length.bit_length(), 1), 16)


def _write_positions(frame: Frame, places: list[int], size: int, coder: Coder) -> bytes:
    if frame.positions == "dense":
        return b""
    entries = vu(len(places))
    if frame.positions == "gaps":
        return entries + coder(gaps_of(places), frame.gap_width)
    if frame.positions in ("mask", "bit_mask"):
        present, width = set(places), 4 if frame.positions == "mask" else 1
        symbols = [
            sum((first + bit in present) << bit for bit in range(width))
            for first in range(0, size, width)
        ]
        return entries + coder(symbols, width)
    length = frame.row_length
    rows = size // length if size else 0
    by_row = [[place % length for place in places if place // length == row] for row in range(rows)]
    counts = coder([len(row) for row in by_row], row_count_width(length))
    gaps = [gap for row in by_row for gap in gaps_of(row)]
    return entries + counts + coder(gaps, frame.gap_width)


def copies_options(frame: Frame) -> int:
    """The options that copies of a frame may have."""
    options = DIRECTIONS
    if frame.kind in ELEMENT_KINDS:
        options |= SIGNS if frame.dtype in FLOATS else STEPS if frame.dtype in INTEGERS else 0
    return options


def _write_copies(frame: Frame, values: Sequence[int | bytes], coder: Coder) -> bytes:
    options = frame.copies.options & copies_options(frame)
    chunk = choose(values, replace(frame.copies, options=options))
    stored = [values[at] for at in chunk.stored]
    written = write_copies(chunk.copies, len(stored), coder, options=options, signs=chunk.signs)
    return written + _write_values(frame, stored, coder)


def _write_values(frame: Frame, values: Sequence[int | bytes], coder: Coder) -> bytes:
    dtype = frame.element_dtype
    if frame.kind == "bytes":
        return coder([byte for value in values for byte in value], BITS.get(dtype, 8))
    if frame.kind == "planes":
        words = [int.from_bytes(value, "little") for value in values]
        fields = (frame.mantissa_bits, frame.base)
        return write_planes(dtype, ITEM_SIZES[dtype], words, *fields, coder)
    return coder(list(values), frame.width)


def _write_delta(
    frame: Frame, base: Sequence[bytes], values: Sequence[int | bytes], coder: Coder
) -> bytes:
    assert frame.delta is not None
    symbols = delta_symbols(frame.dtype, values, b"".join(base), frame.delta)
    streams = [coder(list(part), 8) for part in (symbols.codes, symbols.low, symbols.literals)]
    return vu(len(symbols.low)) + vu(symbols.escapes) + b"".join(streams)


def remember_base(base: bytes) -> bytes:
    """Find this base for every frame that was written against it; returns its digest."""
    digest = digest_of(base)
    _BASES[digest] = base
    return digest


def base_of(data: bytes) -> bytes | None:
    """The base that a frame was written against, by its digest; None if there is none."""
    reader = Reader(data, length_is_known=False)
    try:
        head = read_head(reader)
        if head.kind != DELTA:
            return None
        if head.chunked:
            reader.vu("shared length")
        if head.has_notes:
            read_notes(reader)
        if head.chunked:
            reader.vu("chunk elements")
        return _BASES.get(read_parameters(reader, head).digest)
    except FormatError:
        return None


#: What stands under a name: a frame, or a role and what it needs.
Stands = bytes | tuple[Any, ...]
PACK_ROLES = ("frame", "first", "next", "same", "converted", "attached")


def write_pack(entries: Sequence[tuple[bytes, Stands]], coder: Coder = bitpacked) -> bytes:
    """A pack of (name, frame) or (name, (role, ...)).

    The roles are ``("first", frame, dims)``, ``("next", dims)``, ``("same", name)``,
    ``("converted", dtype, name)`` and ``("attached", frame)``.
    """
    content = vu(len(entries)) + b"".join(map(_entry, entries))
    return assemble_pack(content, [frame_of(stands) for _, stands in entries], coder)


def assemble_pack(content: bytes, frames: Sequence[bytes], coder: Coder = bitpacked) -> bytes:
    """A pack of the content of its table, right or wrong, and frames."""
    elements = [bytes([byte]) for byte in content]
    table = write_frame(
        Frame("u8", "bytes", "dense", (len(content),), range(len(content)), elements), coder
    )
    return b"QP" + bytes([VERSION, 0]) + vu(len(table)) + table + b"".join(frames)


def frame_of(stands: Stands) -> bytes:
    """The frame that an entry of a pack brings; empty: none."""
    if isinstance(stands, bytes):
        return stands
    return stands[1] if stands[0] in ("first", "attached") else b""


def _entry(entry: tuple[bytes, Stands]) -> bytes:
    name, stands = entry
    if isinstance(stands, bytes):
        stands = ("frame", stands)
    role, *rest = stands
    written = vu(len(name)) + name + bytes([PACK_ROLES.index(role)])
    if role in ("frame", "first", "attached"):
        written += vu(len(rest.pop(0)))
    if role in ("first", "next"):
        (dims,) = rest
        written += bytes([len(dims)]) + b"".join(map(vu, dims))
    if role == "converted":
        written += bytes([DTYPES.index(rest.pop(0))])
    if role in ("same", "converted"):
        (target,) = rest
        written += vu(len(target)) + target
    return written
