"""Decodes a frame to a `Quantized`: integers and parameters, without arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .._base.arrays import from_little_endian
from .._core import core
from ..dtypes import BY_ID
from ..quantized import Groups, Quantized
from . import ids
from .codebook_order import restored
from .layout import filler_code

Array = np.ndarray[Any, Any]

_POSITION_BYTES = 8


def quantized_bytes(frame: core.Frame, read: Callable[[int, int], Array]) -> int:
    """Return the memory of codes and positions, by the numbers that chunks declare."""
    chunks = (frame.chunk(index)[:2] for index in range(frame.chunks))
    codes = sum(frame.stored(index, read(*place), codes=True) for index, place in enumerate(chunks))
    return codes * (_code_type(frame).itemsize + _POSITION_BYTES)


def to_quantized(
    frame: core.Frame,
    read: Callable[[int, int], Array],
    check_memory: Callable[[int], None],
    base: Array | None,
    verify: bool,
) -> Quantized:
    """Decode the codes and positions of a frame; fillers are left out.

    Parameters
    ----------
    frame : Frame
    read : callable
        Returns bytes of the frame by offset and size.
    check_memory : callable
        Called with the bytes needed so far before they are allocated; it may raise.
    base : numpy.ndarray, optional
        The bytes of the base, for kind delta.
    verify : bool
        Check the CRCs.
    """
    kind = ids.KIND_NAMES[frame.kind]
    stores_elements = kind in ids.ELEMENT_KINDS
    positions, codes = _codes(frame, read, check_memory, base, verify)
    codebook, scales, zero_points = frame.codebook, frame.scales, frame.zero_points
    quantized = Quantized(
        shape=frame.shape,
        dtype=BY_ID[frame.dtype].name,
        kind="bytes" if stores_elements else "codebook" if codebook else "affine",
        codes=codes,
        positions=positions,
        bits=0 if stores_elements else frame.width,
        codebook=_groups(codebook, rows=True) if codebook else None,
        scale=_scales(frame, scales) if scales else None,
        codebook_dtype=_dtype(codebook),
        scale_dtype=_dtype(scales),
        zero_point=_values(zero_points) if zero_points else frame.zero_point,
        codes_dtype=BY_ID[frame.stored_dtype].name if stores_elements and scales else "",
    )
    order = frame.codebook_order()
    if order:
        assert quantized.codebook is not None
        shape = quantized.codebook.values.shape
        quantized = restored(quantized, np.frombuffer(order, np.uint8).reshape(shape))
    return _without_fillers(quantized)


def _code_type(frame: core.Frame) -> np.dtype[Any]:
    """Return the dtype of codes, or of elements if the kind stores elements."""
    if ids.KIND_NAMES[frame.kind] in ids.ELEMENT_KINDS:
        return BY_ID[frame.stored_dtype].carrier
    return np.dtype(np.uint8 if frame.width <= 8 else np.uint16)


def _codes(
    frame: core.Frame,
    read: Callable[[int, int], Array],
    check_memory: Callable[[int], None],
    base: Array | None,
    verify: bool,
) -> tuple[Array | None, Array]:
    """Decode all chunks; returns (positions from the tensor's start or None, codes)."""
    code_type = _code_type(frame)
    positions, codes, needed = [], [], 0
    for index in range(frame.chunks):
        offset, length, first, _ = frame.chunk(index)
        data = read(offset, length)
        needed += frame.stored(index, data, codes=True) * (code_type.itemsize + _POSITION_BYTES)
        check_memory(needed)
        where, what = frame.decode_codes(index, data, base, verify)
        codes.append(what.view(code_type))
        if where is not None:
            positions.append(where.astype(np.int64) + first)
    joined = np.concatenate(codes) if codes else np.empty(0, code_type)
    if ids.POSITIONS_NAMES[frame.positions] in ids.FULL_POSITIONS:
        return None, joined
    places = np.concatenate(positions) if positions else np.empty(0, np.int64)
    if base is not None:  # elements that are not stored are those of the base
        check_memory(needed + base.nbytes)
        changed = base.copy().view(code_type)
        changed[places] = joined
        return None, changed
    return places, joined


def _dtype(groups: core.FrameGroups | None) -> str:
    return BY_ID[groups.dtype if groups else 0].name


def _values(groups: core.FrameGroups) -> Array:
    carrier = BY_ID[groups.dtype].carrier
    return from_little_endian(np.frombuffer(groups.values(), np.uint8), carrier).copy()


def _groups(groups: core.FrameGroups, rows: bool = False) -> Groups:
    """Return parameters by group; with `rows`, each group has several values."""
    values = _values(groups)
    if rows:
        values = values.reshape(groups.count, -1)
    if groups.inner > 0:
        return Groups(values, groups.inner)
    ends = np.frombuffer(groups.ends(), np.uint64).astype(np.int64)
    return Groups(values, lengths=np.diff(ends, prepend=0))


def _scales(frame: core.Frame, scales: core.FrameGroups) -> Groups:
    return replace(_groups(scales), second=frame.second_scale)


def _without_fillers(quantized: Quantized) -> Quantized:
    """Remove the stored elements that only bridge gaps."""
    code = filler_code(quantized)
    if quantized.positions is None or code < 0:
        return quantized
    if quantized.kind == "bytes":
        itemsize = quantized.codes.dtype.itemsize
        keep = (quantized.codes.view(np.uint8).reshape(-1, itemsize) != 0).any(axis=1)
    else:
        keep = quantized.codes != code
    if keep.all():
        return quantized
    return replace(quantized, codes=quantized.codes[keep], positions=quantized.positions[keep])
