"""A frame as integers and parameters: `Quantized`, before any arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .._base.arrays import from_little_endian
from .._core import core
from ..dtypes import BY_ID, element_type
from ..quantized import Groups, Quantized
from . import ids
from .codebook_order import restored
from .layout import filler_code

Array = np.ndarray[Any, Any]

_POSITION_BYTES = 8


def quantized_bytes(frame: core.Frame, read: Callable[[int, int], Array]) -> int:
    """What the codes and positions of a frame take in memory, by the chunks' numbers of entries."""
    chunks = (frame.chunk(index)[:2] for index in range(frame.fields["chunks"]))
    entries = sum(frame.entries(index, read(*place)) for index, place in enumerate(chunks))
    return entries * (_code_type(frame).itemsize + _POSITION_BYTES)


def to_quantized(
    frame: core.Frame,
    read: Callable[[int, int], Array],
    check_memory: Callable[[int], None],
    base: Array | None,
    verify: bool,
) -> Quantized:
    """Decode a frame as far as its codes; fillers are left out.

    Parameters
    ----------
    frame : Frame
    read : callable
        Gives bytes of the frame by offset and size.
    check_memory : callable
        Called with the bytes that are needed so far, before they are taken; it may raise.
    base : numpy.ndarray, optional
        The bytes of the base, for kind delta.
    verify : bool
        Check the CRCs.
    """
    fields = frame.fields
    element = BY_ID[fields["dtype"]]
    is_raw = ids.KIND_NAMES[fields["kind"]] in ids.BYTES_KINDS
    positions, codes = _codes(frame, read, check_memory, base, verify)
    has_codebook = fields["kind"] == ids.KINDS["codebook"]
    quantized = Quantized(
        shape=fields["shape"],
        dtype=element.name,
        kind="raw" if is_raw else "codebook" if has_codebook else "affine",
        codes=codes,
        positions=positions,
        bits=0 if is_raw else fields["width"],
        codebook=_codebook(frame, fields) if has_codebook else None,
        scale=_scale(frame, fields) if fields["scaled"] else None,
        codebook_dtype=BY_ID[fields["codebook_dtype"]].name,
        scale_dtype=BY_ID[fields["scale_dtype"]].name,
        zero_point=_zero_point(frame, fields),
    )
    order = frame.codebook_order_bytes()
    if order:
        assert quantized.codebook is not None
        shape = quantized.codebook.values.shape
        quantized = restored(quantized, np.frombuffer(order, np.uint8).reshape(shape))
    return _without_fillers(quantized)


def _code_type(frame: core.Frame) -> np.dtype[Any]:
    """Of codes, or of whole elements (raw, planes, delta, fields)."""
    if ids.KIND_NAMES[frame.fields["kind"]] in ids.BYTES_KINDS:
        return BY_ID[frame.fields["dtype"]].carrier
    return np.dtype(np.uint8 if frame.fields["width"] <= 8 else np.uint16)


def _codes(
    frame: core.Frame,
    read: Callable[[int, int], Array],
    check_memory: Callable[[int], None],
    base: Array | None,
    verify: bool,
) -> tuple[Array | None, Array]:
    """(positions from the tensor's start or None, codes) of all chunks."""
    fields = frame.fields
    code_type = _code_type(frame)
    positions, codes, needed = [], [], 0
    for index in range(fields["chunks"]):
        offset, length, first, _ = frame.chunk(index)
        data = read(offset, length)
        needed += frame.entries(index, data) * (code_type.itemsize + _POSITION_BYTES)
        check_memory(needed)
        where, what = frame.decode_codes(index, data, base, verify)
        codes.append(what.view(code_type))
        if where is not None:
            positions.append(where.astype(np.int64) + first)
    joined = np.concatenate(codes) if codes else np.empty(0, code_type)
    if fields["positions"] == ids.POSITIONS["dense"]:
        return None, joined
    return np.concatenate(positions) if positions else np.empty(0, np.int64), joined


def _codebook(frame: core.Frame, fields: dict[str, Any]) -> Groups:
    dtype = BY_ID[fields["codebook_dtype"]]
    values = _parameters(frame.codebook_bytes(), dtype.name)
    return Groups(values.reshape(fields["books"], -1), fields["book_inner"])


def _scale(frame: core.Frame, fields: dict[str, Any]) -> Groups:
    dtype = BY_ID[fields["scale_dtype"]]
    values = _parameters(frame.scale_bytes(), dtype.name)
    return Groups(values, fields["scale_inner"])


def _zero_point(frame: core.Frame, fields: dict[str, Any]) -> int | Array:
    if fields["zero_mode"] == 0:
        return int(fields["zero_point"])
    return _parameters(frame.zero_point_bytes(), "uint16")


def _parameters(data: bytes, dtype: str) -> Array:
    return from_little_endian(np.frombuffer(data, np.uint8), element_type(dtype).carrier).copy()


def _without_fillers(quantized: Quantized) -> Quantized:
    """Entries that only bridge a gap are not part of the tensor."""
    code = filler_code(quantized)
    if quantized.positions is None or code < 0:
        return quantized
    if quantized.kind == "raw":
        itemsize = quantized.codes.dtype.itemsize
        keep = (quantized.codes.view(np.uint8).reshape(-1, itemsize) != 0).any(axis=1)
    else:
        keep = quantized.codes != code
    if keep.all():
        return quantized
    return replace(quantized, codes=quantized.codes[keep], positions=quantized.positions[keep])
