"""The directory of a file: names, frames and ordinary tensors, with offsets (format, section 9)."""

from __future__ import annotations

from dataclasses import dataclass

from .._base.messages import quoted
from .._io.source import Readable, Section
from ..errors import CorruptError
from ..limits import DEFAULT_LIMITS, Limits
from .header import Header, HeaderEntry, read_header
from .pack import MAGIC, read_pack

PACK_NAME = "qcodec.pack"
FRAME_SUFFIX = ".qcodec"


@dataclass(frozen=True)
class Stored:
    """One tensor of a file.

    Attributes
    ----------
    name : str
    offset, size : int
        Where its bytes are, from the file's first byte.
    ordinary : HeaderEntry or None
        Dtype and shape of an ordinary safetensors tensor; None: the bytes are a frame.
    target : str
        The tensor's name; for an alias, the name of its target.
    """

    name: str
    offset: int
    size: int
    ordinary: HeaderEntry | None
    target: str


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
    """

    tensors: dict[str, Stored]
    metadata: dict[str, str]
    header_bytes: int
    pack_table_bytes: int


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
        packed, table_bytes = _packed(source, 0, source.size, limits)
        return Directory(_unique(packed), {}, 0, table_bytes)
    header = read_header(source, limits)
    tensors, table_bytes = _of_header(source, header, limits)
    directory = _unique(tensors)
    limits.check_count(len(directory))
    return Directory(directory, header.metadata, header.size, table_bytes)


def _of_header(source: Readable, header: Header, limits: Limits) -> tuple[list[Stored], int]:
    tensors: list[Stored] = []
    table_bytes = 0
    for key, entry in header.entries.items():
        is_bytes = entry.dtype == "U8" and len(entry.shape) == 1
        if is_bytes and key == PACK_NAME:
            packed, table_bytes = _packed(source, entry.offset, entry.size, limits)
            tensors += packed
        elif is_bytes and key.endswith(FRAME_SUFFIX):
            name = key.removesuffix(FRAME_SUFFIX)
            tensors.append(Stored(name, entry.offset, entry.size, None, name))
        else:
            tensors.append(Stored(key, entry.offset, entry.size, entry, key))
    return tensors, table_bytes


def _packed(source: Readable, offset: int, size: int, limits: Limits) -> tuple[list[Stored], int]:
    pack = read_pack(Section(source, offset, size), limits)
    stored = [
        Stored(entry.name, offset + entry.offset, entry.size, None, entry.target)
        for entry in pack.entries
    ]
    return stored, pack.table_bytes


def _unique(tensors: list[Stored]) -> dict[str, Stored]:
    result = {tensor.name: tensor for tensor in tensors}
    if len(result) < len(tensors):
        seen: set[str] = set()
        for tensor in tensors:
            if tensor.name in seen:
                raise CorruptError(f"file has two tensors of the name {quoted(tensor.name)}")
            seen.add(tensor.name)
    return result
