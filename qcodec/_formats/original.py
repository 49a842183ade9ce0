"""A file without the bytes of its tensors, from which the same file can be written again.

The bytes of a tensor that lies in the file as it is are a *hole*. What is left, with the places of
the holes, is attached to the encoded file. Decoded tensors fill the holes: if nothing was
quantized, every byte is as before; if tensors were quantized, all others are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .._base.messages import quoted
from .._file.directory import Directory
from .._file.header_writer import TensorSpec, write_header
from .._file.metadata import to_json
from .._io.later import Part
from .._io.source import Readable
from ..errors import CorruptError
from ..limits import Limits
from .shards import check_beside

#: What it is attached as.
NAME = "qcodec.original"
#: Bytes of text that are read as JSON.
_LENGTH_BYTES = 8
#: Up to so many bytes of tensors may be in the rest too.
_FREE_BYTES = 1 << 16


@dataclass(frozen=True)
class Hole:
    """The place of a tensor.

    Attributes
    ----------
    name : str
    offset, size : int
        Of its bytes, from the first byte of all files.
    axes : tuple of int
        The order of the axes in which its elements lie there; empty: as in the array.
    """

    name: str
    offset: int
    size: int
    axes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Original:
    """Files without the bytes of their tensors.

    Attributes
    ----------
    format : str
        As `Directory.format`.
    files : dict of str to int
        Names and sizes; the first has the head.
    holes : list of Hole
        In the order of their bytes.
    rest : memoryview
        The bytes around the holes, of all files one after the other.
    """

    format: str
    files: dict[str, int]
    holes: list[Hole]
    rest: memoryview

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` reads."""
        text = to_json(
            {
                "format": self.format,
                "files": self.files,
                "holes": [[one.name, one.offset, one.size, one.axes] for one in self.holes],
            }
        )
        return len(text).to_bytes(_LENGTH_BYTES, "little") + text + bytes(self.rest)

    @classmethod
    def from_bytes(cls, data: bytes, limits: Limits) -> Original:
        """Read and check an original.

        Raises
        ------
        CorruptError
            If it is not valid: then it may not be used in part.
        """
        size = int.from_bytes(data[:_LENGTH_BYTES], "little")
        limits.check_header(size)
        text, rest = data[_LENGTH_BYTES:][:size], memoryview(data)[_LENGTH_BYTES + size :]
        try:
            fields: Any = json.loads(text)
            holes = [
                Hole(name, offset, size, tuple(axes))
                for name, offset, size, axes in fields["holes"]
            ]
            found = cls(fields["format"], dict(fields["files"]), holes, rest)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise _fault("is no description of a file") from None
        found._check()
        return found

    def _check(self) -> None:
        sizes = list(self.files.values())
        numbers = [
            *sizes, *(n for hole in self.holes for n in (hole.offset, hole.size, *hole.axes))
        ]  # fmt: skip
        names = [self.format, *self.files, *(hole.name for hole in self.holes)]
        if not all(type(n) is int and 0 <= n < 1 << 56 for n in numbers):
            raise _fault("has sizes that are no sizes")
        if not all(isinstance(name, str) for name in names) or not sizes:
            raise _fault("has names that are no texts")
        for name in self.files:
            check_beside(name)  # files are written under these names
        if not all(set(hole.axes) == set(range(len(hole.axes))) for hole in self.holes):
            raise _fault("has axes that are no order of axes")
        at = 0
        for hole in self.holes:
            if hole.offset < at:
                raise _fault(f"has two tensors at byte {hole.offset:,}")
            at = hole.offset + hole.size
        covered = len(self.rest) + sum(hole.size for hole in self.holes)
        if at > sum(sizes) or covered != sum(sizes):
            raise _fault(f"has {covered:,} bytes for files of {sum(sizes):,}")

    def parts(self, data_of: Callable[[Hole], Part]) -> Iterator[Part]:
        """Yield the bytes of all files, one after the other; `data_of` has those of tensors."""
        at = before = 0  # in the files, and in the rest
        for hole in self.holes:
            yield self.rest[before : before + hole.offset - at]
            before += hole.offset - at
            yield data_of(hole)
            at = hole.offset + hole.size
        yield self.rest[before:]


def needs_original(source: Readable, directory: Directory) -> bool:
    """Whether the same file cannot be written from its tensors alone.

    It can if it is one safetensors file whose header is as qcodec writes it. A file that has frames
    is not what was encoded: that one's original is attached to it.

    Parameters
    ----------
    source : Readable
        All files, one after the other.
    directory : Directory
    """
    if directory.format:
        return True
    specifications: dict[str, TensorSpec] = {}
    for name, stored in directory.tensors.items():
        if stored.ordinary is None:
            return False
        specifications[name] = TensorSpec(stored.ordinary.dtype, stored.ordinary.shape, stored.size)
    if directory.files or not directory.header_bytes:
        return bool(directory.files)
    header, order = write_header(specifications, directory.metadata)
    found = bytes(source.read(0, directory.header_bytes))
    return found != header or order != list(directory.tensors)


def original_of(source: Readable, directory: Directory, name: str) -> Original | None:
    """Return the files without their tensors.

    None if most bytes of tensors would be left, as in compressed archives.

    Parameters
    ----------
    source : Readable
        All files, one after the other.
    directory : Directory
    name : str
        That of the file, if there is only one.
    """
    files = directory.files or {name: source.size}
    holes: list[Hole] = []
    at = kept_twice = 0
    for stored in sorted(directory.tensors.values(), key=lambda one: (one.offset, -one.size)):
        if stored.target != stored.name or stored.size == 0:
            continue
        if stored.offset >= at and stored.ordinary and (stored.load is None or stored.axes):
            holes.append(Hole(stored.name, stored.offset, stored.size, stored.axes))
            at = stored.offset + stored.size
        else:
            kept_twice += stored.size
    size = sum(files.values())
    if kept_twice > _FREE_BYTES + sum(hole.size for hole in holes):
        return None
    rest, at = bytearray(), 0
    for hole in holes:
        rest += source.read(at, hole.offset - at)
        at = hole.offset + hole.size
    rest += source.read(at, size - at)
    return Original(directory.format, dict(files), holes, memoryview(rest))


def _fault(what: str) -> CorruptError:
    return CorruptError(f"attached {quoted(NAME)} {what}")
