"""Section 8: a pack, which is many frames with their names."""

from __future__ import annotations

from dataclasses import dataclass

from .conventions import Checksum, Corrupt, Reader, Truncated, Unsupported, crc32c, require

_LONGEST_NAME = 1024
_MIN_ENTRY = 2


@dataclass
class _Entry:
    name: str
    length: int
    target: int | None


def read_pack(data: bytes) -> dict[str, bytes]:
    """The frames of a pack by name; an alias has the frame of its target.

    Raises
    ------
    FormatError
        One of its subclasses, the errors of section 1. The frames are not decoded.
    """
    reader = Reader(data, length_is_known=False)
    for byte in b"QP":
        require(reader.u8("magic") == byte, "not a pack")
    require(reader.u8("version") == 0, "unknown version", Unsupported)
    require(reader.u8("flags") == 0, "reserved flags", Unsupported)
    count = reader.vu("count")
    require(count <= reader.left // _MIN_ENTRY, "too short for its entries", Truncated)
    entries: list[_Entry] = []
    for _ in range(count):
        entries.append(_read_entry(reader, entries))
    expected = crc32c(data[: reader.at])
    require(reader.u32("CRC") == expected, "CRC of the table", Checksum)
    require(len({entry.name for entry in entries}) == len(entries), "a name occurs twice")
    end = reader.at + sum(entry.length for entry in entries)
    require(len(data) <= end, "input is longer than the pack")
    require(len(data) >= end, "input ends within the frames", Truncated)
    frames: list[bytes] = []
    for entry in entries:
        frames.append(
            frames[entry.target] if entry.target is not None else reader.take(entry.length, "frame")
        )
    return {entry.name: frame for entry, frame in zip(entries, frames, strict=True)}


def _read_entry(reader: Reader, earlier: list[_Entry]) -> _Entry:
    size = reader.vu("name length")
    require(size <= _LONGEST_NAME, "a name is too long")
    content = reader.take(size, "name")
    name = _decode_name(content)
    length = reader.vu("frame length")
    target = None
    if length == 0:
        target = reader.vu("target")
        require(target < len(earlier), "an alias of an entry that is not earlier")
        require(earlier[target].target is None, "an alias of an alias")
    return _Entry(name, length, target)


def _decode_name(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Corrupt(f"a name is not UTF-8: {error}") from None
