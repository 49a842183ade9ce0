"""Trained weights as the formats of other programs hold them: integers, blocks, packed codes.

Each function takes a net's float32 tensors and gives the tensors that a checkpoint in that format
has, with its names and dtypes. Matrices of fewer than 1,024 elements, and all that is no matrix,
stay as they are, in float16 or bfloat16 where the format has them so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qcodec.dtypes import element_type

from ..peers.case import Array

Weights = Mapping[str, Array]
_SMALL = 1024
_BLOCK = 32


def _is_large(array: Array) -> bool:
    return array.ndim >= 2 and array.size >= _SMALL


def as_type(array: Array, name: str) -> Array:
    """Rounded to an element type of qcodec's, such as ``"bfloat16"``."""
    with np.errstate(over="ignore"):
        return array.astype(element_type(name).carrier)


def int8_by_row(weights: Weights) -> dict[str, Array]:
    """int8 with a scale for each row, zero in the middle."""
    found = {}
    for name, array in weights.items():
        found[name] = array
        if _is_large(array):
            codes, scale = _symmetric(array.reshape(len(array), -1), 127)
            found[name] = codes.astype(np.int8).reshape(array.shape)
            found[f"{name}_scale"] = scale[:, 0]
    return found


def uint8_by_tensor(weights: Weights) -> dict[str, Array]:
    """uint8 with a scale and a zero point for each tensor, as ONNX's dynamic quantizer."""
    found = {}
    for name, array in weights.items():
        if not _is_large(array):
            found[name] = array
            continue
        low, high = min(0.0, float(array.min())), max(0.0, float(array.max()))
        scale = np.float32((high - low) / 255)
        zero = np.uint8(np.rint(-low / scale))
        codes = np.clip(np.rint(array / scale) + zero, 0, 255)
        found[f"{name}_quantized"] = codes.astype(np.uint8)
        found[f"{name}_scale"] = np.array(scale)
        found[f"{name}_zero_point"] = np.array(zero)
    return found


def _symmetric(rows: Array, most: int) -> tuple[Array, Array]:
    scale = (np.abs(rows).max(-1, keepdims=True) / most).astype(np.float32)
    return np.rint(rows / np.where(scale > 0, scale, 1)), scale


def gptq(weights: Weights, group: int = 128) -> dict[str, Array]:
    """4 bits packed into int32 along inputs, zero points packed along outputs, float16 scales."""
    found: dict[str, Array] = {}
    for name, array in weights.items():
        if array.ndim != 2 or array.shape[1] % group or array.shape[0] % 8 or "embed" in name:
            found[name] = as_type(array, "float16") if array.dtype == np.float32 else array
            continue
        outputs, inputs = array.shape
        parts = array.reshape(outputs, -1, group)
        low = np.minimum(parts.min(2), 0)
        scale = np.maximum((np.maximum(parts.max(2), 0) - low) / 15, 1e-8)
        zero = np.rint(-low / scale)
        codes = np.clip(np.rint(parts / scale[:, :, None]) + zero[:, :, None], 0, 15)
        stem = name.removesuffix(".weight")
        found[f"{stem}.qweight"] = _nibbles(codes.reshape(outputs, inputs).T, 0)
        found[f"{stem}.qzeros"] = _nibbles(zero.T - 1, 1)  # AutoGPTQ stores one less
        found[f"{stem}.scales"] = as_type(scale.T, "float16")
        found[f"{stem}.g_idx"] = (np.arange(inputs) // group).astype(np.int32)
    return found


def _nibbles(codes: Array, axis: int) -> Array:
    """Eight codes of 4 bits along the axis in an int32, the first in the low bits."""
    parts = np.moveaxis(codes, axis, -1).astype(np.int64) & 15
    parts = parts.reshape(*parts.shape[:-1], -1, 8).astype(np.uint32)
    shifts = np.arange(8, dtype=np.uint32) * 4
    packed = np.bitwise_or.reduce(parts << shifts, axis=-1).view(np.int32)
    return np.ascontiguousarray(np.moveaxis(packed, -1, axis))


def gguf(weights: Weights, way: str) -> dict[str, Array]:
    """Blocks of 32 as bytes, by rows: ``q4_0`` or ``q8_0``."""
    make = {"q4_0": _q4_0, "q8_0": _q8_0}[way]
    return {
        name: make(array.reshape(len(array), -1, _BLOCK)).reshape(len(array), -1)
        if array.ndim == 2 and array.shape[1] % _BLOCK == 0
        else array
        for name, array in weights.items()
    }


def _q8_0(blocks: Array) -> Array:
    codes, scale = _symmetric(blocks, 127)
    return _with_scale(scale, codes.astype(np.int8).view(np.uint8))


def _q4_0(blocks: Array) -> Array:
    """The largest weight is -8; the first half of the codes is in the low bits."""
    at = np.abs(blocks).argmax(-1)[..., None]
    scale = np.take_along_axis(blocks, at, -1) / -8
    codes = np.clip(np.floor(blocks / np.where(scale == 0, 1, scale) + 8.5), 0, 15)
    codes = codes.astype(np.uint8)
    low, high = codes[..., : _BLOCK // 2], codes[..., _BLOCK // 2 :]
    return _with_scale(scale, low | high << 4)


def _with_scale(scale: Array, codes: Array) -> Array:
    halves = np.ascontiguousarray(as_type(scale, "float16")).view(np.uint8)
    return np.concatenate([halves, codes], -1)


def fp8(weights: Weights, block: int | None = 128) -> dict[str, Array]:
    """e4m3 with a float32 scale for each square of `block`, or for each tensor; rest bfloat16."""
    found = {}
    for name, array in weights.items():
        if array.ndim != 2 or not _is_large(array):
            found[name] = as_type(array, "bfloat16") if array.dtype == np.float32 else array
            continue
        rows, columns = (block, block) if block else array.shape
        scale = _largest_in_squares(array, rows, columns) / np.float32(448)
        wide = scale.repeat(rows, 0).repeat(columns, 1)[: array.shape[0], : array.shape[1]]
        found[name] = as_type(array / np.where(wide > 0, wide, 1), "float8_e4m3fn")
        found[f"{name}_scale_inv"] = scale if block else scale.reshape(())
    return found


def _largest_in_squares(array: Array, rows: int, columns: int) -> Array:
    pad = [(0, -array.shape[0] % rows), (0, -array.shape[1] % columns)]
    padded = np.pad(np.abs(array), pad)
    parts = padded.reshape(len(padded) // rows, rows, -1, columns)
    return parts.max((1, 3)).astype(np.float32)


# Magnitudes of e2m1, and the middles between them.
_E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], np.float32)
_BETWEEN = (_E2M1[1:] + _E2M1[:-1]) / 2


def mxfp4(weights: Weights) -> dict[str, Array]:
    """Two codes of e2m1 a byte, and an exponent a block of 32; the rest bfloat16."""
    found: dict[str, Any] = {}
    for name, array in weights.items():
        if array.ndim != 2 or array.shape[1] % _BLOCK or "embed" in name:
            found[name] = as_type(array, "bfloat16") if array.dtype == np.float32 else array
            continue
        blocks = array.reshape(len(array), -1, _BLOCK)
        largest = np.abs(blocks).max(-1)
        power = np.floor(np.log2(np.maximum(largest, 2.0**-100))) - 2
        parts = blocks * np.exp2(-power)[..., None]
        codes = np.searchsorted(_BETWEEN, np.abs(parts)) | (parts < 0) << 3
        codes = codes.astype(np.uint8)
        stem = name.removesuffix(".weight")
        found[f"{stem}.weight_blocks"] = codes[..., ::2] | codes[..., 1::2] << 4
        found[f"{stem}.weight_scales"] = (power + 127).astype(np.uint8)
    return found
