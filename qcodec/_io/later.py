"""Bytes of a file to be written that are not in memory, or need not stay there."""

from __future__ import annotations

import errno
import tempfile
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .._base.closing import Closing

if TYPE_CHECKING:
    from .outputs import Output

_PIECE_BYTES = 1 << 24
#: Finished frames that are kept in memory while a file is made; others wait in a temporary file.
HELD_BYTES = 1 << 26


class Later:
    """Bytes that are read when they are wanted, such as those of a tensor that is loaded on demand.

    Attributes
    ----------
    size : int
    """

    size: int

    def read(self, offset: int, size: int) -> memoryview:
        """Return a range of the bytes."""
        raise NotImplementedError

    def pieces(self) -> Iterator[memoryview]:
        """Yield all bytes in order, some at a time."""
        for offset in range(0, self.size, _PIECE_BYTES):
            yield self.read(offset, min(_PIECE_BYTES, self.size - offset))


#: A part of a file that is to be written.
Part = bytes | memoryview | Later


def size_of(part: Part) -> int:
    """Return the number of bytes of a part.

    Examples
    --------
    >>> size_of(b"ab")
    2
    """
    return part.size if isinstance(part, Later) else memoryview(part).nbytes


class Spool(Closing):
    """Keeps bytes: the first ones in memory, and the others in a temporary file without a name.

    Parameters
    ----------
    folder : Path, optional
        Where the file is created, if it is needed; the default is that of temporary files.
    most : int
        How many bytes are kept in memory.
    output : Output, optional
        What errors of the operating system name.

    Examples
    --------
    >>> with Spool(Path("."), most=4) as spool:
    ...     parts = [spool.keep(b"1234"), spool.keep(b"56789")]
    ...     parts[0], bytes(parts[1].read(1, 3))
    (b'1234', b'678')
    """

    def __init__(self, folder: Path | None, most: int, output: Output | None = None) -> None:
        self._folder, self._left = folder, most
        self._naming = nullcontext if output is None else output.naming
        self._file: IO[bytes] | None = None
        self._end = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Remove the temporary file."""
        if self._file is not None:
            self._file.close()

    def keep(self, data: bytes) -> bytes | Later:
        """Return what the bytes can be read from as long as the spool is open.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        if len(data) <= self._left:
            self._left -= len(data)
            return data
        place = self._end
        with self._naming():
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
            for offset in range(0, len(data), _PIECE_BYTES):
                piece = memoryview(data)[offset : offset + _PIECE_BYTES]
                while piece:
                    piece = piece[self._file.write(piece) :]
        self._end += len(data)
        return _Kept(self, place, len(data))

    def read(self, offset: int, size: int) -> memoryview:
        """Return a range of the file."""
        assert self._file is not None
        found = bytearray(size)
        with self._lock, self._naming():
            self._file.seek(offset)
            at = 0
            while at < size:
                count = self._file.readinto(memoryview(found)[at:])  # type: ignore[attr-defined]
                if not count:
                    raise OSError(errno.EIO, "The temporary file became shorter")
                at += count
            self._file.seek(self._end)
        return memoryview(found)


class _Kept(Later):
    """A range of a spool's file."""

    def __init__(self, spool: Spool, offset: int, size: int) -> None:
        self._spool, self._offset, self.size = spool, offset, size

    def read(self, offset: int, size: int) -> memoryview:
        return self._spool.read(self._offset + offset, size)
