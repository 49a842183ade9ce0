"""Tensors as formats describe them: bytes at a place, with a type, a shape and perhaps strides."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import accumulate
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from .._base.arrays import from_little_endian
from .._base.messages import shape_text
from .._file.directory import Stored
from .._file.header import HeaderEntry
from .._io.source import Readable
from ..dtypes import BY_SAFETENSORS
from ..errors import CorruptError, TruncatedError, UnsupportedError, naming

Array = np.ndarray[Any, Any]

#: As in frames (format, section 2): far below any overflow of 64-bit arithmetic.
_MAX_SIZE = 1 << 56


class Located(NamedTuple):
    """A tensor in a file.

    Attributes
    ----------
    dtype : str
        As safetensors spells it.
    shape : tuple of int
    offset : int
        Of its first byte, from the file's first byte.
    limit : int
        Where its bytes have to end.
    strides : tuple of int, optional
        In elements, one for each dimension; None: rows follow each other without gaps.
    is_big_endian : bool
    source : Readable, optional
        What `offset` is in, if not the file.
    size : int, optional
        The number of bytes, if not that of the elements. Then `convert` makes the array of them.
    convert : callable, optional
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    limit: int
    strides: tuple[int, ...] | None = None
    is_big_endian: bool = False
    source: Readable | None = None
    size: int | None = None
    convert: Callable[[Array], Array] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether its bytes in the file are those of the array."""
        return self.strides is None and self.is_plain_but_for_strides

    @property
    def is_plain_but_for_strides(self) -> bool:
        """Whether only the order of the elements may differ from that of the array."""
        return self[5:] == (False, None, None, None)


class Unreadable(NamedTuple):
    """A tensor of a kind that qcodec does not read, such as a sparse one; what kind."""

    kind: str


def fortran_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of an array whose first dimension changes fastest.

    Examples
    --------
    >>> fortran_strides((2, 3, 4))
    (1, 2, 6)
    """
    return tuple(accumulate(shape[:-1], mul, initial=1)) if shape else ()


def stored_of(name: str, tensor: Located, source: Readable) -> Stored:
    """Return the entry of a directory for a tensor.

    Raises
    ------
    UnsupportedError
        If qcodec has no elements of this type.
    CorruptError, TruncatedError
        If the tensor is not where it should be; the message names it.
    """
    with naming(name):
        tensor = tensor._replace(strides=_needed_strides(tensor))
        size, what = _size_of(tensor), f"{tensor.dtype}{shape_text(tensor.shape)}"
        stop = tensor.offset + size
        if tensor.offset < 0 or stop > tensor.limit:
            message = f"{what} ends at byte {stop:,}, its bytes end at {tensor.limit:,}"
            raise TruncatedError(message, tensor.offset, tensor.limit, stop)
    entry = HeaderEntry(tensor.dtype, tensor.shape, tensor.offset, size)
    if tensor.is_plain:
        return Stored(name, tensor.offset, size, entry, name)
    load = partial(_load, tensor, size, tensor.source or source)
    axes = _axes(tensor) if tensor.is_plain_but_for_strides else ()
    return Stored(name, tensor.offset, size, entry, name, load=load, axes=axes)


def _size_of(tensor: Located) -> int:
    """Return the number of bytes from the first element to the last."""
    shape, element = tensor.shape, BY_SAFETENSORS.get(tensor.dtype)
    if element is None or element.packed_bits:
        raise UnsupportedError(f"elements of type {tensor.dtype}")
    dense = math.prod(dim for dim in shape if dim) * element.itemsize
    if min(shape, default=0) < 0 or dense >= _MAX_SIZE:
        raise CorruptError(f"the shape {shape_text(shape)}")
    return element.itemsize * _extent(tensor) if tensor.size is None else tensor.size


def _needed_strides(tensor: Located) -> tuple[int, ...] | None:
    """Return None if the elements follow each other anyway."""
    strides, shape = tensor.strides, tensor.shape
    if strides is None or 0 in shape:
        return None
    if len(strides) != len(shape) or min(strides, default=0) < 0:
        raise CorruptError(f"strides {shape_text(strides)} for the shape {shape_text(shape)}")
    expected = 1
    for dim, stride in zip(reversed(shape), reversed(strides), strict=True):
        if dim != 1 and stride != expected:
            return strides
        expected *= dim
    return None


def _axes(tensor: Located) -> tuple[int, ...]:
    """Return the order of axes in which the elements follow each other; empty if there is none."""
    strides = tensor.strides
    if strides is None:
        return ()
    axes = tuple(sorted(range(len(strides)), key=lambda axis: (-strides[axis], axis)))
    turned = tensor._replace(
        shape=tuple(tensor.shape[axis] for axis in axes),
        strides=tuple(strides[axis] for axis in axes),
    )
    return axes if _needed_strides(turned) is None else ()


def _extent(tensor: Located) -> int:
    shape, strides = tensor.shape, tensor.strides
    if strides is None:
        return math.prod(shape)
    return 1 + sum((dim - 1) * stride for dim, stride in zip(shape, strides, strict=True))


def _load(tensor: Located, size: int, source: Readable) -> Array:
    carrier = BY_SAFETENSORS[tensor.dtype].carrier
    data = np.frombuffer(source.read(tensor.offset, size), np.uint8)
    if tensor.convert is not None:
        return tensor.convert(data)
    if tensor.is_big_endian:
        data = data.reshape(-1, carrier.itemsize)[:, ::-1].reshape(-1)
    flat = from_little_endian(np.ascontiguousarray(data), carrier)
    if tensor.strides is None:
        return flat.reshape(tensor.shape)
    steps = tuple(stride * carrier.itemsize for stride in tensor.strides)
    view = np.lib.stride_tricks.as_strided(flat, tensor.shape, steps, writeable=False)
    return np.ascontiguousarray(view)
