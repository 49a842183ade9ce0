"""Packs: many small frames under their names, in one block of bytes (format, section 8).

The table that says which name stands for what is itself the first frame of a pack, so that names
and shapes, which repeat each other, are compressed like everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._core import core
from .._frame.encode import encode_quantized
from .._frame.encoded import Encoded
from .._frame.notes import Notes
from .._io.later import Part, size_of
from .._io.source import Readable, Section
from ..dtypes import BY_ID, BY_NAME
from ..errors import CorruptError, LimitError, TruncatedError, naming
from ..limits import DEFAULT_LIMITS, Limits
from ..quantize import quantize_verbatim

MAGIC = b"QP"
#: What stands under a name, by number (`qc_pack_role`).
ROLES = ("frame", "first", "next", "same", "converted", "attached")
#: A table may decode to this many bytes, and to this many times its own bytes: so a kilobyte never
#: costs more than a megabyte.
_CONTENT_FLOOR, _CONTENT_EXPANSION = 1 << 19, 1024
_NO_NOTES = Notes()

#: The fields of an entry of a table that are needed here.
_FIELDS = (
    "role", "offset", "bytes", "first", "name_offset", "name_bytes", "dims_offset", "ndim",
    "target_offset", "target_bytes", "dtype",
)  # fmt: skip

_Table = np.ndarray[Any, np.dtype[np.void]]


class PackEntry(NamedTuple):
    """What one name stands for.

    Attributes
    ----------
    name : str
    role : str
        One of `ROLES`.
    offset, size : int
        Where the frame is, from the pack's first byte; of another name its target's frame, or
        zeros if the target is not in this pack.
    first : int
        Of a part of a frame: the number of its first element in the frame.
    shape : tuple of int
        Of a part of a frame.
    target : str
        The tensor's name; of another name, and of a converted tensor, the name of the other.
    dtype : str
        Of a converted tensor: its element type.
    """

    name: str
    role: str
    offset: int
    size: int
    first: int
    shape: tuple[int, ...]
    target: str
    dtype: str


@dataclass(frozen=True)
class Pack:
    """A pack's table.

    Attributes
    ----------
    entries : tuple of PackEntry
    table_bytes : int
        Number of bytes before the first frame.
    notes : Notes
    """

    entries: tuple[PackEntry, ...]
    table_bytes: int
    notes: Notes


# ---- reading ----


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
        more bytes or tensors than the limits allow.
    """
    content, frames_offset, notes = _read_content(source, limits)
    count = core.pack_count(content)
    limits.check_count(count)
    try:
        table = core.pack_read(content, frames_offset, source.size, count)
    except TruncatedError as error:
        raise _incomplete(source.size, error.allowed or 0) from error
    return Pack(tuple(_entries(content, table)), frames_offset, notes)


def _read_content(source: Readable, limits: Limits) -> tuple[memoryview, int, Notes]:
    """Return what the table's frame decodes to, where the frames after it begin, and its notes."""
    head = source.read(0, min(source.size, core.PACK_HEAD_BYTES))
    try:
        offset, size = core.pack_head(head)
    except TruncatedError as error:
        raise _incomplete(source.size, error.allowed or 0) from error
    if size > source.size - offset:
        raise _incomplete(source.size, offset + size)
    with naming("table of the pack"):
        # It is no tensor: of the limits, that of headers applies, also to its notes.
        limits.check_header(size)
        allowed = _allowed(size)
        own_limits = Limits(max_tensor_bytes=allowed, expansion_floor=allowed)
        frame = Encoded(Section(source, offset, size), limits=own_limits)
        if frame.element_type.name != "uint8" or len(frame.shape) != 1:
            raise CorruptError("pack: its table is not a frame of bytes", offset)
        limits.check_header(frame.elements)
        if frame.elements > allowed:
            found = f"{frame.elements:,} bytes in a table of {size:,}; allowed are {allowed:,}"
            raise LimitError(found, offset, frame.elements, allowed)
        return frame.decode().data, offset + size, frame.notes


def _allowed(table_bytes: int) -> int:
    """Return to how many bytes a table of this length may decode."""
    return max(_CONTENT_FLOOR, _CONTENT_EXPANSION * table_bytes)


def _entries(content: memoryview, table: _Table) -> list[PackEntry]:
    data = bytes(content)
    columns = (table[field].tolist() for field in _FIELDS)
    found = []
    for row in zip(*columns, strict=True):
        role, offset, size, first, name, name_bytes, dims, ndim, target, target_bytes, dtype = row
        text = str(data[name : name + name_bytes], "utf-8")
        role = ROLES[role]
        is_other = role in ("same", "converted")
        found.append(
            PackEntry(
                text,
                role,
                offset,
                size,
                first,
                _dims(data, dims, ndim) if role in ("first", "next") else (),
                str(data[target : target + target_bytes], "utf-8") if is_other else text,
                BY_ID[dtype].name if role == "converted" else "",
            )
        )
    return found


def _dims(content: bytes, at: int, ndim: int) -> tuple[int, ...]:
    """Return the shape of a part; its numbers were checked."""
    short = content[at : at + ndim]
    if not short or max(short) < 0x80:
        return tuple(short)
    dims = []
    for _ in range(ndim):
        dim, shift = 0, 0
        while content[at] >= 0x80:
            dim |= (content[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
        dims.append(dim | content[at] << shift)
        at += 1
    return tuple(dims)


def _incomplete(size: int, needed: int) -> TruncatedError:
    message = f"pack is {size:,} bytes, it needs {needed:,}: incomplete download?"
    return TruncatedError(message, size, size, needed)


# ---- writing ----


@dataclass(frozen=True)
class PackItem:
    """What to write under one name; the fields are those of `PackEntry`.

    Attributes
    ----------
    name, role : str
    frame : bytes or Later
        Of a frame, of the first part of one, and of what is attached.
    shape : tuple of int
    target, dtype : str
    """

    name: str
    role: str
    frame: Part = b""
    shape: tuple[int, ...] = ()
    target: str = ""
    dtype: str = "float32"


def write_pack(
    items: Sequence[PackItem], profile: str = "balanced", notes: Notes = _NO_NOTES
) -> list[Part]:
    """Return the parts of a pack, to be written one after the other.

    Parameters
    ----------
    items : sequence of PackItem
        Names are unique, and have at most 1,024 bytes of UTF-8.
    profile : str
        Of the table's frame.
    notes : Notes
        Of the pack.

    Raises
    ------
    ValueError
        For names or targets that a pack does not allow.

    Examples
    --------
    >>> from qcodec._io.source import BytesSource
    >>> tied = PackItem("head", "same", target="embedding")
    >>> parts = write_pack([PackItem("embedding", "frame", b"a frame"), tied])
    >>> pack = read_pack(BytesSource(b"".join(parts)))
    >>> [(entry.name, entry.size, entry.target) for entry in pack.entries]
    [('embedding', 7, 'embedding'), ('head', 7, 'embedding')]
    """
    table = _write_table(_write_content(items), profile, notes)
    frames = (item.frame for item in items if size_of(item.frame))
    return [core.pack_write_head(len(table)), table, *frames]


def _write_content(items: Sequence[PackItem]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    texts = [text.encode("utf-8") for item in items for text in (item.name, item.target)]
    sizes = np.array([len(text) for text in texts], np.uintp)
    offsets = np.cumsum(sizes) - sizes
    dims = np.array([dim for item in items for dim in item.shape], np.uint64)
    ranks = np.array([len(item.shape) for item in items], np.uintp)
    table = np.zeros(len(items), core.PACK_ENTRY)
    table["name_offset"], table["name_bytes"] = offsets[::2], sizes[::2]
    table["target_offset"], table["target_bytes"] = offsets[1::2], sizes[1::2]
    table["role"] = [ROLES.index(item.role) for item in items]
    table["bytes"] = [size_of(item.frame) for item in items]
    table["dims_offset"], table["ndim"] = np.cumsum(ranks) - ranks, ranks
    table["dtype"] = [BY_NAME[item.dtype].id for item in items]
    return core.pack_write_content(b"".join(texts), dims, table.view("u1"))


def _write_table(content: np.ndarray[Any, np.dtype[np.uint8]], profile: str, notes: Notes) -> bytes:
    quantized = quantize_verbatim(content)

    def encode(profile: str) -> bytes:
        codings = (1 << len(core.coding_names())) - 1
        return encode_quantized(
            quantized, profile=profile, codings=codings, positions="dense", notes=notes
        )

    table = encode(profile)
    if len(content) > _allowed(len(table)):  # what repeats so often is stored as it is
        return encode("fixed")
    return table
