"""Where bytes come from: memory, a mapped file, or a file that is read piece by piece.

Everything that reads a file here takes a source, asks for the ranges it needs and
nothing more; `bytes_read` counts them, so that laziness can be tested.
"""

from __future__ import annotations

import mmap
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from .errors import TruncatedError

Backend = Literal["mmap", "pread"]
PathLike = str | os.PathLike[str]
#: A call may take as long as the disk: in pieces, Ctrl-C need not wait for all of it.
_MAX_READ = 1 << 26


class Readable(Protocol):
    """What `Encoded` and the readers of headers and packs need of a source."""

    @property
    def size(self) -> int:
        """Bytes in all."""

    def read(self, offset: int, size: int) -> memoryview:
        """The bytes ``[offset, offset + size)``."""


class Source:
    """Bytes by offset, a context manager; the base of the three kinds.

    Attributes
    ----------
    size : int
        Bytes in all.
    bytes_read : int
        Bytes that were asked for so far.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.bytes_read = 0
        self._counting = threading.Lock()

    def read(self, offset: int, size: int) -> memoryview:
        """The bytes ``[offset, offset + size)``, read-only.

        Raises
        ------
        TruncatedError
            If the source ends before.
        """
        if not 0 <= offset <= offset + size <= self.size:
            raise self._short(offset + size)
        with self._counting:
            self.bytes_read += size
        return self._read(offset, size)

    def close(self) -> None:
        """Let go of the file. Views that were handed out stay valid."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, offset: int, size: int) -> memoryview:
        raise NotImplementedError

    def _short(self, needed: int) -> TruncatedError:
        message = f"{self.size:,} bytes are there, {needed:,} are needed: incomplete download?"
        return TruncatedError(message, self.size, self.size, needed)


class BytesSource(Source):
    """Bytes in memory.

    Parameters
    ----------
    buffer : bytes-like
        Not copied.

    Examples
    --------
    >>> source = BytesSource(b"weights")
    >>> bytes(source.read(2, 3)), source.bytes_read
    (b'igh', 3)
    """

    def __init__(self, buffer: bytes | bytearray | memoryview) -> None:
        try:
            self._view = memoryview(buffer).cast("B").toreadonly()
        except TypeError as error:
            kind = type(buffer).__name__
            raise TypeError(f"a bytes-like object is needed, not {kind} ({error})") from None
        super().__init__(self._view.nbytes)

    def _read(self, offset: int, size: int) -> memoryview:
        return self._view[offset : offset + size]


class MmapSource(Source):
    """A mapped file: pages come in when they are touched, and nothing is copied.

    Replacing the file (as `qcodec.save_file` does) leaves a mapping intact; cutting it
    short in place makes the operating system kill readers, here as in any program.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path: PathLike) -> None:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # An empty file cannot be mapped.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        self._view = memoryview(mapped)
        super().__init__(self._view.nbytes)

    def _read(self, offset: int, size: int) -> memoryview:
        return self._view[offset : offset + size]

    def close(self) -> None:
        """Let go of the mapping; it ends with the last view of it."""
        self._view = memoryview(b"")
        self.size = 0


class PreadSource(Source):
    """A file that is read range by range, without a mapping. Threads may share it.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path: PathLike) -> None:
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 (closed by close)
        self._seeking = threading.Lock()
        super().__init__(os.fstat(self._file.fileno()).st_size)

    def _read(self, offset: int, size: int) -> memoryview:
        buffer = bytearray(size)
        view, filled = memoryview(buffer), 0
        while filled < size:
            count = self._read_into(view[filled : filled + _MAX_READ], offset + filled)
            if count == 0:  # it became shorter since it was opened
                raise self._short(offset + size)
            filled += count
        return view.toreadonly()

    def _read_into(self, view: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [view], offset)
        with self._seeking:
            self._file.seek(offset)
            return self._file.readinto(view)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Section:
    """A range of a source as a source of its own, such as one frame of a file.

    Parameters
    ----------
    source : Readable
    offset, size : int
    """

    def __init__(self, source: Readable, offset: int, size: int) -> None:
        self._source = source
        self._offset = offset
        self.size = size

    def read(self, offset: int, size: int) -> memoryview:
        """The bytes ``[offset, offset + size)`` of the section."""
        if not 0 <= offset <= offset + size <= self.size:
            message = f"{self.size:,} bytes are there, {offset + size:,} are needed"
            raise TruncatedError(message, self.size, self.size, offset + size)
        return self._source.read(self._offset + offset, size)


def open_source(path: PathLike, backend: Backend = "mmap") -> Source:
    """The file at `path` as a source.

    Parameters
    ----------
    path : path-like
    backend : {"mmap", "pread"}

    Raises
    ------
    ValueError
        For another backend.
    OSError
        If the file cannot be opened.
    """
    if backend == "mmap":
        return MmapSource(path)
    if backend == "pread":
        return PreadSource(path)
    raise ValueError(f"backend is {backend!r}, allowed are 'mmap' and 'pread'")
