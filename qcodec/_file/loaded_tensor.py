"""Reads tensors of other formats that have to be loaded as a whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._base.arrays import cast, check_out
from .._base.threads import Task
from .._frame.indexing import Index, select
from ..dtypes import BY_SAFETENSORS, ElementType, output_type
from ..limits import Limits
from .header import HeaderEntry

Array = np.ndarray[Any, Any]


class LoadedTensor:
    """A tensor whose array is loaded as a whole, with the methods of `Encoded`.

    Parameters
    ----------
    load : callable
        Returns the array, in C order.
    entry : HeaderEntry
        Its type and shape.
    limits : Limits
    input_bytes : int
        The size of the whole file.
    """

    def __init__(
        self, load: Callable[[], Array], entry: HeaderEntry, limits: Limits, input_bytes: int
    ) -> None:
        self._load, self._limits, self._input_bytes = load, limits, input_bytes
        self._stored_bytes = entry.size
        self.shape = entry.shape
        self.element_type: ElementType = BY_SAFETENSORS[entry.dtype]

    @property
    def elements(self) -> int:
        """Number of elements of the tensor."""
        return math.prod(self.shape)

    def decode(self, *, out: Array | None = None, dtype: object = None, threads: int = 1) -> Array:
        """Load the tensor, as `Encoded.decode` does."""
        target = output_type(self.element_type, dtype)
        if out is not None:
            check_out(out, self.shape, target)
        array = self._array()
        if target != self.element_type:
            array = cast(array, self.element_type, target)
        if out is None:
            return array
        out[...] = array
        return out

    def decoding(
        self, *, out: Array | None = None, dtype: object = None, threads: int = 1
    ) -> tuple[Array, list[Task]]:
        """Return the output of `decode`, and calls that fill it, as `Encoded.decoding` does."""
        target = output_type(self.element_type, dtype)
        if out is None:
            self._check(self.elements * target.itemsize)
            out = np.empty(self.shape, target.carrier)

        def fill() -> None:
            self.decode(out=out, dtype=dtype)

        return out, [fill]

    def work(self, nbytes: int) -> int:
        """Return how much work decoding to this many bytes is: `LEAST_WORK`."""
        return nbytes + self._stored_bytes

    def verify(self) -> None:
        """Raise what `decode` would."""
        self._array()

    def __getitem__(self, index: Index) -> Array:
        """A part of the tensor, all of which is loaded."""
        part, element = select(index, self.shape), self.element_type
        self._check(part.wanted * element.itemsize)
        flat = self._array().reshape(-1)
        if part.is_range:
            return flat[part.first : part.first + part.wanted].reshape(part.shape).copy()
        return part.gather(lambda first, stop: flat[first:stop], element.carrier, 1)

    def _array(self) -> Array:
        self._check(self.elements * self.element_type.itemsize)
        return self._load().reshape(self.shape)

    def _check(self, nbytes: int) -> None:
        self._limits.check_tensor(nbytes, self._input_bytes)
