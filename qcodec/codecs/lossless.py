"""Codecs that keep every bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._base.arrays import Typed, as_array
from ..dtypes import check_dtype
from ..quantize import nonzero_bits_mask, quantize_verbatim
from ..quantized import Quantized
from .base import Codec

# Above this density, positions cost more than they save.
_SPARSE_DENSITY = 0.75


@dataclass(frozen=True)
class Verbatim(Codec):
    """Stores the elements verbatim, with no attempt to make them small.

    Parameters
    ----------
    dtype : str, optional
        The element type, if the array holds the bits as unsigned integers, such as
        ``"bfloat16"`` for uint16.

    Examples
    --------
    >>> import numpy as np
    >>> Verbatim("bfloat16").quantize(np.array([0x3F80], np.uint16)).dtype
    'bfloat16'
    """

    codec_id: ClassVar[str] = "verbatim"
    positions = "dense"
    is_lossless = True
    dtype: str | None = None

    def __post_init__(self) -> None:
        check_dtype(self.dtype)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return quantize_verbatim(array, dtype=self.dtype, mask=mask)


@dataclass(frozen=True)
class Lossless(Codec):
    """Stores the elements bit for bit, compressed by entropy coding.

    If more than a quarter of the elements are zero, only the others are stored, provided
    that this is smaller. -0.0, NaN and subnormals keep every bit.

    Floats that were quantized before (at most 256 values, or multiples of a scale per tensor,
    row or block) are stored as their codes where that is smaller: ``info().kind`` is then
    ``"codebook"`` or ``"affine"``, and every bit comes back all the same.

    Parameters
    ----------
    dtype : str, optional
        The element type, if the array holds the bits as unsigned integers, such as
        ``"bfloat16"`` for uint16.

    Examples
    --------
    >>> import numpy as np
    >>> Lossless().quantize(np.array([-0.0, np.nan])).dequantize()
    array([-0., nan])
    """

    codec_id: ClassVar[str] = "lossless"
    positions = "auto"
    is_lossless = True
    dtype: str | None = None

    def __post_init__(self) -> None:
        check_dtype(self.dtype)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        if mask is None:
            given, element = as_array(array, self.dtype)
            array = array if isinstance(array, Typed) else Typed(given, element)
            bits = given.view(f"u{element.itemsize}")
            # To count needs no mask, which most tensors have no use for.
            if np.count_nonzero(bits) < _SPARSE_DENSITY * bits.size:
                stored = nonzero_bits_mask(array, self.dtype)
                mask = None if stored.all() else stored  # some types have no zero
        return quantize_verbatim(array, dtype=self.dtype, mask=mask)
