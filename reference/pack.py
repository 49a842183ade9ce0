"""Section 8: a pack, which is many frames, and a table that says what stands under which name."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .conventions import Corrupt, Limit, Reader, Truncated, Unsupported, require
from .element_types import OUTPUT_TYPES, TABLE
from .frame import Tensor, decode
from .head import DELTA, SIZE_LIMIT, VERSION, read_head

_LONGEST_NAME = 1024
FRAME, FIRST, NEXT, SAME, CONVERTED, ATTACHED = range(6)


@dataclass(frozen=True)
class Entry:
    """What stands under a name; only some roles have a frame, dims or a target of their own."""

    role: int
    frame: bytes = b""
    first: int = 0
    dims: tuple[int, ...] = ()
    target: str = ""
    dtype: str = ""


def read_pack(data: bytes) -> dict[str, Entry]:
    """The entries of a pack by name. Frames are not decoded, but for the table's.

    Raises
    ------
    FormatError
        One of its subclasses, the errors of section 1.
    """
    reader = Reader(data, length_is_known=False)
    table = decode(_read_table(reader))
    require(table.dtype == "u8" and len(table.shape) == 1, "a table that is no string of bytes")
    entries = _read_entries(Reader(table.data, length_is_known=True), reader)
    require(reader.left == 0, "input is longer than the pack")
    for entry in entries.values():
        target = entries.get(entry.target)
        if entry.role in (SAME, CONVERTED) and target is not None:
            require(target.role <= NEXT, "a name that stands for a name, or for no tensor")
    return entries


def table_of(data: bytes) -> bytes:
    """The frame of a pack's table, whose notes are those of the pack."""
    return _read_table(Reader(data, length_is_known=False))


def _read_table(reader: Reader) -> bytes:
    for byte in b"QP":
        require(reader.u8("magic") == byte, "not a pack")
    require(reader.u8("version") == VERSION, "another version", Unsupported)
    require(reader.u8("flags") == 0, "reserved flags", Unsupported)
    return reader.take(reader.vu("length of the table"), "table")


def _read_entries(table: Reader, frames: Reader) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    count = table.vu("count")
    require(count <= table.left // 2, "more entries than there is room for")
    before, end = None, 0  # the part before, and the element after it
    for _ in range(count):
        name = _read_name(table)
        require(name not in entries, "a name occurs twice")
        entry = _read_entry(table, frames, before, end)
        entries[name] = entry
        before = entry if entry.role in (FIRST, NEXT) else None
        end = entry.first + math.prod(entry.dims)
    require(table.left == 0, "bytes follow the entries")
    return entries


def _read_entry(table: Reader, frames: Reader, before: Entry | None, end: int) -> Entry:
    role = table.u8("role")
    require(role <= ATTACHED, "reserved role", Unsupported)
    if role in (SAME, CONVERTED):
        dtype = table.u8("dtype") if role == CONVERTED else 0
        require(dtype < len(TABLE), "reserved dtype", Unsupported)
        return Entry(role, target=_read_name(table), dtype=TABLE[dtype].name)
    if role == NEXT:
        require(before is not None, "a next part without the one before")
        assert before is not None
        dims = _read_dims(table)
        require(end < SIZE_LIMIT, "parts that are too large", Limit)
        return Entry(NEXT, before.frame, end, dims)
    length = table.vu("frame length")
    require(length > 0, "a frame without bytes")
    frame = frames.take(length, "frame") if length <= frames.left else None
    require(frame is not None, "input ends within the frames", Truncated)
    assert frame is not None
    return Entry(role, frame, 0, _read_dims(table) if role == FIRST else ())


def _read_dims(table: Reader) -> tuple[int, ...]:
    ndim = table.u8("ndim")
    require(ndim <= 8, "more than 8 dimensions", Unsupported)
    dims = tuple(table.vu("dim") for _ in range(ndim))
    require(math.prod(dim or 1 for dim in dims) < SIZE_LIMIT, "the dims are too large", Limit)
    return dims


def _read_name(table: Reader) -> str:
    size = table.vu("name length")
    require(size <= _LONGEST_NAME, "a name is too long")
    content = table.take(size, "name")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Corrupt(f"a name is not UTF-8: {error}") from None


def decode_entry(entries: dict[str, Entry], name: str) -> Tensor:
    """The tensor of this name, or the bytes of what is attached under it.

    A name that stands for a tensor outside the pack raises KeyError.
    """
    entry = entries[name]
    if entry.role == SAME:
        return decode_entry(entries, entry.target)
    if entry.role == CONVERTED:
        target = entries[entry.target]
        return _decode_part(target, entry.dtype)
    return _decode_part(entry, None)


def _decode_part(entry: Entry, dtype: str | None) -> Tensor:
    if entry.role in (FIRST, NEXT):
        kind = read_head(Reader(entry.frame, length_is_known=False)).kind
        require(kind != DELTA, "a part of kind delta", Unsupported)
    if dtype is not None:
        found = read_head(Reader(entry.frame, length_is_known=False)).dtype
        allowed = found.is_float and dtype in OUTPUT_TYPES
        require(dtype == found.name or allowed, "a conversion that section 4 does not have")
    tensor = decode(entry.frame, dtype)
    if entry.role == ATTACHED:
        require(tensor.dtype == "u8" and len(tensor.shape) == 1, "attached: no string of bytes")
    if entry.role in (FRAME, ATTACHED):
        return tensor
    count = math.prod(tensor.shape)
    size = len(tensor.data) // max(count, 1)
    end = entry.first + math.prod(entry.dims)
    require(end <= count, "a part beyond the end of its frame")
    return Tensor(tensor.dtype, entry.dims, tensor.data[entry.first * size : end * size])
