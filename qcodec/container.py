"""Bytes of files: a safetensors file around a pack, frames and ordinary tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors

from .arrays import little_endian_bytes
from .directory import FRAME_SUFFIX, PACK_NAME
from .dtypes import BY_NAME, ElementType
from .pack import write_pack

Array = np.ndarray[Any, Any]

#: Frames below it share the pack: an entry of its own costs 60 to 80 bytes of header.
LARGE_FRAME_BYTES = 1 << 16


@dataclass(frozen=True, eq=False)
class Ordinary:
    """A tensor that is stored as safetensors stores it.

    Attributes
    ----------
    array : numpy.ndarray
        In C order, in the carrier dtype of `element`.
    element : ElementType
    """

    array: Array
    element: ElementType


@dataclass(frozen=True)
class Alias:
    """A tensor that is another one, by that one's name."""

    target: str


#: What a file holds under a name: a frame, another name, or an ordinary tensor.
Content = bytes | Alias | Ordinary


def pack_parts(contents: Mapping[str, Content]) -> list[bytes]:
    """The parts of a bare pack; there are no ordinary tensors in it.

    Raises
    ------
    ValueError
        For a name that a pack cannot have.
    """
    frames = {name: _in_pack(content) for name, content in contents.items()}
    return write_pack(list(frames), list(frames.values()))


def safetensors_parts(
    contents: Mapping[str, Content], metadata: Mapping[str, str] | None = None
) -> list[bytes]:
    """The parts of a safetensors file (format, section 9).

    Raises
    ------
    ValueError
        For a name that the file could not tell from its own entries.
    """
    for name in contents:
        if name in (PACK_NAME, "__metadata__") or name.endswith(FRAME_SUFFIX):
            raise ValueError(f"a tensor cannot be called {name!r}: files use that name themselves")
    targets = {content.target for content in contents.values() if isinstance(content, Alias)}
    packed: dict[str, bytes | str] = {}
    entries: dict[str, Ordinary] = {}
    for name, content in contents.items():
        if isinstance(content, Ordinary):
            entries[name] = content
        elif isinstance(content, Alias) or name in targets or len(content) < LARGE_FRAME_BYTES:
            packed[name] = _in_pack(content)
        else:
            entries[name + FRAME_SUFFIX] = _bytes_entry(content)
    if packed:
        pack = b"".join(write_pack(list(packed), list(packed.values())))
        entries[PACK_NAME] = _bytes_entry(pack)
    return [_serialize(entries, metadata)]


def _in_pack(content: Content) -> bytes | str:
    if isinstance(content, Ordinary):
        raise TypeError("a pack holds frames, not ordinary tensors")
    return content.target if isinstance(content, Alias) else content


def _bytes_entry(data: bytes) -> Ordinary:
    return Ordinary(np.frombuffer(data, "u1"), BY_NAME["uint8"])


def _serialize(entries: Mapping[str, Ordinary], metadata: Mapping[str, str] | None) -> bytes:
    # The library takes addresses: `contents` keeps the arrays alive until it is done.
    contents = {name: little_endian_bytes(entry.array) for name, entry in entries.items()}
    specifications = {
        name: safetensors.TensorSpec(
            dtype=entry.element.name,
            shape=entry.array.shape,
            data_ptr=contents[name].ctypes.data,
            data_len=contents[name].nbytes,
        )
        for name, entry in entries.items()
    }
    # Of an empty map, release 0.8 makes a header that it cannot read.
    return bytes(safetensors.serialize(specifications, dict(metadata) if metadata else None))
