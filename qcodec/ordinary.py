"""Tensors that were left as safetensors stores them: read like encoded ones."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from .arrays import cast, from_little_endian
from .dtypes import BY_SAFETENSORS, ElementType, element_type
from .errors import UnsupportedError
from .header import HeaderEntry
from .indexing import Index, select
from .source import Readable

Array = np.ndarray[Any, Any]


class OrdinaryTensor:
    """An ordinary tensor of a safetensors file, with the methods of `Encoded`.

    Parameters
    ----------
    source : Readable
        Its bytes.
    name : str
    entry : HeaderEntry

    Raises
    ------
    UnsupportedError
        If NumPy has no such elements.
    """

    def __init__(self, source: Readable, name: str, entry: HeaderEntry) -> None:
        if entry.dtype not in BY_SAFETENSORS:
            raise UnsupportedError(f"tensor {name!r} has elements of type {entry.dtype}")
        self._source = source
        self.shape = entry.shape
        self.element_type: ElementType = BY_SAFETENSORS[entry.dtype]

    def decode(
        self,
        *,
        out: Array | None = None,
        dtype: object = None,
        threads: int = 1,
    ) -> Array:
        """The whole tensor, as `Encoded.decode` gives it."""
        target = self.element_type if dtype is None else element_type(dtype)
        if target != self.element_type and not (self.element_type.is_float and target.is_float):
            raise TypeError(
                f"a tensor of {self.element_type.name} cannot be given as {target.name}"
            )
        array = cast(self._read(0, self._source.size, self.shape), self.element_type, target)
        if out is None:
            return array.copy() if array.base is not None else array
        if out.shape != array.shape or out.dtype != array.dtype:
            raise ValueError(
                f"out is {out.dtype}{list(out.shape)}, "
                f"the tensor is {array.dtype}{list(array.shape)}"
            )
        out[...] = array
        return out

    def verify(self) -> None:
        """Nothing can be wrong: any bytes are some numbers, and the header was checked."""

    def __getitem__(self, index: Index) -> Array:
        """A part of the tensor; only the rows that hold it are read."""
        part, size = select(index, self.shape), self.element_type.itemsize
        block = self._read(part.first * size, part.count * size, part.block_shape)
        return np.array(block[part.rest])

    def _read(self, offset: int, size: int, shape: tuple[int, ...]) -> Array:
        data = np.frombuffer(self._source.read(offset, size), np.uint8)
        return from_little_endian(data, self.element_type.carrier).reshape(shape)


def to_torch(array: Array, element: ElementType) -> Any:
    """An array as a torch tensor of the same memory.

    Parameters
    ----------
    array : numpy.ndarray
        Writable, in the carrier dtype of `element`.
    element : ElementType

    Returns
    -------
    torch.Tensor
    """
    torch = importlib.import_module("torch")
    if element.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"):
        # torch takes no NumPy type for these: their bits go over as integers.
        bits = array.view(f"i{element.itemsize}")
        return torch.from_numpy(bits).view(getattr(torch, element.name))
    return torch.from_numpy(array)
