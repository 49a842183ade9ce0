"""A tensor of an open file that can be sliced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from .._frame.indexing import Index


class TensorSlice:
    """A tensor of an open file that can be sliced: ``part = tensor[10:20, ::2]``.

    Indices are integers, slices with any step, and Ellipsis, with NumPy's meanings.
    """

    def __init__(self, shape: tuple[int, ...], dtype: str, get: Callable[[Index], Any]) -> None:
        self._shape = shape
        self._dtype = dtype
        self._get = get

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a TensorSlice cannot be pickled or copied: pass the file's path and the tensor's "
            "name instead, and open the file with qcodec.safe_open"
        )

    def get_shape(self) -> list[int]:
        """Return the dimensions of the tensor."""
        return list(self._shape)

    def get_dtype(self) -> str:
        """Return the element type as safetensors spells it, such as ``"F32"``."""
        return self._dtype

    def __getitem__(self, index: Index) -> Any:
        """Return a part of the tensor; only the chunks that hold it are read."""
        return self._get(index)
