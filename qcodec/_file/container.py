"""Bytes of files: a safetensors file around a pack, frames and ordinary tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .._base.arrays import Typed, little_endian_bytes
from .._base.messages import quoted
from .._frame.encoded import Encoded
from .._io.source import BytesSource
from ..errors import naming
from ..limits import Limits
from .directory import FRAME_SUFFIX, PACK_NAME, is_pack
from .header_writer import TensorSpec, write_header
from .pack import write_pack

#: Frames below it share the pack: an entry of its own costs 60 to 80 bytes of header.
LARGE_FRAME_BYTES = 1 << 16


@dataclass(frozen=True, eq=False)
class Ordinary(Typed):
    """A tensor that is stored as safetensors stores it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The dimensions."""
        shape: tuple[int, ...] = self.array.shape
        return shape

    @property
    def type_name(self) -> str:
        """The element type, as recipes and messages know it."""
        return self.element.name


@dataclass(frozen=True, eq=False)
class Opaque:
    """A tensor whose elements qcodec cannot decode, as a safetensors file holds it.

    Attributes
    ----------
    data : memoryview
        Its bytes, little-endian.
    type_name : str
        The element type as safetensors spells it, such as ``"F4"``.
    shape : tuple of int
    """

    data: memoryview
    type_name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Alias:
    """A tensor that is another one, by that one's name."""

    target: str


#: What a file holds under a name: a frame, another name, or an ordinary tensor.
Content = bytes | Alias | Ordinary | Opaque
#: What is written one after the other: a file's header, frames, and the bytes of arrays.
Parts = list[bytes | memoryview]


def pack_parts(contents: Mapping[str, Content]) -> Parts:
    """The parts of a bare pack; there are no ordinary tensors in it.

    Raises
    ------
    ValueError
        For a name that a pack cannot have.
    """
    frames = {name: _in_pack(content) for name, content in contents.items()}
    return [*write_pack(list(frames), list(frames.values()))]


def safetensors_parts(
    contents: Mapping[str, Content], metadata: Mapping[str, str] | None = None
) -> Parts:
    """The parts of a safetensors file (format, section 9).

    Raises
    ------
    ValueError
        For a name that the file could not tell from its own entries.
    """
    for name in contents:
        if name in (PACK_NAME, "__metadata__") or name.endswith(FRAME_SUFFIX):
            raise ValueError(
                f"a tensor cannot be called {quoted(name)}: files use that name themselves"
            )
    targets = {content.target for content in contents.values() if isinstance(content, Alias)}
    packed: dict[str, bytes | str] = {}
    entries: dict[str, _Entry] = {}
    for name, content in contents.items():
        if isinstance(content, Ordinary):
            data = little_endian_bytes(content.array).data
            entries[name] = _Entry(content.element.safetensors, content.shape, data)
        elif isinstance(content, Opaque):
            entries[name] = _Entry(content.type_name, content.shape, content.data)
        elif isinstance(content, Alias) or name in targets or len(content) < LARGE_FRAME_BYTES:
            packed[name] = _in_pack(content)
        else:
            entries[name + FRAME_SUFFIX] = _bytes_entry(content)
    if packed:
        pack = b"".join(write_pack(list(packed), list(packed.values())))
        entries[PACK_NAME] = _bytes_entry(pack)
    specifications = {
        name: TensorSpec(entry.dtype, entry.shape, len(entry.data))
        for name, entry in entries.items()
    }
    header, order = write_header(specifications, metadata)
    return [header, *(entries[name].data for name in order)]


def check_readable(contents: Mapping[str, Content], parts: Parts, limits: Limits) -> None:
    """Check what readers of these contents will.

    Parameters
    ----------
    contents : mapping of str to Content
    parts : list of bytes-like
        The whole file; the first one is its header, or the table of a pack.
    limits : Limits

    Raises
    ------
    LimitError
        If these limits do not let the file be read.
    """
    file_bytes = sum(map(len, parts))
    limits.check_file(file_bytes)
    limits.check_count(len(contents))
    if not is_pack(BytesSource(parts[0])):
        limits.check_header(len(parts[0]))
    total = 0
    for name, content in contents.items():
        size = _decoded_bytes(content)
        with naming(name):
            limits.check_tensor(size, file_bytes)
        total += size
        limits.check_total(total, file_bytes)


def _decoded_bytes(content: Content) -> int:
    if isinstance(content, Alias):
        return 0
    if isinstance(content, Ordinary):
        return content.array.nbytes
    return (
        len(content.data) if isinstance(content, Opaque) else Encoded(content, verify=False).nbytes
    )


class _Entry(NamedTuple):
    """One of a safetensors file."""

    dtype: str
    shape: tuple[int, ...]
    data: memoryview


def _bytes_entry(data: bytes) -> _Entry:
    return _Entry("U8", (len(data),), memoryview(data))


def _in_pack(content: Content) -> bytes | str:
    if isinstance(content, Ordinary | Opaque):
        raise TypeError("a pack holds frames, not ordinary tensors")
    return content.target if isinstance(content, Alias) else content
