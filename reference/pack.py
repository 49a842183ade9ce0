"""Section 8: packs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .conventions import Corrupt, Limit, Reader, Truncated, Unsupported, require
from .element_types import BY_NAME, TABLE, split_elements
from .frame import OpenFrame, Tensor, decode_frame, open_frame
from .head import DELTA, MOST_DIMS, SIZE_LIMIT, VERSION, size_of
from .values import convert_all, may_be_given_as

MAGIC = b"QP"
FRAME, FIRST, NEXT, SAME, CONVERTED, ATTACHED = range(6)
WITH_FRAME, PARTS, REFERENCES = (FRAME, FIRST, ATTACHED), (FIRST, NEXT), (SAME, CONVERTED)
LONGEST_NAME = 1024
SMALLEST_ENTRY = 2


@dataclass
class Entry:
    """What the table says of a name; `first` is the number of the first element of a part."""

    name: str
    role: int
    frame_length: int = 0
    dims: tuple[int, ...] = ()
    first: int = 0
    other: str = ""
    dtype: str = ""
    frame: bytes = b""
    other_tensor: Tensor | None = None

    def open(self) -> OpenFrame:
        """The frame, its CRC checked and its head judged: an input of its own."""
        return open_frame(self.frame)


def read_pack(data: bytes, around: Mapping[str, Tensor] | None = None) -> dict[str, Entry]:
    """The entries of a pack by name; `around` has the tensors of the safetensors file around it.

    All rules of this section are checked here. What else is wrong with a frame that only its tensor
    needs is reported when its entry is decoded.
    """
    reader = Reader(data, length_is_known=False)
    entries = _read_table(_take_table(reader))
    _take_frames(reader, entries)
    by_name: dict[str, Entry] = {}
    for entry in entries:
        require(entry.name not in by_name, f"two entries of the name {entry.name!r}")
        by_name[entry.name] = entry
    _check_parts(entries)
    for entry in entries:
        if entry.role in REFERENCES:
            _check_reference(entry, by_name, {} if around is None else around)
    return by_name


def table_of(data: bytes) -> bytes:
    """The frame of a pack's table, whose notes are those of the pack."""
    return _take_table(Reader(data, length_is_known=False))


def _take_table(reader: Reader) -> bytes:
    require(reader.take(2, "magic") == MAGIC, "the magic is not QP")
    version = reader.u8("version")
    require(version == VERSION, f"version {version}", Unsupported)
    flags = reader.u8("flags")
    require(flags == 0, f"flags {flags}", Unsupported)
    return reader.take(reader.vu("table length"), "table")


def _read_table(data: bytes) -> list[Entry]:
    table = open_frame(data)
    is_table = table.head.dtype == "u8" and len(table.head.dims) == 1
    require(is_table, "the table is not u8 with one dimension")
    content = Reader(decode_frame(table).data, length_is_known=True)
    count = content.vu("count")
    require(count <= content.left // SMALLEST_ENTRY, f"{count} entries")
    entries = [_read_entry(content) for _ in range(count)]
    content.at_end("table")
    return entries


def _read_entry(content: Reader) -> Entry:
    entry = Entry(_read_name(content), content.u8("role"))
    require(entry.role <= ATTACHED, f"role {entry.role}", Unsupported)
    if entry.role in WITH_FRAME:
        entry.frame_length = content.vu("frame length")
        require(entry.frame_length > 0, "a frame of no bytes")
    if entry.role in PARTS:
        ndim = content.u8("ndim")
        require(ndim <= MOST_DIMS, f"{ndim} dims", Unsupported)
        entry.dims = tuple(content.vu("dim") for _ in range(ndim))
    if entry.role == CONVERTED:
        dtype_id = content.u8("dtype")
        require(dtype_id < len(TABLE), f"dtype {dtype_id}", Unsupported)
        entry.dtype = TABLE[dtype_id].name
    if entry.role in REFERENCES:
        entry.other = _read_name(content)
    return entry


def _read_name(content: Reader) -> str:
    name = content.take(content.vu("length of a name"), "name")
    require(len(name) <= LONGEST_NAME, "a name that is too long")
    text = name.decode("utf-8", errors="replace")
    require(text.encode("utf-8") == name, "a name that is not UTF-8")
    return text


def _take_frames(reader: Reader, entries: list[Entry]) -> None:
    """The frames lie one after the other; a next part has that of the entry before."""
    total = sum(entry.frame_length for entry in entries)
    require(total <= reader.left, "the frames are not all there", Truncated)
    require(total == reader.left, "bytes after the frames")
    before = None
    for entry in entries:
        if entry.role in WITH_FRAME:
            entry.frame = reader.take(entry.frame_length, "frame")
        if entry.role == NEXT:
            if before is None or before.role not in PARTS:
                raise Corrupt("a next part without a part before it")
            entry.frame = before.frame
            entry.first = before.first + math.prod(before.dims)
            require(entry.first < SIZE_LIMIT, "the parts are too large", Limit)
        before = entry


def _check_parts(entries: list[Entry]) -> None:
    """The rules that need the heads of the frames."""
    for entry in entries:
        if entry.role in PARTS:
            head = entry.open().head
            require(
                size_of(entry.dims, head.form) < SIZE_LIMIT,
                "the size of a part is too large",
                Limit,
            )
            require(entry.first + math.prod(entry.dims) <= head.n, "a part beyond its frame")
            require(head.kind != DELTA, "a part of a frame of kind delta", Unsupported)
        if entry.role == ATTACHED:
            head = entry.open().head
            is_file = head.dtype == "u8" and len(head.dims) == 1
            require(is_file, "an attached frame that is not u8 with one dimension")


def _check_reference(
    entry: Entry, by_name: Mapping[str, Entry], around: Mapping[str, Tensor]
) -> None:
    """Roles same and converted: what they name is there, and can be given as the dtype."""
    if entry.other in by_name:
        other = by_name[entry.other]
        require(other.role in (FRAME, *PARTS), f"{entry.other!r} is no entry to refer to")
        if entry.role == SAME:
            return
        source = other.open().head.dtype
    else:
        require(entry.other in around, f"there is no {entry.other!r}")
        entry.other_tensor = around[entry.other]
        source = entry.other_tensor.dtype
    if entry.role == CONVERTED:
        require(may_be_given_as(source, entry.dtype), f"{source} is not given as {entry.dtype}")


def decode_entry(
    entries: Mapping[str, Entry], name: str, dtype: str | None = None, base: bytes | None = None
) -> Tensor:
    """What stands under a name. An attached file is given as a tensor of its bytes."""
    entry = entries[name]
    if entry.role in REFERENCES:
        # "Converted" reads the other frame with that output type.
        output = entry.dtype if entry.role == CONVERTED else dtype
        if entry.other_tensor is not None:
            return _convert_tensor(entry.other_tensor, output)
        return decode_entry(entries, entry.other, output, base)
    tensor = decode_frame(entry.open(), dtype, base=base)
    if entry.role not in PARTS:
        return tensor
    size = BY_NAME[tensor.dtype].item_size
    end = entry.first + math.prod(entry.dims)
    return Tensor(tensor.dtype, entry.dims, tensor.data[entry.first * size : end * size])


def _convert_tensor(tensor: Tensor, dtype: str | None) -> Tensor:
    if dtype is None:
        return tensor
    elements = split_elements(tensor.data, BY_NAME[tensor.dtype].item_size)
    return Tensor(dtype, tensor.shape, b"".join(convert_all(elements, tensor.dtype, dtype)))
