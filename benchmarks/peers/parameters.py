"""The parameters that give codes their meaning, as bytes and back."""

from __future__ import annotations

import numpy as np

from qcodec._base.arrays import as_float32
from qcodec.dtypes import element_type
from qcodec.quantized import Quantized

Array = np.ndarray


def to_bytes(tensor: Quantized) -> bytes:
    """A codebook and its scale; or, of equal steps, the scale and the zero point."""
    scale = b"" if tensor.scale is None else _scale(tensor).tobytes()
    if tensor.kind == "codebook":
        assert tensor.codebook is not None
        assert len(tensor.codebook.values) == 1, "one codebook a tensor"
        assert tensor.codebook_dtype == "float32", "a codebook of float32"
        return tensor.codebook.values.tobytes() + scale
    assert isinstance(tensor.zero_point, int)
    return scale + np.uint16(tensor.zero_point).tobytes()


def table(tensor: Quantized, data: bytes) -> Array:
    """The float32 value of each code; of `tensor` only the kind and the sizes are used."""
    if tensor.kind == "codebook":
        assert tensor.codebook is not None
        entries = tensor.codebook.values.shape[1]
        values = np.frombuffer(data, np.float32, entries)
        scale = data[4 * entries :]
    else:
        zero = np.frombuffer(data[-2:], np.uint16)[0]
        values = (np.arange(1 << tensor.bits) - int(zero)).astype(np.float32)
        scale = data[:-2]
    return values * np.frombuffer(scale, np.float32)[0] if scale else values


def _scale(tensor: Quantized) -> Array:
    assert tensor.scale is not None
    assert len(tensor.scale.values) == 1, "one scale a tensor"
    return as_float32(tensor.scale.values, element_type(tensor.scale_dtype))
