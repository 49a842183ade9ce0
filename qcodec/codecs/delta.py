"""`Delta`: stores a fine-tuned tensor as the difference from the tensor before fine-tuning."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from .._base.arrays import Typed, as_array
from .._base.delta_base import Base, is_delta_type
from ..dtypes import check_dtype, element_type
from ..quantized import Quantized
from .base import Codec
from .lossless import Lossless


@dataclass(frozen=True, eq=False)
class Delta(Codec):
    """Lossless storage as the difference from a base that the reader has too.

    A digest identifies the base, and decoding checks it. A tensor that is smaller without
    the base is stored without it; ``info().kind`` tells. docs/format.md describes the kind
    delta in section 4.

    Parameters
    ----------
    base : array_like, mapping of str to array_like, or path-like
        For one tensor, an array of its shape and element type. For a file of tensors,
        the base's tensors by name, or the path of a safetensors or qcodec file, which is
        read tensor by tensor. Integers, and tensors for which the base has none of the
        same name, shape and element type, are stored as `Lossless` does.
    dtype : str, optional
        The element type, if arrays hold the bits as unsigned integers, such as
        ``"bfloat16"`` for uint16.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> base = np.linspace(-1, 1, 4000, dtype=np.float32)
    >>> tuned = base + np.float32(1e-5)
    >>> data = qcodec.encode(tuned, qcodec.Delta(base))
    >>> len(data) < len(qcodec.encode(tuned)) // 2
    True
    >>> np.array_equal(qcodec.decode(data, base=base), tuned)
    True
    """

    codec_id: ClassVar[str] = "delta"
    positions = "auto"
    is_lossless = True
    base: Any
    dtype: str | None = None

    def __post_init__(self) -> None:
        check_dtype(self.dtype)

    @property
    def is_path(self) -> bool:
        """Whether the base is the path of a file that is not open yet."""
        return isinstance(self.base, str | os.PathLike)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration; only a base that is a path has one.

        Raises
        ------
        TypeError
            If the base is an array or a mapping of arrays.

        Examples
        --------
        >>> Delta("base.safetensors").get_config()
        {'id': 'delta', 'base': 'base.safetensors', 'dtype': None}
        """
        if not self.is_path:
            raise TypeError("a Delta of arrays has no configuration: give the path of the base")
        return {"id": self.codec_id, "base": os.fspath(self.base), "dtype": self.dtype}

    def for_tensor(self, name: str, shape: tuple[int, ...], dtype: str) -> Codec:
        if self.is_path:
            raise TypeError(f"base {os.fspath(self.base)!r} is not open: save_file opens it")
        if not isinstance(self.base, Mapping):
            return self
        if not is_delta_type(dtype) or name not in self.base:
            return Lossless(self.dtype)
        array, _ = as_array(self.base[name])
        element = element_type(dtype)
        if array.shape != shape or array.dtype != element.carrier:
            return Lossless(self.dtype)
        return replace(self, base=Typed(array, element))

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        quantized = Lossless(self.dtype).quantize(array, mask)
        if mask is not None or not is_delta_type(quantized.dtype):
            return quantized
        if self.is_path or isinstance(self.base, Mapping):
            raise TypeError("the base of one tensor must be an array; save_file takes names")
        base, element = as_array(self.base, self.dtype)
        if base.shape != quantized.shape or element.name != quantized.dtype:
            raise ValueError(
                f"the base is {element.name}{list(base.shape)}, "
                f"the tensor is {quantized.dtype}{list(quantized.shape)}"
            )
        return replace(quantized, base=Base.of(base))
