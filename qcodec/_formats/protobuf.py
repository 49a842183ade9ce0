"""Walks through messages of protobuf by their wire format; what is inside a field is not read.

Source: protobuf's documentation, "Encoding".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .._io.source import Readable
from ..errors import CorruptError
from .reading import Stream

VARINT, BITS64, BYTES, BITS32 = 0, 1, 2, 5
MAX_VARINT_BYTES = 10


class Field(NamedTuple):
    """One field of a message.

    Attributes
    ----------
    number : int
    wire : int
        Its wire type.
    value : int
        The number of a varint or of fixed bits; 0 for bytes.
    start, stop : int
        Where its bytes are in the file, without number and length.
    """

    number: int
    wire: int
    value: int
    start: int
    stop: int


def fields(source: Readable, start: int, stop: int) -> Iterator[Field]:
    r"""Yield the fields of the message between two offsets.

    Raises
    ------
    CorruptError, TruncatedError
        If this is no message.

    Examples
    --------
    >>> from qcodec._io.source import BytesSource
    >>> [field[:3] for field in fields(BytesSource(b"\x08\x96\x01\x12\x02hi"), 0, 7)]
    [(1, 0, 150), (2, 2, 0)]
    """
    stream = Stream(source, start, stop, "message")
    while stream.left > 0:
        tag = varint(stream)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise CorruptError("protobuf: a field without a number", stream.position)
        value = 0
        begin = stream.position
        if wire == VARINT:
            value = varint(stream)
        elif wire == BITS64:
            value = stream.number("Q")
        elif wire == BITS32:
            value = stream.number("I")
        elif wire == BYTES:
            size = varint(stream)
            begin = stream.position
            stream.skip(size)
        else:
            raise CorruptError(f"protobuf: a field of wire type {wire}", begin)
        yield Field(number, wire, value, begin, stream.position)


def varint(stream: Stream) -> int:
    """Read a number of 64 bits, of which each byte has seven."""
    value = 0
    for shift in range(0, 7 * MAX_VARINT_BYTES, 7):
        byte = stream.take(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1
    raise CorruptError("protobuf: a number that is too long", stream.position)
