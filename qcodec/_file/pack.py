"""Packs: many small frames with their names, in one block of bytes (format, section 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from .._core import core
from .._io.source import Readable
from ..errors import TruncatedError
from ..limits import DEFAULT_LIMITS, Limits

MAGIC = b"QP"
_FIRST_READ = 4096

_T = TypeVar("_T")
_Table = np.ndarray[Any, np.dtype[np.void]]


@dataclass(frozen=True)
class PackEntry:
    """The name and place of one tensor's frame.

    Attributes
    ----------
    name : str
    offset, size : int
        Where the frame is, from the pack's first byte; for an alias, its target's frame.
    target : str
        The tensor's name; for an alias, the name of its target.
    """

    name: str
    offset: int
    size: int
    target: str


@dataclass(frozen=True)
class Pack:
    """A pack's table.

    Attributes
    ----------
    entries : tuple of PackEntry
    table_bytes : int
        Number of bytes before the first frame.
    """

    entries: tuple[PackEntry, ...]
    table_bytes: int


def read_pack(source: Readable, limits: Limits = DEFAULT_LIMITS) -> Pack:
    """Read and check a pack's table.

    Parameters
    ----------
    source : Readable
        The whole pack; only the table is read.
    limits : Limits

    Raises
    ------
    QCodecError
        If the table breaks a rule of docs/format.md, section 8; a `LimitError` if it has
        more tensors than the limits allow.
    """

    def parse(data: memoryview) -> tuple[_Table, int]:
        count = core.pack_count(data, source.size)
        limits.check_count(count)
        return core.pack_read(data, source.size, count)

    data, (table, table_bytes) = _parse_growing(source, parse)
    starts, ends = table["name_offset"], table["name_offset"] + table["name_bytes"]
    names = [
        str(data[start:end], "utf-8")
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    places = zip(*(table[field].tolist() for field in ("offset", "bytes", "target")), strict=True)
    entries = (
        PackEntry(name, offset, size, names[target])
        for name, (offset, size, target) in zip(names, places, strict=True)
    )
    return Pack(tuple(entries), table_bytes)


def _parse_growing(source: Readable, parse: Callable[[memoryview], _T]) -> tuple[memoryview, _T]:
    """Call `parse` with the first bytes of the source; read more until they are enough."""
    size = min(source.size, _FIRST_READ)
    while True:
        data = source.read(0, size)
        try:
            return data, parse(data)
        except TruncatedError as error:
            found, needed = error.found or 0, error.allowed or 0
            if found == source.size or found != size:
                raise _incomplete(found, needed) from error
        size = min(source.size, max(2 * size, needed))


def _incomplete(size: int, needed: int) -> TruncatedError:
    message = f"pack is {size:,} bytes, it needs {needed:,}: incomplete download?"
    return TruncatedError(message, size, size, needed)


def write_pack(names: Sequence[str], frames: Sequence[bytes | str]) -> list[bytes]:
    """Return the parts of a pack, to be written one after the other.

    Parameters
    ----------
    names : sequence of str
        Unique, at most 1,024 bytes of UTF-8 each.
    frames : sequence of bytes or str
        One per name; a string makes the entry an alias of that earlier name.

    Raises
    ------
    ValueError
        For names or aliases that a pack does not allow.

    Examples
    --------
    >>> from qcodec._io.source import BytesSource
    >>> parts = write_pack(["embedding", "head"], [b"a frame", "embedding"])
    >>> pack = read_pack(BytesSource(b"".join(parts)))
    >>> [(entry.name, entry.size, entry.target) for entry in pack.entries]
    [('embedding', 7, 'embedding'), ('head', 7, 'embedding')]
    """
    numbers = {name: number for number, name in reversed(list(enumerate(names)))}
    texts = [name.encode("utf-8") for name in names]
    table = np.zeros(len(texts), core.PACK_ENTRY)
    table["name_bytes"] = [len(text) for text in texts]
    table["name_offset"] = np.cumsum(table["name_bytes"]) - table["name_bytes"]
    for number, frame in enumerate(frames):
        if isinstance(frame, str):
            table["target"][number] = numbers.get(frame, len(names))
        else:
            table["target"][number], table["bytes"][number] = number, len(frame)
    head = core.pack_write_table(b"".join(texts), table.view("u1"))
    return [head.tobytes(), *(frame for frame in frames if not isinstance(frame, str))]
