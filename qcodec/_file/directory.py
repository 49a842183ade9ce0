"""The directory of a file: names, frames and ordinary tensors, with offsets (format, section 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .._base.messages import quoted
from .._frame.notes import Notes
from .._frame.parts import Part
from .._io.source import Readable, Section
from ..dtypes import BY_SAFETENSORS
from ..errors import CorruptError
from ..limits import DEFAULT_LIMITS, Limits
from .header import Header, HeaderEntry, read_header
from .metadata import metadata_of
from .pack import MAGIC, PackEntry, read_pack

Array = np.ndarray[Any, Any]

PACK_NAME = "qcodec.pack"
FRAME_SUFFIX = ".qcodec"


class Stored(NamedTuple):
    """One tensor of a file, or what is attached to it.

    Attributes
    ----------
    name : str
    offset, size : int
        Where its bytes are, from the file's first byte.
    ordinary : HeaderEntry or None
        Dtype and shape of an ordinary safetensors tensor; None: the bytes are a frame.
    target : str
        The tensor's name; for an alias, and for a converted tensor, the name of its target.
    part : Part or None
        None: the tensor is the whole frame.
    converted_to : str
        The element type to which the target is converted; empty: it is not.
    is_attached : bool
        The frame is no tensor but the bytes of a file.
    load : callable, optional
        Returns the array of an ordinary tensor whose elements do not lie in the file one after the
        other.
    axes : tuple of int
        The order of the axes in which all elements of such a tensor do lie in the file one after
        the other, such as (1, 0) for columns; empty if there is none.
    """

    name: str
    offset: int
    size: int
    ordinary: HeaderEntry | None
    target: str
    part: Part | None = None
    converted_to: str = ""
    is_attached: bool = False
    load: Callable[[], Array] | None = None
    axes: tuple[int, ...] = ()

    @property
    def noun(self) -> str:
        """What to call it in messages."""
        return "attached" if self.is_attached else "tensor"

    @property
    def identity(self) -> tuple[str, str]:
        """What the names of one tensor have in common."""
        return (self.name if self.converted_to else self.target), self.converted_to

    @property
    def opaque(self) -> HeaderEntry | None:
        """The `ordinary` of a tensor whose type qcodec does not decode; None for others."""
        entry = self.ordinary
        return None if entry is None or entry.dtype in BY_SAFETENSORS else entry


@dataclass(frozen=True)
class Directory:
    """All tensors of a file, and the numbers of bytes that belong to no tensor.

    Attributes
    ----------
    tensors : dict of str to Stored
        In the order of their bytes.
    metadata : dict of str to str
    header_bytes : int
        The size of the safetensors header; 0 in a bare pack.
    pack_table_bytes : int
        The size of the pack's table; 0 without a pack.
    attached : dict of str to Stored
        What belongs to the file but is no tensor: frames of bytes.
    notes : Notes
        Those of the pack; none without a pack.
    format : str
        The name of another format; empty for safetensors files and packs.
    left_out : mapping of str to str
        Tensors of a kind that qcodec does not read: by name, what kind.
    check : callable, optional
        Checks the checksums of another format's file; raises ChecksumError.
    files : mapping of str to int
        Names and sizes of the files that are read as one, one after the other; empty for one.
    """

    tensors: dict[str, Stored]
    metadata: dict[str, str]
    header_bytes: int
    pack_table_bytes: int
    attached: dict[str, Stored]
    notes: Notes
    format: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[], None] | None = None
    files: Mapping[str, int] = field(default_factory=dict)

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each tensor, and of what is attached.

        Bytes that several have in common are those of the first.
        """
        seen: set[tuple[int, int]] = set()
        found: dict[str, int] = {}
        for name, stored in [*self.tensors.items(), *self.attached.items()]:
            place = stored.offset, stored.size
            found[name] = 0 if place in seen else stored.size
            seen.add(place)
        return found


def is_pack(source: Readable) -> bool:
    """Whether the file begins as a bare pack does."""
    start = bytes(source.read(0, min(source.size, 9)))
    # A safetensors file whose header is 0x5051 bytes long begins with the same bytes. Then zeros
    # and "{" follow, which cannot follow in a pack.
    return start[: len(MAGIC)] == MAGIC and start[4:9] != b"\0\0\0\0{"


def read_directory(source: Readable, limits: Limits = DEFAULT_LIMITS) -> Directory:
    """Read and check the head of a safetensors file or of a bare pack.

    Parameters
    ----------
    source : Readable
        The whole file; only the header and the table are read.
    limits : Limits

    Raises
    ------
    QCodecError
        If the file is neither of these, or breaks a rule of its format.
    """
    limits.check_file(source.size)
    if is_pack(source):
        bare = _Packed(source, 0, source.size, limits)
        return _directory(bare.tensors, bare, metadata_of(bare.notes.json, limits), 0)
    header = read_header(source, limits)
    tensors, pack = _of_header(source, header, limits)
    directory = _directory(tensors, pack, header.metadata, header.size)
    limits.check_count(len(directory.tensors))
    return directory


class _Packed:
    """What a pack holds, with offsets in the file."""

    def __init__(self, source: Readable, offset: int, size: int, limits: Limits) -> None:
        pack = read_pack(Section(source, offset, size), limits)
        self.table_bytes, self.notes = pack.table_bytes, pack.notes
        found = [_stored(entry, offset) for entry in pack.entries]
        self.tensors = [stored for stored in found if not stored.is_attached]
        self.attached = {stored.name: stored for stored in found if stored.is_attached}


def _stored(entry: PackEntry, offset: int) -> Stored:
    part = Part(entry.first, entry.shape) if entry.role in ("first", "next") else None
    return Stored(
        entry.name,
        offset + entry.offset,
        entry.size,
        None,
        entry.target,
        part,
        entry.dtype,
        entry.role == "attached",
    )


def _of_header(
    source: Readable, header: Header, limits: Limits
) -> tuple[list[Stored], _Packed | None]:
    tensors: list[Stored] = []
    pack = None
    for key, entry in header.entries.items():
        is_bytes = entry.dtype == "U8" and len(entry.shape) == 1
        if is_bytes and key == PACK_NAME:
            pack = _Packed(source, entry.offset, entry.size, limits)
            tensors += pack.tensors
        elif is_bytes and key.endswith(FRAME_SUFFIX):
            name = key.removesuffix(FRAME_SUFFIX)
            tensors.append(Stored(name, entry.offset, entry.size, None, name))
        else:
            tensors.append(Stored(key, entry.offset, entry.size, entry, key))
    return tensors, pack


def _directory(
    tensors: list[Stored], pack: _Packed | None, metadata: dict[str, str], header_bytes: int
) -> Directory:
    by_name = _unique(tensors)
    for name, stored in by_name.items():
        if stored.target != name:
            by_name[name] = _resolved(stored, by_name)
    if pack is None:
        return Directory(by_name, metadata, header_bytes, 0, {}, Notes())
    return Directory(by_name, metadata, header_bytes, pack.table_bytes, pack.attached, pack.notes)


def _resolved(stored: Stored, by_name: dict[str, Stored]) -> Stored:
    """Return the place of the tensor that another name stands for."""
    target = by_name.get(stored.target)
    if target is None or target.target != target.name:
        raise CorruptError(
            f"{quoted(stored.name)} stands for {quoted(stored.target)}, which is no tensor of "
            "the file"
        )
    return target._replace(name=stored.name, converted_to=stored.converted_to)


def _unique(tensors: list[Stored]) -> dict[str, Stored]:
    result = {tensor.name: tensor for tensor in tensors}
    if len(result) < len(tensors):
        seen: set[str] = set()
        for tensor in tensors:
            if tensor.name in seen:
                raise CorruptError(f"file has two tensors of the name {quoted(tensor.name)}")
            seen.add(tensor.name)
    return result
