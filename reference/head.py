"""Section 2: the head of a frame, and the notes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .codings import EVERY_CODING
from .conventions import Corrupt, Limit, Reader, Unsupported, require
from .element_types import BY_NAME, IEEE_TYPES, TABLE, ElementType

MAGIC = b"QC"
VERSION = 0x81

BYTES, PLANES, AFFINE, CODEBOOK, DELTA = range(5)
DENSE, GAPS, MASK, CSR, BIT_MASK, COPIES = range(6)

MOST_DIMS = 8
SMALLEST_CHUNK, LARGEST_CHUNK = 256, 1 << 22
SIZE_LIMIT = 1 << 56

CHECKSUM_NOTE, BASE_NOTE = 1, 2
NOTE_LENGTHS = {CHECKSUM_NOTE: 4, BASE_NOTE: 32}


@dataclass(frozen=True)
class Fields:
    """The head as it is stored, before anything but the magic and the version is judged."""

    flags: int
    features: int
    dtype_id: int
    kind: int
    dims: tuple[int, ...]
    body_length: int

    @property
    def chunked(self) -> bool:
        """Bit 0 of the flags, which has the same meaning in every version."""
        return bool(self.flags & 1)


@dataclass(frozen=True)
class Head:
    """What the head means."""

    dtype: str
    kind: int
    positions: int
    dims: tuple[int, ...]
    chunked: bool
    scaled: bool
    has_notes: bool
    features: int
    body_length: int

    @property
    def form(self) -> ElementType:
        """The element type."""
        return BY_NAME[self.dtype]

    @property
    def n(self) -> int:
        """The number of elements."""
        return math.prod(self.dims)

    @property
    def row_length(self) -> int:
        """The number of elements that share the first index."""
        return math.prod(self.dims[1:])


def read_head(reader: Reader) -> Head:
    """The head of a frame, for a reader that has only its beginning: the CRC is not checked."""
    return judge(read_fields(reader))


def read_fields(reader: Reader) -> Fields:
    """The fields of the head. They are where they are in every version."""
    require(reader.take(2, "magic") == MAGIC, "the magic is not QC")
    version = reader.u8("version")
    require(version == VERSION, f"version {version}", Unsupported)
    flags = reader.u8("flags")
    features = reader.vu("features")
    dtype_id = reader.u8("dtype")
    kind, ndim = divmod(reader.u8("kind and ndim"), 16)
    dims = tuple(reader.vu("dim") for _ in range(ndim))
    return Fields(flags, features, dtype_id, kind, dims, reader.vu("body length"))


def judge(fields: Fields) -> Head:
    """What the fields mean, or which rule they break."""
    require(fields.flags >> 6 == 0, f"flags {fields.flags:#x}", Unsupported)
    require(fields.features & ~EVERY_CODING == 0, f"features {fields.features:#x}", Unsupported)
    require(fields.dtype_id < len(TABLE), f"dtype {fields.dtype_id}", Unsupported)
    require(len(fields.dims) <= MOST_DIMS, f"{len(fields.dims)} dims", Unsupported)
    form = TABLE[fields.dtype_id]
    require(size_of(fields.dims, form) < SIZE_LIMIT, "the size is too large", Limit)
    head = Head(
        dtype=form.name,
        kind=fields.kind,
        positions=fields.flags >> 1 & 7,
        dims=fields.dims,
        chunked=fields.chunked,
        scaled=bool(fields.flags & 16),
        has_notes=bool(fields.flags & 32),
        features=fields.features,
        body_length=fields.body_length,
    )
    _judge_kind_and_positions(head)
    require(head.chunked or head.n <= LARGEST_CHUNK, f"a chunk of {head.n} elements", Unsupported)
    return head


def size_of(dims: tuple[int, ...], form: ElementType) -> int:
    """The product of the dims, where zeros count as ones, times the item size."""
    return math.prod(max(dim, 1) for dim in dims) * form.item_size


def _judge_kind_and_positions(head: Head) -> None:
    """The combinations that section 4 rules out, and what form csr needs."""
    require(head.kind <= DELTA, f"kind {head.kind}", Unsupported)
    require(head.positions <= COPIES, f"positions {head.positions}", Unsupported)
    if head.kind in (AFFINE, CODEBOOK):
        require(head.dtype in IEEE_TYPES, f"codes of dtype {head.dtype}", Unsupported)
    elif head.kind == PLANES and head.scaled:
        require(head.dtype in IEEE_TYPES, f"scaled planes of dtype {head.dtype}", Unsupported)
        require(head.positions != COPIES, "copies of scaled planes", Unsupported)
    else:
        require(not head.scaled, f"scales in kind {head.kind}", Unsupported)
    if head.kind == DELTA:
        require(head.dtype in IEEE_TYPES, f"kind delta of dtype {head.dtype}", Corrupt)
        has_form = head.positions not in (CSR, COPIES)
        require(has_form, f"positions {head.positions} in kind delta", Unsupported)
    if head.positions == CSR:
        require(len(head.dims) >= 1, "positions csr without a dimension", Corrupt)


def judge_chunk_elements(chunk_elements: int, head: Head) -> None:
    """The rules for the number of elements of a chunk in a chunked frame."""
    require(chunk_elements >= SMALLEST_CHUNK, f"{chunk_elements} elements per chunk")
    require(chunk_elements <= LARGEST_CHUNK, f"{chunk_elements} elements per chunk", Unsupported)
    if head.positions == CSR and head.row_length > 0:
        require(chunk_elements % head.row_length == 0, "a chunk that is not whole rows")


def read_notes(reader: Reader) -> dict[int, bytes]:
    """The notes by id. What they say is not judged."""
    items = reader.part(reader.vu("length of the notes"), "notes")
    notes: dict[int, bytes] = {}
    last = -1
    while items.left > 0:
        note = items.vu("id of a note")
        require(note > last, "the ids of the notes do not ascend")
        content = items.take(items.vu("length of a note"), f"note {note}")
        require(
            len(content) == NOTE_LENGTHS.get(note, len(content)), f"note {note} has another length"
        )
        notes[note] = content
        last = note
    return notes
