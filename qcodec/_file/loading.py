"""Decodes all tensors of a file, on several threads."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from .._base.arrays import cast, from_little_endian
from .._base.threads import Task, run_all, worthwhile
from .._core import core
from .._frame.parts import check_part
from .._io.source import Source
from ..dtypes import BY_ID, BY_SAFETENSORS, ElementType, output_type
from ..errors import QCodecError, naming
from ..limits import Limits
from .converted import ConvertedTensor
from .directory import Stored
from .opener import Opener
from .shared_frame import PartOfFrame, SharedFrame

Array = np.ndarray[Any, Any]
#: An array with its element type.
Loaded = tuple[Array, ElementType]

# Tensors of up to this many bytes in the file, one after the other, are read together.
_SMALL_BYTES = 1 << 16
_TOGETHER_BYTES = 1 << 20
# Smaller tensors take most of their time in Python, so threads do not help.
_TINY_BYTES = 1 << 14
# The system's work for new memory, in bytes of output per byte: `LEAST_WORK`.
_FRESH_WORK = 4


@dataclass
class _Group:
    """Tensors that are read together: alone, small ones in a row, or the parts of a frame."""

    first: Stored
    members: list[Stored] = field(default_factory=list)
    stop: int = 0  # offset of the first byte behind them
    nbytes: int = 0  # once decoded, if `is_small`

    @property
    def is_small(self) -> bool:
        return len(self.members) > 1 and self.first.part is None

    @property
    def is_tiny(self) -> bool:
        return self.is_small and self.nbytes < _TINY_BYTES * len(self.members)


def _groups(tensors: Iterable[Stored]) -> Iterator[_Group]:
    """Yield the tensors in the order of their bytes; names that share one tensor count once."""
    found: set[tuple[str, str]] = set()
    group: _Group | None = None
    for stored in sorted(tensors, key=attrgetter("offset")):
        if stored.identity in found:
            continue
        found.add(stored.identity)
        if group is None or not _belongs(stored, group):
            if group is not None:
                yield group
            group = _Group(stored)
        group.members.append(stored)
        group.stop = stored.offset + stored.size
    if group is not None:
        yield group


def _belongs(stored: Stored, group: _Group) -> bool:
    first = group.first
    if first.part is not None or stored.part is not None:
        return first.part is not None and stored.offset == first.offset
    return (
        stored.offset == group.stop
        and _is_small(stored)
        and _is_small(first)
        and stored.offset + stored.size - first.offset <= _TOGETHER_BYTES
    )


def _is_small(stored: Stored) -> bool:
    return 0 < stored.size <= _SMALL_BYTES and not stored.converted_to and stored.load is None


class Loading:
    """All tensors of a file.

    Parameters
    ----------
    tensors : iterable of Stored
    opener : Opener
    source : Source
        The whole file.
    limits : Limits
    dtype : optional
        The type to which float tensors are decoded; the default is their own type.
    """

    def __init__(
        self,
        tensors: Iterable[Stored],
        opener: Opener,
        source: Source,
        limits: Limits,
        dtype: object = None,
    ) -> None:
        self._groups = list(_groups(tensors))
        self._opener = opener
        self._source = source
        self._limits = limits
        self._dtype = dtype
        self._targets: dict[ElementType, ElementType] = {}

    # ---- sizes ----

    def check_total(self) -> int:
        """Check the limits for all tensors together. Only their heads are read.

        Returns
        -------
        int
            The work that threads can share.

        Raises
        ------
        LimitError
            If a tensor, or all tensors together, would be larger than the limits allow.
        """
        largest, largest_total = self._limits.most_bytes(self._source.size)
        total = shared = 0
        for name, size, work in self._sizes():
            if size > largest:
                with naming(name):
                    self._limits.check_tensor(size, self._source.size)
            total += size
            if total > largest_total:
                self._limits.check_total(total, self._source.size)
            if size > _TINY_BYTES:
                shared += work + _FRESH_WORK * size
        return shared

    def _sizes(self) -> Iterator[tuple[str, int, int]]:
        """Yield names, with the bytes and the work of the arrays that are built for them."""
        for group in self._groups:
            if group.first.part is not None:
                yield from self._sizes_of_parts(group)
            elif group.is_small:
                yield from self._sizes_of_small(group)
            else:
                yield self._size_of(group.first)

    def _sizes_of_parts(self, group: _Group) -> Iterator[tuple[str, int, int]]:
        types: set[str] = set()
        for stored in group.members:
            if stored.converted_to:
                yield self._size_of(stored)
            if stored.converted_to not in types:  # the frame is decoded for all its parts
                types.add(stored.converted_to)
                yield self._size_of(stored._replace(part=None))

    def _sizes_of_small(self, group: _Group) -> Iterator[tuple[str, int, int]]:
        small, group.nbytes = _Small(self._source, group), 0
        for stored in group.members:
            found = small.head(stored, verify=True)
            if found is None:
                size = self._size_of(stored)
            else:
                shape, element = found
                size = stored.name, math.prod(shape) * self._target(element).itemsize, 0
            group.nbytes += size[1]
            yield size

    def _size_of(self, stored: Stored) -> tuple[str, int, int]:
        if stored.opaque:
            return stored.name, stored.size, 0
        tensor = self._opener.tensor(stored)
        size = tensor.elements * self._target(tensor.element_type).itemsize
        return stored.name, size, tensor.work(size)

    def _target(self, element: ElementType) -> ElementType:
        """Return the type to which tensors of a type are decoded."""
        found = self._targets.get(element)
        if found is None:
            found = output_type(element, self._dtype if element.is_float else None)
            self._targets[element] = found
        return found

    # ---- elements ----

    def arrays(self, threads: int) -> dict[tuple[str, str], Loaded]:
        """Decode all tensors; returns them by their `Stored.identity`.

        Raises
        ------
        LimitError
            As `check_total`; then none is decoded.
        QCodecError
            If a tensor is not valid: of the first in the order of the file.
        """
        threads = worthwhile(threads, self.check_total())
        found: dict[tuple[str, str], Loaded] = {}
        run_all(self._tasks(found, threads), threads)
        return found

    def _tasks(self, found: dict[tuple[str, str], Loaded], threads: int) -> Iterator[Task]:
        """Yield calls that put the tensors into `found`."""
        for group in self._groups:
            if group.first.part is not None:
                yield partial(self._load_parts, group, found)
            elif group.is_tiny:
                yield partial(self._later, group, found)
            elif group.is_small:
                yield partial(self._load_small, group, found)
            else:
                stored = group.first
                tensor = self._opener.tensor(stored)
                with naming(stored.name):
                    target = self._target(tensor.element_type)
                    array, tasks = tensor.decoding(dtype=target.name, threads=threads)
                found[stored.identity] = array, target
                yield from (partial(_run_named, stored.name, task) for task in tasks)

    def _later(self, group: _Group, found: dict[tuple[str, str], Loaded]) -> Callable[[], None]:
        """Leave a group to the calling thread."""
        return partial(self._load_small, group, found)

    def _load_small(self, group: _Group, found: dict[tuple[str, str], Loaded]) -> None:
        small = _Small(self._source, group)
        for stored in group.members:
            head = small.head(stored, verify=False)
            array = None
            if head is not None:
                shape, element = head
                target = self._target(element)
                array = small.decode(stored, shape, element, target)
            if array is None:
                array, target = self._load_one(stored)
            found[stored.identity] = array, target

    def _load_one(self, stored: Stored) -> Loaded:
        tensor = self._opener.tensor(stored)
        with naming(stored.name):
            target = self._target(tensor.element_type)
            return tensor.decode(dtype=target.name), target

    def _load_parts(
        self, group: _Group, found: dict[tuple[str, str], Loaded]
    ) -> Callable[[], None]:
        """Decode a frame; return what copies its parts."""
        whole = self._opener.encoded(group.first._replace(part=None))
        shared = SharedFrame(group.first.offset, whole)
        _check_parts(group, whole.frame)
        with naming(group.first.name):
            assert group.first.part is not None
            check_part(group.first.part, whole.frame)
            shared.elements(self._target(whole.element_type))
        return partial(self._copy_parts, group, shared, found)

    def _copy_parts(
        self, group: _Group, shared: SharedFrame, found: dict[tuple[str, str], Loaded]
    ) -> None:
        target = self._target(shared.whole.element_type)
        elements = shared.elements(target)
        for stored in group.members:
            part = stored.part
            assert part is not None
            if stored.converted_to:
                with naming(stored.name):
                    found[stored.identity] = self._converted(stored, PartOfFrame(shared, part))
            else:
                array = elements[part.first : part.first + part.elements].reshape(part.shape)
                found[stored.identity] = array.copy(), target

    def _converted(self, stored: Stored, part: PartOfFrame) -> Loaded:
        tensor = ConvertedTensor(part, stored.converted_to)
        target = self._target(tensor.element_type)
        return tensor.decode(dtype=target.name), target


def _check_parts(group: _Group, frame: core.Frame) -> None:
    """Check that the frame has the parts; a message costs nothing until there is one."""
    name = ""
    try:
        for stored in group.members:
            name = stored.name
            assert stored.part is not None
            check_part(stored.part, frame)
    except QCodecError:
        with naming(name):
            raise


def _run_named(name: str, task: Task) -> None:
    with naming(name):
        task()


class _Small:
    """The bytes of small tensors in a row.

    Anything unusual, faults included, is left to `Opener.tensor`: then the methods return None.
    """

    def __init__(self, source: Source, group: _Group) -> None:
        self._start = group.first.offset
        self._bytes = source.read(self._start, group.stop - self._start)
        self._frames = core.SmallFrames(self._bytes)

    def head(self, stored: Stored, verify: bool) -> tuple[tuple[int, ...], ElementType] | None:
        """Return the shape and the element type."""
        entry = stored.ordinary
        if entry is None:
            found = self._frames.head(stored.offset - self._start, stored.size, verify)
            return None if found is None else (found[0], BY_ID[found[1]])
        element = BY_SAFETENSORS.get(entry.dtype)
        if element is None or element.packed_bits or element.name == "bool" or len(entry.shape) > 8:
            return None
        return entry.shape, element

    def decode(
        self, stored: Stored, shape: tuple[int, ...], element: ElementType, target: ElementType
    ) -> Array | None:
        """Return the elements in the type of `target`."""
        offset = stored.offset - self._start
        if stored.ordinary is not None and target is element and sys.byteorder == "little":
            count = stored.size // element.itemsize
            found = np.frombuffer(self._bytes, element.carrier, count, offset)
            return found.reshape(shape).copy()
        out = np.empty(shape, target.carrier)
        if stored.ordinary is None:
            done = self._frames.decode_whole(offset, stored.size, target.id, out, True)
            return out if done else None
        data = np.frombuffer(self._bytes, np.uint8, stored.size, offset)
        cast(from_little_endian(data, element.carrier).reshape(shape), element, target, out)
        return out
