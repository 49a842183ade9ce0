"""A tensor whose elements are those of another one of its file, or are converted from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._base.arrays import cast, check_out
from .._base.threads import Task
from .._frame.encoded import Encoded
from .._frame.indexing import Index
from ..dtypes import ElementType, output_type
from ..errors import CorruptError
from .ordinary_tensor import OrdinaryTensor

Array = np.ndarray[Any, Any]


class ConvertedTensor:
    """A converted tensor, with the methods of `Encoded`: each element is converted once.

    Parameters
    ----------
    target : Encoded or OrdinaryTensor
        The other tensor.
    name : str
        The element type of this one: that of the other, or a float type.

    Raises
    ------
    CorruptError
        If there is no such conversion.
    """

    def __init__(self, target: Encoded | OrdinaryTensor, name: str) -> None:
        self._target = target
        self.shape = target.shape
        self.elements = target.elements
        source = target.element_type
        try:
            self.element_type: ElementType = output_type(source, name)
        except TypeError:
            raise CorruptError(f"a tensor of {source.name} converted to {name}") from None

    def decode(self, *, out: Array | None = None, dtype: object = None, threads: int = 1) -> Array:
        """Decode the whole tensor, as `Encoded.decode` does."""
        wanted = output_type(self.element_type, dtype)
        if wanted == self.element_type:
            return self._target.decode(out=out, dtype=wanted.name, threads=threads)
        if out is not None:
            check_out(out, self.shape, wanted)
        converted = self._target.decode(dtype=self.element_type.name, threads=threads)
        array = cast(converted, self.element_type, wanted)
        if out is None:
            return array
        out[...] = array
        return out

    def decoding(
        self, *, out: Array | None = None, dtype: object = None, threads: int = 1
    ) -> tuple[Array, list[Task]]:
        """Return the output of `decode`, and calls that fill it, as `Encoded.decoding` does."""
        wanted = output_type(self.element_type, dtype)
        if wanted == self.element_type:
            return self._target.decoding(out=out, dtype=wanted.name, threads=threads)
        return self.decode(out=out, dtype=dtype, threads=threads), []

    def work(self, nbytes: int) -> int:
        """Return how much work decoding to this many bytes is."""
        return self._target.work(nbytes)

    def verify(self) -> None:
        """Raise what `decode` would."""
        self._target.verify()

    def __getitem__(self, index: Index) -> Array:
        """A part of the tensor; as much of the target is read as of that itself."""
        return cast(self._target[index], self._target.element_type, self.element_type)
