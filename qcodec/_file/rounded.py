"""A tensor that is another one of its file, rounded to a narrower float type."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._base.arrays import cast
from .._frame.encoded import Encoded
from .._frame.indexing import Index
from ..dtypes import ElementType, element_type
from .ordinary_tensor import OrdinaryTensor

Array = np.ndarray[Any, Any]


class RoundedTensor:
    """A rounded tensor, with the methods of `Encoded`: each element is converted once.

    Parameters
    ----------
    target : Encoded or OrdinaryTensor
        The tensor that is rounded.
    name : str
        The element type that it is rounded to, to nearest even.
    """

    def __init__(self, target: Encoded | OrdinaryTensor, name: str) -> None:
        self._target = target
        self.shape = target.shape
        self.elements = target.elements
        self.element_type: ElementType = element_type(name)

    def decode(self, *, out: Array | None = None, dtype: object = None, threads: int = 1) -> Array:
        """Decode the whole tensor, as `Encoded.decode` does."""
        wanted = self.element_type if dtype is None else element_type(dtype)
        if wanted == self.element_type:
            return self._target.decode(out=out, dtype=wanted.name, threads=threads)
        rounded = self._target.decode(dtype=self.element_type.name, threads=threads)
        array = cast(rounded, self.element_type, wanted)
        if out is None:
            return array
        if out.shape != array.shape or out.dtype != array.dtype:
            raise ValueError(
                f"out is {out.dtype}{list(out.shape)}, "
                f"the tensor is {array.dtype}{list(array.shape)}"
            )
        out[...] = array
        return out

    def verify(self) -> None:
        """Raise what `decode` would."""
        self._target.verify()

    def __getitem__(self, index: Index) -> Array:
        """A part of the tensor; as much of the target is read as of that itself."""
        return cast(self._target[index], self._target.element_type, self.element_type)
