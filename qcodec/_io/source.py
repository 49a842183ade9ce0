"""Sources of bytes: memory, a mapped file, or a file that is read range by range.

All readers of files take a source and request only the ranges that they need. `bytes_read`
counts the requested bytes, so that tests can check this.
"""

from __future__ import annotations

import errno
import io
import mmap
import os
import stat
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Literal, Protocol, SupportsIndex

import numpy as np

from .._base.closing import Closing
from .._base.forks import ForkLock
from ..errors import TruncatedError
from .later import Later, size_of

Backend = Literal["mmap", "pread"]
PathLike = str | os.PathLike[str]
#: Most bytes per call: Ctrl-C has to wait for the end of a call.
_MAX_READ = 1 << 26

_BUFFERS = "bytes, bytearray, memoryview, mmap.mmap and contiguous arrays"


class Readable(Protocol):
    """The part of a source that `Encoded` and the readers of headers and packs use."""

    @property
    def size(self) -> int:
        """Number of bytes."""

    def read(self, offset: int, size: int) -> memoryview:
        """Return the bytes ``[offset, offset + size)``."""


class Source(Closing):
    """Bytes that are read by offset; a context manager and the base class of the three kinds.

    Parameters
    ----------
    size : int
    name : str
        The name used in errors.
    stat : os.stat_result, optional
        The status of the open file.

    Attributes
    ----------
    size : int
        Number of bytes.
    stat : os.stat_result or None
        The status of the file when it was opened; None for bytes in memory.
    bytes_read : int
        Number of bytes requested so far; of several threads, about that.
    closed : bool
    is_view : bool
        Whether `read` copies nothing.
    """

    is_view = False

    def __init__(self, size: int, name: str, stat: os.stat_result | None = None) -> None:
        self.size = size
        self.stat = stat
        self.bytes_read = 0
        self.closed = False
        self._name = name
        self._readers = 0
        self._lock = ForkLock()

    def read(self, offset: int, size: int) -> memoryview:
        """Return the bytes ``[offset, offset + size)``, read-only.

        Raises
        ------
        TruncatedError
            If the source ends before the range does.
        ValueError
            If the source is closed.
        """
        with self._lock:
            self._count(offset, size)
            self._readers += 1
        try:
            return self._read(offset, size)
        finally:
            with self._lock:
                self._readers -= 1
                is_last = self.closed and self._readers == 0
            if is_last:
                self._release()

    def _count(self, offset: int, size: int) -> None:
        self.check_open()
        if not 0 <= offset <= offset + size <= self.size:
            raise _short(self.size, offset + size, ": incomplete download?")
        self.bytes_read += size

    def forget(self, offset: int, size: int) -> None:
        """Do without the memory of bytes that were read, if they can be read again."""

    def check_open(self) -> None:
        """Raise `ValueError` if the source is closed."""
        if self.closed:
            raise ValueError(f"{self._name} is closed")

    def close(self) -> None:
        """Release the file once reads in other threads have ended; returned views stay valid.

        Closing twice does nothing.
        """
        with self._lock:
            is_idle = not self.closed and self._readers == 0
            self.closed = True
        if is_idle:
            self._release()

    def _read(self, offset: int, size: int) -> memoryview:
        raise NotImplementedError

    def _release(self) -> None:
        """Release the memory or the file; called once, when no read is running."""


class BytesSource(Source):
    """Bytes in memory.

    Parameters
    ----------
    buffer : bytes-like
        Contiguous; not copied.

    Examples
    --------
    >>> source = BytesSource(b"weights")
    >>> bytes(source.read(2, 3)), source.bytes_read
    (b'igh', 3)
    """

    is_view = True

    def __init__(self, buffer: Any) -> None:
        self._view = bytes_view(buffer)
        super().__init__(self._view.nbytes, "file in memory")

    def read(self, offset: int, size: int) -> memoryview:
        view = self._view  # before it is checked that this is open: another thread may close it
        self._count(offset, size)
        return view[offset : offset + size]

    def _release(self) -> None:
        self._view = memoryview(b"")


class PartsSource(Source):
    """Bytes that follow each other in several parts.

    Parameters
    ----------
    parts : sequence of bytes-like or Later
        Contiguous; not copied.

    Examples
    --------
    >>> bytes(PartsSource([b"wei", b"", b"gh", b"ts"]).read(2, 4))
    b'ight'
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = [part if isinstance(part, Later) else bytes_view(part) for part in parts]
        self._starts = list(accumulate(map(size_of, self._parts), initial=0))
        super().__init__(self._starts.pop(), "file in memory")

    def _read(self, offset: int, size: int) -> memoryview:
        found = []
        for number in range(max(bisect_right(self._starts, offset) - 1, 0), len(self._parts)):
            start, part = self._starts[number], self._parts[number]
            if start >= offset + size:
                break
            first, last = max(offset - start, 0), min(offset + size - start, size_of(part))
            if isinstance(part, Later):
                found.append(part.read(first, last - first))
            else:
                found.append(part[first:last])
        return found[0] if len(found) == 1 else memoryview(b"".join(found))

    def _release(self) -> None:
        self._parts, self._starts = [], []


class MmapSource(Source):
    """A mapped file: pages are loaded on first access, and nothing is copied.

    Replacing the file (as `qcodec.save_file` does) leaves a mapping intact. If another
    process truncates the file in place, the next `read` beyond its end is an error. But
    accessing an earlier view beyond the new end makes the operating system kill the process
    (SIGBUS), as in any program that maps files. `PreadSource` does not have this risk.

    Parameters
    ----------
    path : path-like
    """

    is_view = True

    def __init__(self, path: PathLike) -> None:
        with open_regular(path) as file:
            stat = os.fstat(file.fileno())
            # An empty file cannot be mapped.
            self._mapped = (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if stat.st_size else None
            )
        self._view = memoryview(b"" if self._mapped is None else self._mapped)
        super().__init__(self._view.nbytes, _name_of(path), stat)

    def _read(self, offset: int, size: int) -> memoryview:
        if self._mapped is not None:
            now = self._mapped.size()  # the current size of the file, not of the mapping
            if now < offset + size:
                raise _shrunk(now, offset + size)
        return self._view[offset : offset + size]

    def forget(self, offset: int, size: int) -> None:
        """Unmap the pages of a range; the next access maps them again, from the page cache."""
        mapped, page = self._mapped, mmap.PAGESIZE
        start, stop = -(-offset // page) * page, (offset + size) // page * page
        if mapped is not None and start < stop and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED, start, stop - start)

    def _release(self) -> None:
        """Drop the mapping; it ends when the last view of it is gone."""
        self._view, self._mapped = memoryview(b""), None


class PreadSource(Source):
    """A file that is read range by range, without a mapping; threads may share it.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path: PathLike) -> None:
        self._file = open_regular(path)
        self._seeking = ForkLock()
        stat = os.fstat(self._file.fileno())
        super().__init__(stat.st_size, _name_of(path), stat)

    def _read(self, offset: int, size: int) -> memoryview:
        # A bytearray would be filled with zeros first.
        view, filled = np.empty(size, np.uint8).data, 0
        while filled < size:
            count = self._read_into(view[filled : filled + _MAX_READ], offset + filled)
            if count == 0:
                now = min(os.fstat(self._file.fileno()).st_size, offset + filled)
                raise _shrunk(now, offset + size)
            filled += count
        return view.toreadonly()

    def _read_into(self, view: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [view], offset)
        with self._seeking:
            self._file.seek(offset)
            return self._file.readinto(view) or 0

    def _release(self) -> None:
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
        self.is_view = is_view(source)

    def read(self, offset: int, size: int) -> memoryview:
        """Return the bytes ``[offset, offset + size)`` of the section."""
        if not 0 <= offset <= offset + size <= self.size:
            raise _short(self.size, offset + size)
        return self._source.read(self._offset + offset, size)

    def forget(self, offset: int, size: int) -> None:
        """Do without the memory of bytes that were read, if they can be read again."""
        forget(self._source, self._offset + offset, size)


def is_view(source: Readable) -> bool:
    """Whether reading from a source copies nothing, so that any number of bytes may be read."""
    return getattr(source, "is_view", False)


def forget(source: Readable, offset: int, size: int) -> None:
    """Do without the memory of bytes that were read from a source, if it can read them again."""
    if isinstance(source, Source | Section):
        source.forget(offset, size)


def open_source(path: PathLike, backend: Backend = "mmap") -> Source:
    """Open the file at `path` as a source.

    Parameters
    ----------
    path : path-like
    backend : {"mmap", "pread"}

    Raises
    ------
    ValueError
        If the backend is unknown.
    OSError
        If the file cannot be opened, or is a folder, a pipe or a device.
    """
    if backend == "mmap":
        return MmapSource(path)
    if backend == "pread":
        return PreadSource(path)
    raise ValueError(f"backend is {backend!r}, allowed are 'mmap' and 'pread'")


def bytes_view(buffer: Any) -> memoryview:
    """Return a read-only view of the bytes of a bytes-like object, without a copy.

    Raises
    ------
    TypeError
        If the object has no contiguous bytes; the message says what is allowed.

    Examples
    --------
    >>> bytes_view(bytearray(b"QC"))[0]
    81
    """
    try:
        view = memoryview(buffer)
    except TypeError:
        raise _no_bytes(buffer, "") from None
    except (ValueError, BufferError) as error:
        raise _no_bytes(buffer, f" ({error})") from None
    try:
        return view.cast("B").toreadonly()
    except TypeError as error:
        raise _no_bytes(buffer, f" ({error})") from None


def as_source(source: Any) -> Readable:
    """Return a source unchanged, or make one from bytes in memory.

    Parameters
    ----------
    source : bytes-like, or an object with ``size`` and ``read(offset, size)``

    Raises
    ------
    TypeError
        For anything else, such as a file object; the message says what is allowed.

    Examples
    --------
    >>> as_source(bytearray(b"weights")).size
    7
    """
    if isinstance(source, Source | Section):
        return source
    try:
        # Bytes come first, because mmap.mmap has `size` and `read` too.
        return BytesSource(source)
    except TypeError:
        if hasattr(source, "read") and isinstance(getattr(source, "size", None), SupportsIndex):
            readable: Readable = source
            return readable
        raise


def open_regular(path: PathLike) -> io.FileIO:
    """Open a file that can be read at any offset.

    Raises
    ------
    OSError
        If the file cannot be opened, or is a folder, a pipe or a device.
    """

    def open_at_once(path: str, flags: int) -> int:
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))

    file = io.FileIO(os.fspath(path), "r", opener=open_at_once)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        message = "Not a regular file, but a pipe or a device, which has no offsets"
        raise OSError(errno.ESPIPE, message, os.fspath(path))
    return file


def _no_bytes(found: object, why: str) -> TypeError:
    hint = "; for an open file, pass what its read() returns" if hasattr(found, "read") else ""
    kind = type(found).__name__
    return TypeError(
        f"a bytes-like object is needed, not {kind}{why}: allowed are {_BUFFERS}{hint}"
    )


def _name_of(path: PathLike) -> str:
    return f"file {os.fspath(path)!r}"


def _short(size: int, needed: int, hint: str = "") -> TruncatedError:
    message = f"{size:,} bytes are there, {needed:,} are needed{hint}"
    return TruncatedError(message, size, size, needed)


def _shrunk(now: int, needed: int) -> TruncatedError:
    message = (
        f"the file became shorter since it was opened: {now:,} bytes are there now, "
        f"{needed:,} are needed"
    )
    return TruncatedError(message, now, now, needed)
