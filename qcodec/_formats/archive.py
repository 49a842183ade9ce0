"""The members of a zip archive, and where those that are stored are in the file."""

from __future__ import annotations

import errno
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from zlib import crc32

from .._base.messages import quoted
from .._io.source import Readable, forget
from ..errors import ChecksumError, CorruptError, QCodecError, UnsupportedError
from ..limits import Limits

_ENCRYPTED = 1  # a bit of a member's flags
_LOCAL_HEADER = b"PK\x03\x04"
_LOCAL_HEADER_BYTES = 30
_CHECKED_AT_ONCE = 1 << 24


class SourceFile(io.RawIOBase):
    """A source as a file for readers that need one.

    Examples
    --------
    >>> from qcodec._io.source import BytesSource
    >>> file = SourceFile(BytesSource(b"weights"))
    >>> file.seek(-2, 2), file.read()
    (5, b'ts')
    """

    def __init__(self, source: Readable) -> None:
        self._source, self._at = source, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "a negative offset")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        size = max(0, min(len(buffer), self._source.size - self._at))
        buffer[:size] = self._source.read(self._at, size)
        self._at += size
        return size


class Archive:
    """A zip archive.

    Parameters
    ----------
    source : Readable
    what : str
        The format, for errors.
    limits : Limits

    Attributes
    ----------
    members : list of zipfile.ZipInfo
        In the order of its directory.

    Raises
    ------
    CorruptError
        If this is no zip archive, or its members overlap.
    LimitError
        If it has more members than the limits allow.
    """

    def __init__(self, source: Readable, what: str, limits: Limits) -> None:
        self._source = source
        with naming_faults(f"not {what}"):
            self._zip = zipfile.ZipFile(io.BufferedReader(SourceFile(source)))
        self.members = self._zip.infolist()
        limits.check_count(len(self.members))
        if sum(info.compress_size for info in self.members) > source.size:
            raise CorruptError(f"not {what}: its members overlap, as those of a bomb do")

    def open(self, info: zipfile.ZipInfo) -> IO[bytes]:
        """Open a member, for threads that may read several at once."""
        return self._zip.open(info)

    def check(self) -> None:
        """Check the checksums of all members that are stored; others are checked when read.

        Raises
        ------
        ChecksumError
            If a member changed; the message names it.
        """
        for info in self.members:
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & _ENCRYPTED:
                continue
            start, stop = self.place(info)
            found = 0
            for at in range(start, stop, _CHECKED_AT_ONCE):
                size = min(_CHECKED_AT_ONCE, stop - at)
                found = crc32(self._source.read(at, size), found)
                forget(self._source, at, size)
            if found != info.CRC:
                with naming_member(info):
                    raise ChecksumError("the bytes changed", start, found, info.CRC)

    def place(self, info: zipfile.ZipInfo) -> tuple[int, int]:
        """Return the offsets of a stored member's first byte and of what follows it.

        Raises
        ------
        UnsupportedError
            If it is encrypted or compressed.
        CorruptError
            If it is not where the directory says.
        """
        with naming_member(info):
            if info.flag_bits & _ENCRYPTED:
                raise UnsupportedError("is encrypted")
            if info.compress_type != zipfile.ZIP_STORED:
                raise UnsupportedError(f"is compressed by method {info.compress_type}")
            at = info.header_offset
            if at < 0 or at + _LOCAL_HEADER_BYTES > self._source.size:
                raise CorruptError("begins outside the file")
            header = bytes(self._source.read(at, _LOCAL_HEADER_BYTES))
            if not header.startswith(_LOCAL_HEADER):
                raise CorruptError("has no header of its own", at)
            name, extra = (int.from_bytes(header[i : i + 2], "little") for i in (26, 28))
            start = at + _LOCAL_HEADER_BYTES + name + extra
            if start + info.file_size > self._source.size:
                raise CorruptError("ends outside the file", at)
            return start, start + info.file_size


def naming_member(info: zipfile.ZipInfo) -> Any:
    """Name a member in errors."""
    return naming_faults(f"member {quoted(info.filename)}")


@contextmanager
def naming_faults(what: str) -> Iterator[None]:
    """Put `what` before the message of an error, and turn other errors into `CorruptError`.

    NumPy, zipfile and the decompressors may raise any exception for broken bytes.
    """
    try:
        yield
    except QCodecError as error:
        message = f"{what}: {error}"
        raise type(error)(message, error.offset, error.found, error.allowed) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise  # an error of the disk; EINVAL comes from a negative offset in a broken file
        lines = str(error).splitlines() or [type(error).__name__]
        raise CorruptError(f"{what}: {lines[0]}") from None
