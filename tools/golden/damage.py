"""Small valid frames, and ways to break one thing in them."""

from __future__ import annotations

from dataclasses import replace

from tests.writers.frame_writer import (
    Floats,
    Frame,
    Parts,
    assemble,
    remember_base,
    write_fields,
    write_parts,
)
from tests.writers.stream_writer import vu

from .valid import f32

#: Name, bytes, kind of the error.
Broken = tuple[str, bytes, str]

BYTES = Frame("u8", "bytes", "dense", (3,), range(3), [b"\7", b"\x08", b"\x09"])
BOOK = Floats("f32", f32(0, 1, -1), 1, entries=3)
CODEBOOK = Frame("f32", "codebook", "dense", (4,), range(4), [0, 1, 2, 1], width=2, codebook=BOOK)
AFFINE = Frame("f32", "affine", "dense", (4,), range(4), [0, 1, 2, 1], width=2)
SCALES = Floats("f32", f32(0.5), 1)
GAPS = replace(BYTES, positions="gaps", dims=(9,), stored=[1, 4, 8], gap_width=3)
MASK = replace(GAPS, positions="mask")
CSR = replace(GAPS, positions="csr", dims=(3, 3))
CHUNKED = replace(BYTES, dims=(300,), stored=range(300), elements=[b"\7"] * 300, chunk_elements=256)


def with_field(frame: Frame, at: int, value: int) -> bytes:
    """A byte of the fields replaced: 0-1 magic, 2 version, 3 flags, 4 features, 5 dtype, 6 kind."""
    parts = write_parts(frame)
    fields = bytearray(parts.fields)
    fields[at] = value
    return assemble(replace(parts, fields=bytes(fields)))


def with_dims(dims: bytes, ndim: int, dtype: int = 0) -> bytes:
    parts = write_parts(BYTES)
    fields = parts.fields[:5] + bytes([dtype, ndim]) + dims
    return assemble(replace(parts, fields=fields))


def with_parameters(frame: Frame, parameters: bytes, features: int | None = None) -> bytes:
    parts = replace(write_parts(frame), parameters=parameters)
    if features is not None:
        parts = replace(parts, fields=parts.fields[:4] + bytes([features]) + parts.fields[5:])
    return assemble(parts)


def with_chunk(frame: Frame, chunk: bytes, features: int = 15) -> bytes:
    parts = write_parts(frame)
    fields = parts.fields[:4] + vu(features) + parts.fields[5:]
    return assemble(replace(parts, fields=fields, chunks=(chunk,)))


def with_delta(frame: Frame, chunk: bytes) -> bytes:
    """A frame of kind delta that the writer does not know."""
    parameters = remember_base(bytes(16)) + b"\1\1\1"
    return assemble(Parts(write_fields(frame, 127), None, parameters, (chunk,)))
