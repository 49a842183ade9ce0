"""Section 2: a frame, from its bytes to its tensor."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .chunk import decode_chunk
from .conventions import Base, Checksum, Limit, Reader, Truncated, ceil_div, crc32c, require
from .element_types import BY_NAME
from .head import (
    BASE_NOTE,
    CHECKSUM_NOTE,
    DELTA,
    Head,
    judge,
    judge_chunk_elements,
    read_fields,
    read_notes,
)
from .parameters import Parameters, read_parameters
from .values import require_output_type

CRC_LENGTH = 4
DIRECTORY_ENTRY_LENGTH = 8


@dataclass(frozen=True)
class Tensor:
    """A decoded tensor: its elements are little-endian, in C order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass
class OpenFrame:
    """A frame whose CRC is right and whose head is judged."""

    head: Head
    shared: Reader
    chunks: Reader


def decode(
    data: bytes, dtype: str | None = None, max_bytes: int | None = None, base: bytes | None = None
) -> Tensor:
    """The tensor of a frame.

    `dtype` asks for another output type (section 4). `max_bytes` is the reader's limit on the size
    of the decoded tensor in the output type (error Limit). `base` has the elements of the base, for
    a frame of kind delta; if it is missing, or another one, that is the error Base, which is a
    ValueError too.
    """
    return decode_frame(open_frame(data), dtype, max_bytes, base)


def notes_of(data: bytes) -> dict[int, bytes]:
    """The notes of a frame, by id."""
    frame = open_frame(data)
    return read_notes(frame.shared) if frame.head.has_notes else {}


def verify(data: bytes, base: bytes | None = None) -> Tensor:
    """The tensor of a frame, with which its notes 1 and 2 agree, if there are any."""
    tensor, notes = decode(data, base=base), notes_of(data)
    crc = crc32c(tensor.data).to_bytes(4, "little")
    agrees = notes.get(CHECKSUM_NOTE, crc) == crc
    require(agrees, "note 1 has another CRC of the elements", Checksum)
    if base is not None and BASE_NOTE in notes:
        is_base = notes[BASE_NOTE] == hashlib.sha256(base).digest()
        require(is_base, "note 2 has another SHA-256 of the base", Base)
    return tensor


def open_frame(data: bytes) -> OpenFrame:
    """Read the head and check the CRC; only then see what the head means.

    A frame is an input of its own, also in a pack or a file: if it ends too early, it is Truncated.
    """
    reader = Reader(data, length_is_known=False)
    fields = read_fields(reader)
    require(fields.body_length <= reader.left, "the body ends before its length", Truncated)
    require(fields.body_length == reader.left, "bytes after the frame")
    body = reader.part(fields.body_length, "body")
    if fields.chunked:
        shared_length = body.vu("shared length")
        require(shared_length <= body.left, "shared length beyond the body")
    else:
        shared_length = body.left
    require(shared_length >= CRC_LENGTH, "no room for the CRC")
    shared = body.part(shared_length - CRC_LENGTH, "shared")
    end = len(data) - body.left
    require(crc32c(data[:end]) == body.u32("CRC"), "the CRC of a frame", Checksum)
    return OpenFrame(judge(fields), shared, body)


def decode_frame(
    frame: OpenFrame,
    dtype: str | None = None,
    max_bytes: int | None = None,
    base: bytes | None = None,
) -> Tensor:
    """The tensor of an open frame; the arguments are those of `decode`."""
    head = frame.head
    output = head.dtype if dtype is None else dtype
    require_output_type(head.dtype, output)
    if max_bytes is not None:
        size = head.n * BY_NAME[output].item_size
        require(size <= max_bytes, f"{size} bytes are more than {max_bytes}", Limit)
    if head.has_notes:
        read_notes(frame.shared)
    if not head.chunked:
        parameters = read_parameters(frame.shared, head)
        of_base = _base_of(head, parameters, base)
        elements = decode_chunk(frame.shared, head, parameters, 0, head.n, of_base, output)
        return Tensor(output, head.dims, elements)
    return Tensor(output, head.dims, _decode_chunks(frame, base, output))


def _decode_chunks(frame: OpenFrame, base: bytes | None, output: str) -> bytes:
    """The elements of a chunked frame, of which the notes are read."""
    head = frame.head
    chunk_elements = frame.shared.vu("chunk elements")
    judge_chunk_elements(chunk_elements, head)
    count = ceil_div(head.n, chunk_elements)
    # The parameters may be coded in few bytes for many elements; so this is checked before they are
    # decoded.
    require(count * DIRECTORY_ENTRY_LENGTH <= frame.shared.left, "no room for the directory")
    parameters = read_parameters(frame.shared, head)
    whole_base = _base_of(head, parameters, base)
    size = head.form.item_size
    parts = []
    for number, chunk in enumerate(_read_chunks(frame, count)):
        first = number * chunk_elements
        e = min(chunk_elements, head.n - first)
        of_base = whole_base[first * size : (first + e) * size]
        parts.append(decode_chunk(chunk, head, parameters, first, e, of_base, output))
    return b"".join(parts)


def _read_chunks(frame: OpenFrame, count: int) -> list[Reader]:
    """The chunks, by the directory."""
    shared = frame.shared
    directory = [
        (shared.u32("length of a chunk"), shared.u32("CRC of a chunk")) for _ in range(count)
    ]
    shared.at_end("shared")
    require(
        sum(length for length, _ in directory) == frame.chunks.left, "the lengths of the chunks"
    )
    chunks = []
    for length, crc in directory:
        chunk = frame.chunks.part(length, "chunk")
        require(crc32c(chunk.data) == crc, "the CRC of a chunk", Checksum)
        chunks.append(chunk)
    return chunks


def _base_of(head: Head, parameters: Parameters, base: bytes | None) -> bytes:
    """The elements of the base, if the kind is delta and it is the right one."""
    if head.kind != DELTA:
        return b""
    if base is None:
        raise Base("a frame of kind delta needs its base")
    require(len(base) == head.n * head.form.item_size, "the base has another size", Base)
    require(digest_of(base) == parameters.digest, "the base is another one", Base)
    return base


def digest_of(base: bytes) -> bytes:
    """The CRCs of the two halves of the bytes of a base."""
    half = len(base) // 2
    return b"".join(crc32c(part).to_bytes(4, "little") for part in (base[:half], base[half:]))
