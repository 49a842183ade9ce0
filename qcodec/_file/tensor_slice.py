"""A tensor of an open file that can be sliced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._frame.indexing import Index


class TensorSlice:
    """A tensor of an open file that can be sliced: ``part = tensor[10:20, ::2]``.

    Indices are integers, slices with any step, and Ellipsis, with NumPy's meanings.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: str,
        get: Callable[[Index], Any],
        remake: tuple[Callable[..., TensorSlice], tuple[Any, ...]],
    ) -> None:
        self._shape = shape
        self._dtype = dtype
        self._get = get
        self._remake = remake

    def __reduce__(self) -> tuple[Callable[..., TensorSlice], tuple[Any, ...]]:
        return self._remake  # by the file, which is pickled by its path

    def get_shape(self) -> list[int]:
        """Return the dimensions of the tensor."""
        return list(self._shape)

    def get_dtype(self) -> str:
        """Return the element type as safetensors spells it, such as ``"F32"``."""
        return self._dtype

    def __getitem__(self, index: Index) -> Any:
        """Return a part of the tensor; only the chunks that hold it are read."""
        return self._get(index)
