"""Builds the bytes of files: a safetensors file with a pack, frames and ordinary tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from .._base.arrays import Typed, little_endian_bytes
from .._base.messages import quoted
from .._frame.notes import Notes
from .._io.later import Later, Part, size_of
from ..errors import naming
from . import sub_byte
from .directory import FRAME_SUFFIX, PACK_NAME
from .header import METADATA
from .header_writer import TensorSpec, write_header
from .metadata import to_json
from .pack import PackItem, write_pack

#: Where the frames of a safetensors file are: small ones in a pack, or each in an entry of its own.
Layout = Literal["pack", "entries"]

#: In the layout "pack", smaller frames go into the pack, because an entry in the header costs 60 to
#: 80 bytes.
LARGE_FRAME_BYTES = 1 << 16


@dataclass(frozen=True, eq=False)
class Ordinary(Typed):
    """A tensor that is stored without encoding, as safetensors stores it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The dimensions."""
        shape: tuple[int, ...] = self.array.shape
        return shape

    @property
    def type_name(self) -> str:
        """The name of the element type, for recipes and messages."""
        return self.element.name


@dataclass(frozen=True, eq=False)
class Opaque:
    """A tensor of a safetensors file whose element type qcodec does not support.

    Attributes
    ----------
    data : memoryview
        The bytes of the elements, little-endian.
    type_name : str
        The element type as safetensors spells it, such as ``"F4"``.
    shape : tuple of int
    """

    data: memoryview
    type_name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Alias:
    """Another name for a tensor.

    Attributes
    ----------
    target : str
        The tensor's own name.
    converted_to : str
        The element type of a tensor of its own with these elements; empty: one tensor has both
        names.
    """

    target: str
    converted_to: str = ""


@dataclass(frozen=True, eq=False)
class Bundle:
    """Several tensors in one frame, one after the other.

    Attributes
    ----------
    frame : bytes
    shapes : dict of str to tuple of int
        By name, in the order of the frame.
    """

    frame: bytes
    shapes: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Attached:
    """The bytes of a file that are no tensor, as a frame of uint8."""

    frame: bytes


class OnDemand(Later):
    """An ordinary tensor whose array is requested when the file is written.

    So the arrays of a mapping that loads them on demand, or of a file that is decoded, are never
    all in memory.

    Parameters
    ----------
    name : str
    type_name : str
        The element type as safetensors spells it; not one of elements of less than a byte, for
        which it is checked before anything is written that they fit.
    shape : tuple of int
    size : int
        Number of bytes.
    read : callable
        Returns the tensor; its errors name it.
    """

    def __init__(
        self,
        name: str,
        type_name: str,
        shape: tuple[int, ...],
        size: int,
        read: Callable[[], Ordinary | Opaque],
    ) -> None:
        self._name, self._read = name, read
        self.type_name, self.shape, self.size = type_name, shape, size

    @classmethod
    def like(
        cls, name: str, tensor: Ordinary | Opaque, read: Callable[[], Ordinary | Opaque]
    ) -> OnDemand:
        """Make one of a tensor as it is now, which is not kept."""
        type_name, shape, data = bytes_of_tensor(name, tensor)
        return cls(name, type_name, shape, data.nbytes, read)

    def read(self, offset: int, size: int) -> memoryview:
        return self._all()[offset : offset + size]

    def pieces(self) -> Iterator[memoryview]:
        yield self._all()

    def tensor(self) -> Ordinary | Opaque:
        """Return the tensor, which is not kept."""
        return self._both()[0]

    def _all(self) -> memoryview:
        return self._both()[1]

    def _both(self) -> tuple[Ordinary | Opaque, memoryview]:
        tensor = self._read()
        with naming(self._name):
            type_name, shape, data = bytes_of_tensor(self._name, tensor)
            if (type_name, shape) != (self.type_name, self.shape):
                raise ValueError("its type or shape changed while the file was written")
            return tensor, data


#: A frame; large ones may be in a temporary file.
Frame = bytes | Later
#: What a file holds under a name: a frame, a part of a frame, another name, or an ordinary tensor.
Content = Frame | Bundle | Alias | Attached | Ordinary | Opaque | OnDemand
#: The parts of a file, in order: its header, frames, and the bytes of arrays.
Parts = list[Part]


def pack_parts(
    contents: Mapping[str, Content],
    metadata: Mapping[str, str] | None = None,
    profile: str = "balanced",
) -> Parts:
    """Return the parts of a bare pack, which cannot hold ordinary tensors.

    Metadata is the JSON note of the pack.

    Raises
    ------
    ValueError
        For a name that a pack does not allow.
    """
    notes = Notes(json=to_json(dict(metadata)) if metadata else None)
    return [*write_pack(_items(contents), profile, notes)]


def safetensors_parts(
    contents: Mapping[str, Content],
    metadata: Mapping[str, str] | None = None,
    profile: str = "balanced",
    layout: Layout = "pack",
) -> Parts:
    """Return the parts of a safetensors file (format, section 9).

    In the layout ``"entries"``, the contents are frames and ordinary tensors.

    Raises
    ------
    ValueError
        For a tensor's name that the format reserves for its own entries.
    """
    for name, content in contents.items():
        is_reserved = name in (PACK_NAME, METADATA) or name.endswith(FRAME_SUFFIX)
        if is_reserved and not isinstance(content, Attached):  # which is in the pack in any case
            raise ValueError(
                f"a tensor cannot be called {quoted(name)}: the format reserves that name"
            )
    least = 0 if layout == "entries" else LARGE_FRAME_BYTES
    packed: dict[str, Content] = {}
    entries: dict[str, _Entry] = {}
    for name, content in contents.items():
        if isinstance(content, OnDemand):
            entries[name] = _Entry(content.type_name, content.shape, [content])
        elif isinstance(content, Ordinary | Opaque):
            dtype, shape, data = bytes_of_tensor(name, content)
            entries[name] = _Entry(dtype, shape, [data])
        elif isinstance(content, Frame) and size_of(content) >= least:
            entries[name + FRAME_SUFFIX] = _bytes_entry(content)
        else:
            packed[name] = content
    if packed:
        entries[PACK_NAME] = _bytes_entry(*write_pack(_items(packed), profile))
    specifications = {
        name: TensorSpec(entry.dtype, entry.shape, sum(map(size_of, entry.parts)))
        for name, entry in entries.items()
    }
    header, order = write_header(specifications, metadata)
    return [header, *(part for name in order for part in entries[name].parts)]


def check_layout(layout: Layout, is_pack: bool, has_attached: bool) -> None:
    """Raise ValueError if the layout is none, or is one without a pack where one is needed."""
    if layout not in ("pack", "entries"):
        raise ValueError(f"layout is {layout!r}, allowed are 'pack' and 'entries'")
    if layout == "entries" and (is_pack or has_attached):
        what = "a .qcodec file is one" if is_pack else "attached bytes need one"
        raise ValueError(f"layout is 'entries', which has no pack: {what}")


def bytes_of_tensor(
    name: str, tensor: Ordinary | Opaque
) -> tuple[str, tuple[int, ...], memoryview]:
    """Return type, shape and bytes of a tensor as safetensors stores it.

    Raises
    ------
    ValueError
        If elements of less than a byte have bits that do not fit; the message names the tensor.
    """
    if isinstance(tensor, Opaque):
        return tensor.type_name, tensor.shape, tensor.data
    return tensor.element.safetensors, tensor.shape, _bytes_of(name, tensor).data


def _bytes_of(name: str, tensor: Ordinary) -> Any:
    """Return the bytes of a tensor as safetensors stores them."""
    data, bits = little_endian_bytes(tensor.array), tensor.element.packed_bits
    if not bits:
        return data
    try:
        return sub_byte.pack(data, bits)
    except ValueError as error:
        raise ValueError(f"tensor {quoted(name)}: {error}") from None


def _items(contents: Mapping[str, Content]) -> list[PackItem]:
    """Return the entries of a pack; the parts of a frame follow each other."""
    items: list[PackItem] = []
    bundles: set[int] = set()
    for name, content in contents.items():
        if isinstance(content, Bundle):
            if id(content) not in bundles:
                bundles.add(id(content))
                items += _parts_of(content)
        elif isinstance(content, Alias):
            role = "converted" if content.converted_to else "same"
            dtype = content.converted_to or "float32"
            items.append(PackItem(name, role, target=content.target, dtype=dtype))
        elif isinstance(content, Attached):
            items.append(PackItem(name, "attached", content.frame))
        elif isinstance(content, Frame) and not isinstance(content, OnDemand):
            items.append(PackItem(name, "frame", content))
        else:
            raise TypeError("a pack holds frames, not ordinary tensors")
    return items


def _parts_of(bundle: Bundle) -> list[PackItem]:
    first, *others = bundle.shapes.items()
    return [
        PackItem(first[0], "first", bundle.frame, first[1]),
        *(PackItem(name, "next", shape=shape) for name, shape in others),
    ]


class _Entry(NamedTuple):
    """One entry of a safetensors file."""

    dtype: str
    shape: tuple[int, ...]
    parts: Parts


def _bytes_entry(*parts: Part) -> _Entry:
    return _Entry("U8", (sum(map(size_of, parts)),), [*parts])
