"""Section 2: the head of a frame, which is its fields before the body."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .codings import CODINGS
from .conventions import Checksum, Limit, Reader, Truncated, Unsupported, crc32c, require
from .element_types import TABLE, ElementType

VERSION = 0x81
BYTES, PLANES, AFFINE, CODEBOOK, DELTA = range(5)
DENSE, GAPS, MASK, CSR, BIT_MASK, COPIES = range(6)
_QUANTIZABLE = ("f32", "f16", "bf16", "f64")
SIZE_LIMIT = 1 << 56
SMALLEST_CHUNK, LARGEST_CHUNK = 256, 1 << 22
_CRC_BYTES = 4


@dataclass(frozen=True)
class Head:
    """The fields of a frame, and what is derived from them."""

    chunked: bool
    positions: int
    scaled: bool
    noted: bool
    dtype: ElementType
    features: int
    kind: int
    dims: tuple[int, ...]

    @property
    def elements(self) -> int:
        """n: the number of elements."""
        return math.prod(self.dims)

    @property
    def row_length(self) -> int:
        """The number of elements of a row, for positions form csr."""
        return math.prod(self.dims[1:])


def read_head(reader: Reader) -> Head:
    """Read the fields, check the CRC, and then say what the fields mean.

    The reader is left with the rest of what the CRC covers; `reader.after` is what follows the CRC.
    """
    for byte in b"QC":
        require(reader.u8("magic") == byte, "not a frame")
    require(reader.u8("version") == VERSION, "another version", Unsupported)
    flags = reader.u8("flags")
    features = reader.vu("features")
    dtype = reader.u8("dtype")
    kind, ndim = divmod(reader.u8("kind and ndim"), 16)
    dims = tuple(reader.vu("dim") for _ in range(ndim))
    body_length = reader.vu("body length")
    require(reader.left >= body_length, "the input ends within the frame", Truncated)
    require(reader.left <= body_length, "the input goes on after the frame")
    reader.length_is_known = True
    _check_crc(reader, reader.vu("shared length") if flags & 1 else reader.left)
    return _judged(flags, features, dtype, kind, dims)


def _check_crc(reader: Reader, length: int) -> None:
    require(_CRC_BYTES <= length <= reader.left, "no room for the CRC")
    end = reader.at + length - _CRC_BYTES
    reader.after = reader.data[end + _CRC_BYTES :]
    crc, reader.data = reader.data[end : end + _CRC_BYTES], reader.data[:end]
    require(crc32c(reader.data) == int.from_bytes(crc, "little"), "CRC of the frame", Checksum)


def _judged(flags: int, features: int, dtype: int, kind: int, dims: tuple[int, ...]) -> Head:
    positions = flags >> 1 & 7
    require(positions <= COPIES and flags < 64, "reserved flags", Unsupported)
    require(features >> len(CODINGS) == 0, "reserved features", Unsupported)
    require(dtype < len(TABLE), "reserved dtype", Unsupported)
    require(kind <= DELTA, "reserved kind", Unsupported)
    require(len(dims) <= 8, "more than 8 dimensions", Unsupported)
    size = TABLE[dtype].size * math.prod(dim or 1 for dim in dims)
    require(size < SIZE_LIMIT, "the dims are too large", Limit)
    scaled, noted = bool(flags >> 4 & 1), bool(flags >> 5 & 1)
    return Head(bool(flags & 1), positions, scaled, noted, TABLE[dtype], features, kind, dims)


def read_notes(reader: Reader) -> dict[int, bytes]:
    """What a frame says beside its tensor, by id."""
    notes = Reader(reader.take(reader.vu("length of the notes"), "notes"), length_is_known=True)
    found: dict[int, bytes] = {}
    while notes.left:
        number = notes.vu("id of a note")
        require(number > max(found, default=-1), "ids of notes do not ascend")
        found[number] = notes.take(notes.vu("length of a note"), "note")
    require(len(found.get(1, bytes(4))) == 4, "a CRC of elements has 4 bytes")
    require(len(found.get(2, bytes(32))) == 32, "a SHA-256 has 32 bytes")
    return found


def check_together(head: Head, chunk_elements: int | None) -> None:
    """The rules between several fields; `chunk_elements` is None if the frame is not chunked."""
    if chunk_elements is None:
        require(head.elements <= LARGEST_CHUNK, "too many elements for one chunk", Unsupported)
    else:
        require(chunk_elements >= SMALLEST_CHUNK, "chunks of fewer than 256 elements")
        require(chunk_elements <= LARGEST_CHUNK, "chunks of over 2^22 elements", Unsupported)
    if head.positions == CSR:
        require(head.dims, "csr without a dimension")
        if chunk_elements and head.row_length:
            require(chunk_elements % head.row_length == 0, "csr with chunks of broken rows")
    is_float = head.dtype.name in _QUANTIZABLE
    if head.kind in (AFFINE, CODEBOOK):
        require(is_float, "codes of a dtype that is not for them", Unsupported)
    require(head.kind != DELTA or is_float, "delta of a dtype that is not for it")
    if head.kind in (BYTES, DELTA):
        require(not head.scaled, "scales of elements that are kept", Unsupported)
    if head.kind == PLANES and head.scaled:
        require(is_float, "scaled planes of a dtype that is not for them", Unsupported)
        require(head.positions != COPIES, "copies of scaled elements", Unsupported)
    require(head.kind != DELTA or head.positions != COPIES, "copies of differences", Unsupported)
    require(head.kind != DELTA or head.positions == DENSE, "delta is dense")
