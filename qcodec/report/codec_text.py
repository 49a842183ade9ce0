"""How a tensor is stored, in a few words, from the head of its frame alone."""

from __future__ import annotations

from .._core import core
from .._frame import ids
from ..dtypes import BY_ID

_FLOAT8_EXPONENT = "float8_e8m0fnu"
_SMALL_BYTES = 1 << 16
_TERNARY = 3


def codec_text(frame: core.Frame, is_part: bool = False) -> str:
    """Return what a frame stores, such as ``"sparse codebook, 4 bits"``.

    Parameters
    ----------
    frame : Frame
    is_part : bool
        Whether the frame has several tensors: then nothing is known of the groups of each.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> weights = np.linspace(-1, 1, 4096, dtype="f4").reshape(64, 64)
    >>> codec_text(qcodec.Encoded(qcodec.encode(weights, qcodec.Affine(8, per=0))).frame)
    'affine, 8 bits, 64 scales'
    """
    kind, positions = ids.KIND_NAMES[frame.kind], ids.POSITIONS_NAMES[frame.positions]
    text = (
        _of_elements(frame, kind) if kind in ids.ELEMENT_KINDS else _of_codes(frame, kind, is_part)
    )
    if kind == "delta":
        return text
    return text if positions in ids.FULL_POSITIONS else f"sparse {text}"


def _of_elements(frame: core.Frame, kind: str) -> str:
    if kind == "delta":
        return "delta"
    if frame.scales is not None:
        stored = BY_ID[frame.stored_dtype].name
        return f"lossless, {stored} times {_counted(frame.scales.count, 'scale')}"
    return "lossless" if kind == "planes" else "verbatim"


def _of_codes(frame: core.Frame, kind: str, is_part: bool) -> str:
    scales, codebook = frame.scales, frame.codebook
    if kind == "affine":
        is_power = scales is not None and BY_ID[scales.dtype].name == _FLOAT8_EXPONENT
        kind = "fixed point" if is_power and scales and scales.count == 1 else kind
    elif _is_ternary(frame):
        kind = "ternary"
    parts = [kind] if kind == "ternary" else [f"{kind}, {_counted(frame.width, 'bit')}"]
    if codebook is not None and codebook.count > 1 and not is_part:
        parts.append(_counted(codebook.count, "codebook"))
    if scales is not None and scales.count > 1 and not is_part:
        parts.append(_counted(scales.count, "scale"))
    return ", ".join(parts)


def _is_ternary(frame: core.Frame) -> bool:
    """Whether a codebook has three values; it is decoded if it is small."""
    if frame.width != 2 or frame.codebook is None or frame.coded_bytes > _SMALL_BYTES:
        return False
    codebook = frame.with_parameters().codebook if frame.coded_bytes else frame.codebook
    assert codebook is not None
    entries = len(codebook.values()) // BY_ID[codebook.dtype].itemsize
    return entries == _TERNARY * codebook.count


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
