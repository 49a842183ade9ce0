"""Reads a file's bytes from one end to the other, some at a time."""

from __future__ import annotations

import struct
from typing import Any

from .._io.source import Readable
from ..errors import TruncatedError

_READ_AT_ONCE = 1 << 16


class Stream:
    r"""The bytes of a source, one after the other.

    Parameters
    ----------
    source : Readable
    position : int
        Where to begin.
    stop : int, optional
        Where to end; by default at the end of the source.
    what : str
        What is read, for errors.

    Attributes
    ----------
    position : int
        Offset of the next byte in the source.

    Examples
    --------
    >>> from qcodec._io.source import BytesSource
    >>> stream = Stream(BytesSource(b"GGUF\x03\0\0\0"))
    >>> stream.take(4), stream.number("I"), stream.left
    (b'GGUF', 3, 0)
    """

    def __init__(
        self, source: Readable, position: int = 0, stop: int | None = None, what: str = "file"
    ) -> None:
        self._source, self._what = source, what
        self._stop = source.size if stop is None else stop
        self._buffer, self._buffer_start = b"", position
        self.position = position

    @property
    def left(self) -> int:
        """Number of bytes up to the end."""
        return self._stop - self.position

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises
        ------
        TruncatedError
            If there are fewer; then none is taken.
        """
        self._check(size)
        start = self.position - self._buffer_start
        if not 0 <= start <= start + size <= len(self._buffer):
            self._buffer_start, start = self.position, 0
            read = min(max(size, _READ_AT_ONCE), self.left)
            self._buffer = bytes(self._source.read(self.position, read))
        self.position += size
        return self._buffer[start : start + size]

    def skip(self, size: int) -> None:
        """Go on behind the next bytes without reading them; raises as `take`."""
        self._check(size)
        self.position += size

    def number(self, kind: str) -> Any:
        """Return the next little-endian number, of a kind of the module struct."""
        return struct.unpack("<" + kind, self.take(struct.calcsize("<" + kind)))[0]

    def line(self) -> bytes:
        """Return the next bytes up to a line feed, which is taken too, or to the end."""
        found = bytearray()
        while self.left > 0:
            part = self.take(min(64, self.left))
            end = part.find(b"\n")
            if end >= 0:
                self.position -= len(part) - end - 1
                return bytes(found + part[: end + 1])
            found += part
        return bytes(found)

    # What pickletools calls.
    read = take
    readline = line

    def _check(self, size: int) -> None:
        if size > self.left:
            message = f"{self._what} ends too early: {size:,} bytes are needed at byte "
            message += f"{self.position:,}, {self.left:,} are there: incomplete download?"
            raise TruncatedError(message, self.position, self.left, size)
