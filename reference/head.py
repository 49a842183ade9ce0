"""Section 2: the head of a frame, which is its fields before the body."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .codings import CODINGS
from .conventions import Limit, Reader, Truncated, Unsupported, require
from .element_types import TABLE, ElementType

VERSION = 0
BYTES, PLANES, AFFINE, CODEBOOK, DELTA = range(5)
DENSE, GAPS, MASK, CSR, BIT_MASK = range(5)
_QUANTIZABLE = ("f32", "f16", "bf16", "f64")
_SIZE_LIMIT = 1 << 56
LARGEST_CHUNK = 1 << 22


@dataclass(frozen=True)
class Head:
    """The fields of a frame, and what is derived from them."""

    chunked: bool
    positions: int
    scaled: bool
    features: int
    dtype: ElementType
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
    """Read the fields from the magic to the body length."""
    for byte in b"QC":
        require(reader.u8("magic") == byte, "not a frame")
    require(reader.u8("version") == VERSION, "unknown version", Unsupported)
    flags = reader.u8("flags")
    positions = flags >> 1 & 7
    require(positions <= BIT_MASK and flags < 32, "reserved flags", Unsupported)
    scaled = bool(flags >> 4 & 1)
    features = reader.vu("features")
    require(features >> len(CODINGS) == 0, "reserved features", Unsupported)
    dtype = _read_dtype(reader)
    kind, ndim = _read_kind(reader)
    dims = _read_dims(reader, ndim, dtype.size)
    body_length = reader.vu("body length")
    require(reader.left >= body_length, "the input ends within the frame", Truncated)
    require(reader.left <= body_length, "the input goes on after the frame")
    reader.length_is_known = True
    return Head(bool(flags & 1), positions, scaled, features, dtype, kind, dims)


def _read_dtype(reader: Reader) -> ElementType:
    dtype = reader.u8("dtype")
    require(dtype < len(TABLE), "reserved dtype", Unsupported)
    return TABLE[dtype]


def _read_kind(reader: Reader) -> tuple[int, int]:
    kind, ndim = divmod(reader.u8("kind and ndim"), 16)
    require(kind <= DELTA, "reserved kind", Unsupported)
    require(ndim <= 8, "more than 8 dimensions")
    return kind, ndim


def _read_dims(reader: Reader, ndim: int, item_size: int) -> tuple[int, ...]:
    dims = tuple(reader.vu("dim") for _ in range(ndim))
    size = item_size * math.prod(dim or 1 for dim in dims)
    require(size < _SIZE_LIMIT, "the dims are too large", Limit)
    return dims


def check_together(head: Head, chunk_elements: int | None) -> None:
    """The rules between several fields; `chunk_elements` is None if the frame is not chunked."""
    if chunk_elements is None:
        require(head.elements <= LARGEST_CHUNK, "too many elements for one chunk")
    else:
        require(1 <= chunk_elements <= LARGEST_CHUNK, "chunk elements are 1 to 2^22")
    if head.positions == CSR:
        require(head.dims, "csr without a dimension")
        if chunk_elements and head.row_length:
            require(chunk_elements % head.row_length == 0, "csr with chunks of broken rows")
    is_float = head.dtype.name in _QUANTIZABLE
    if head.kind in (AFFINE, CODEBOOK):
        require(is_float, "codes of a dtype that is not for them", Unsupported)
    require(head.kind != DELTA or is_float, "delta of a dtype that is not for it")
    if head.kind in (BYTES, PLANES, DELTA):
        require(not head.scaled, "scales without codes", Unsupported)
    require(head.kind != DELTA or head.positions == DENSE, "delta is dense")
