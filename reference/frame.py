"""Section 2: the body of a frame, and decoding from its head to its elements."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .conventions import Checksum, Limit, Reader, crc32c, require
from .copies import expand, open_copies
from .delta import delta_elements
from .element_types import BY_NAME, OUTPUT_TYPES
from .head import COPIES, DELTA, DENSE, Head, check_together, read_head, read_notes
from .parameters import Parameters, read_parameters
from .positions import open_positions, positions_of
from .values import convert, open_values, values_of


@dataclass(frozen=True)
class Chunk:
    """A range of the elements of the tensor, and the bytes that encode them."""

    elements: range
    content: bytes
    crc: int | None = None


@dataclass(frozen=True)
class Tensor:
    """A decoded frame: the name of its dtype (section 3), its dims, its elements in C order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


def decode(
    data: bytes,
    dtype: str | None = None,
    max_bytes: int | None = None,
    base: bytes | None = None,
) -> Tensor:
    """Decode one frame.

    Parameters
    ----------
    data : bytes
        Exactly one frame.
    dtype : str, optional
        The output type: ``"f32"``, ``"f16"``, ``"bf16"`` or ``"f64"`` if the frame has any float
        type. The default is the dtype of the frame.
    max_bytes : int, optional
        The max size of the tensor and of its coded parameters, in bytes once decoded.
    base : bytes, optional
        The elements of the base of a frame of kind delta, little-endian.

    Raises
    ------
    FormatError
        One of its subclasses, the errors of section 1.
    ValueError
        If the frame cannot be converted to the output type, or if the base of a frame of kind
        delta is missing or is another one.
    """
    reader = Reader(data, length_is_known=False)
    head = read_head(reader)
    dtype = head.dtype.name if dtype is None else dtype
    if dtype != head.dtype.name and not (head.dtype.is_float and dtype in OUTPUT_TYPES):
        raise ValueError(f"{head.dtype.name} cannot be given as {dtype}")
    parameters, chunks = read_shared(reader, head)
    size = head.elements * BY_NAME[dtype].size
    largest = max(size, parameters.coded_bytes)
    require(max_bytes is None or largest <= max_bytes, f"{largest} bytes once decoded", Limit)
    parameters.decode_coded()
    if head.kind == DELTA:
        _check_base(head, parameters, base)
    parts = [decode_chunk(head, parameters, chunk, dtype, base) for chunk in chunks]
    return Tensor(dtype, head.dims, b"".join(parts))


def notes_of(data: bytes) -> dict[int, bytes]:
    """The notes of a frame, by id."""
    reader = Reader(data, length_is_known=False)
    return read_notes(reader) if read_head(reader).noted else {}


def verify(data: bytes, base: bytes | None = None) -> None:
    """Decode one frame, and check what its notes say of the elements and of the base.

    Raises what `decode` does, for a wrong note too.
    """
    tensor, notes = decode(data, base=base), notes_of(data)
    crc = crc32c(tensor.data).to_bytes(4, "little")
    require(notes.get(1, crc) == crc, "CRC of the elements", Checksum)
    if base is not None and notes.get(2, b"") not in (b"", hashlib.sha256(base).digest()):
        raise ValueError(f"the base is another one than {notes[2].hex()}")


def _check_base(head: Head, parameters: Parameters, base: bytes | None) -> None:
    if base is None or len(base) != head.elements * head.dtype.size:
        raise ValueError("the base is missing, or has another size")
    if digest_of(base) != parameters.digest:
        raise ValueError(f"the base is another one than {parameters.digest.hex()}")


def digest_of(base: bytes) -> bytes:
    """What tells one base from another: the CRCs of its two halves (section 4)."""
    half = len(base) // 2
    return b"".join(crc32c(part).to_bytes(4, "little") for part in (base[:half], base[half:]))


def read_shared(reader: Reader, head: Head) -> tuple[Parameters, list[Chunk]]:
    """What the CRC covers, and the chunks."""
    if head.noted:
        read_notes(reader)
    if not head.chunked:
        check_together(head, None)
        parameters = read_parameters(reader, head)
        return parameters, [Chunk(range(head.elements), reader.take(reader.left, "chunk"))]
    chunk_elements = reader.vu("chunk elements")
    check_together(head, chunk_elements)
    parameters = read_parameters(reader, head)
    firsts = range(0, head.elements, chunk_elements)
    directory = Reader(reader.take(8 * len(firsts), "directory"), length_is_known=True)
    require(reader.left == 0, "bytes follow the directory")
    rest = Reader(reader.after, length_is_known=True)
    chunks = []
    for first in firsts:
        elements = range(first, min(first + chunk_elements, head.elements))
        content = rest.take(directory.u32("chunk length"), "chunk")
        chunks.append(Chunk(elements, content, directory.u32("chunk CRC")))
    require(rest.left == 0, "the chunks do not fill the body")
    return parameters, chunks


def _changed(reader: Reader, head: Head, parameters: Parameters, base: list[bytes]) -> list[bytes]:
    """The elements of a chunk of kind delta: those that are not stored are those of the base."""
    if head.positions == DENSE:
        return delta_elements(reader, head, parameters, len(base))(base)
    positions = open_positions(reader, head, parameters, len(base))
    decode = delta_elements(reader, head, parameters, positions.stored)
    places = positions_of(positions, head, len(base))
    elements = list(base)
    for place, element in zip(places, decode([base[place] for place in places]), strict=True):
        elements[place] = element
    return elements


def decode_chunk(
    head: Head, parameters: Parameters, chunk: Chunk, dtype: str, base: bytes | None
) -> bytes:
    """All elements of one chunk, stored or not."""
    if chunk.crc is not None:
        require(crc32c(chunk.content) == chunk.crc, "CRC of a chunk", Checksum)
    reader = Reader(chunk.content, length_is_known=True)
    if head.kind == DELTA and base is not None:
        size = head.dtype.size
        own = [base[at * size : (at + 1) * size] for at in chunk.elements]
        elements = _changed(reader, head, parameters, own)
        return b"".join(convert(element, head.dtype.name, dtype) for element in elements)
    if head.positions == COPIES:
        copies = open_copies(reader, head, len(chunk.elements))
        streams = open_values(reader, head, parameters, copies.stored)
        require(reader.left == 0, "the streams do not fill their chunk")
        # All elements share their groups, so any numbers do.
        values = values_of(streams, head, parameters, [0] * copies.stored, dtype)
        return b"".join(expand(copies, values, len(chunk.elements)))
    positions = open_positions(reader, head, parameters, len(chunk.elements))
    streams = open_values(reader, head, parameters, positions.stored)
    require(reader.left == 0, "the streams do not fill their chunk")
    places = positions_of(positions, head, len(chunk.elements))
    stored = [chunk.elements[place] for place in places]
    values = values_of(streams, head, parameters, stored, dtype)
    dense = [bytes(BY_NAME[dtype].size)] * len(chunk.elements)
    for place, value in zip(places, values, strict=True):
        dense[place] = value
    return b"".join(dense)
