"""Reads ordinary safetensors tensors with the methods of encoded ones."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from .._base.arrays import cast, check_out, from_little_endian
from .._base.messages import quoted, shape_text
from .._base.threads import Task, run_all, runs_of
from .._core.interrupt import check
from .._frame.indexing import Index, select
from .._io.source import Readable, forget, is_view
from ..dtypes import BY_SAFETENSORS, ElementType, output_type
from ..errors import CorruptError, LimitError, UnsupportedError
from ..limits import Limits
from . import sub_byte
from .header import HeaderEntry

Array = np.ndarray[Any, Any]

#: The most dimensions of a NumPy array.
_MAX_DIMS = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32
#: As in frames (format, section 2): far below any overflow of 64-bit arithmetic.
_MAX_SIZE = 1 << 56
_CHECKED_AT_ONCE = 1 << 20
# Bytes that are read at once. Where they are copied, they should stay in the caches; where they are
# mapped, they count as memory of the process until they are forgotten.
_READ_AT_ONCE = 1 << 20
_MAPPED_AT_ONCE = 1 << 24
_FORGOTTEN_BYTES = 1 << 22
# Where a part leaves out this many bytes, they are not read.
_GAP_BYTES = 1 << 16
# To copy a byte takes as long as to write so many: `LEAST_WORK`.
_COPY_WORK = 2


class OrdinaryTensor:
    """An ordinary tensor of a safetensors file, with the methods of `Encoded`.

    Parameters
    ----------
    source : Readable
        The bytes of the tensor.
    name : str
    entry : HeaderEntry
    limits : Limits
    input_bytes : int
        The size of the whole file.

    Raises
    ------
    UnsupportedError
        If qcodec does not decode elements of this type.
    LimitError
        If NumPy does not support arrays of this shape.
    """

    def __init__(
        self, source: Readable, name: str, entry: HeaderEntry, limits: Limits, input_bytes: int
    ) -> None:
        if entry.dtype not in BY_SAFETENSORS:
            what = f"elements of type {entry.dtype}, which qcodec does not decode"
            raise UnsupportedError(f"tensor {quoted(name)} has {what}")
        self._source = source
        self._limits = limits
        self._input_bytes = input_bytes
        self.shape = entry.shape
        self.element_type: ElementType = BY_SAFETENSORS[entry.dtype]
        check_shape(name, self.shape, self.element_type.itemsize)

    @property
    def elements(self) -> int:
        """Number of elements of the tensor."""
        return math.prod(self.shape)

    def decode(
        self,
        *,
        out: Array | None = None,
        dtype: object = None,
        threads: int = 1,
    ) -> Array:
        """Read the whole tensor, as `Encoded.decode` does."""
        out, tasks = self.decoding(out=out, dtype=dtype, threads=threads)
        if len(tasks) == 1:
            tasks[0]()
        else:
            run_all(tasks, threads)
        return out

    def decoding(
        self, *, out: Array | None = None, dtype: object = None, threads: int = 1
    ) -> tuple[Array, list[Task]]:
        """Return the output of `decode`, and calls that fill it, at the same time or in order."""
        target = output_type(self.element_type, dtype)
        needed = self.elements * target.itemsize
        runs = runs_of(self.elements, 8, self.work(needed), threads)
        if out is None:
            self._limits.check_tensor(needed, self._input_bytes)
            out = np.empty(self.shape, target.carrier)
        else:
            check_out(out, self.shape, target)
        flat = out.reshape(-1)
        return out, [partial(self._fill, start, target, flat[start:stop]) for start, stop in runs]

    def work(self, nbytes: int) -> int:
        """Return how much work decoding to this many bytes is: `LEAST_WORK`."""
        return nbytes + _COPY_WORK * self._source.size

    def verify(self) -> None:
        """Raise what `decode` would; only bool has invalid bytes."""
        if self.element_type.name == "bool":
            for offset in range(0, self._source.size, _CHECKED_AT_ONCE):
                self._bytes(offset, min(_CHECKED_AT_ONCE, self._source.size - offset))

    def __getitem__(self, index: Index) -> Array:
        """A part of the tensor; of bytes in a row that are not needed, only 64 KiB are read."""
        part, element = select(index, self.shape), self.element_type
        self._limits.check_tensor(part.wanted * element.itemsize, self._input_bytes)
        if part.is_range:
            out = np.empty(part.wanted, element.carrier)
            self._fill(part.first, element, out)
            return out.reshape(part.shape)
        return part.gather(self._read, element.carrier, _GAP_BYTES // element.itemsize)

    def _fill(self, first: int, target: ElementType, out: Array) -> None:
        """Read elements from number `first` on, converted, until `out` is full."""
        at_once = _MAPPED_AT_ONCE if is_view(self._source) else _READ_AT_ONCE
        each = at_once // self.element_type.itemsize
        least = _FORGOTTEN_BYTES // self.element_type.itemsize
        for start in range(0, len(out) or 1, each):  # even of nothing: a closed source says so
            check()
            part = out[start : start + each]
            begin, end = first + start, first + start + len(part)
            cast(self._read(begin, end), self.element_type, target, part)
            if len(part) >= least:
                forget(self._source, *self._place(begin, end))

    def _place(self, first: int, stop: int) -> tuple[int, int]:
        """Return where elements are: the offset of their first byte, and the number of bytes."""
        bits = self.element_type.packed_bits or 8 * self.element_type.itemsize
        return first * bits // 8, -(-stop * bits // 8) - first * bits // 8

    def _read(self, first: int, stop: int) -> Array:
        """Return elements, perhaps as a view of the source."""
        element, data = self.element_type, self._bytes(*self._place(first, stop))
        if element.packed_bits:
            bit = first * element.packed_bits % 8
            data = sub_byte.unpack(data, element.packed_bits, bit, stop - first)
        return from_little_endian(data, element.carrier)

    def _bytes(self, offset: int, size: int) -> Array:
        data = np.frombuffer(self._source.read(offset, size), np.uint8)
        if self.element_type.name == "bool" and size and int(data.max()) > 1:
            at = int(np.argmax(data > 1))
            found = int(data[at])
            message = f"bool at byte {offset + at:,} (found {found}, allowed 0 and 1)"
            raise CorruptError(message, offset + at, found, 1)
        return data


def check_shape(name: str, shape: tuple[int, ...], item_size: int) -> None:
    """Raise `LimitError` if NumPy does not support arrays of this shape."""
    # NumPy multiplies the dimensions that are not zero, so even an empty tensor may be too large.
    size = item_size * math.prod(shape if 0 not in shape else filter(None, shape))
    if len(shape) <= _MAX_DIMS and size < _MAX_SIZE:
        return
    what = f"tensor {quoted(name)} has the shape {shape_text(shape)}"
    if len(shape) > _MAX_DIMS:
        message = f"{what}, allowed are {_MAX_DIMS} dimensions"
        raise LimitError(message, None, len(shape), _MAX_DIMS)
    message = f"{what}: {size:,} bytes without its zeros, allowed is less than 2**56"
    raise LimitError(message, None, size, _MAX_SIZE - 1)
