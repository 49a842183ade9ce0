"""Frames of a file that are there already: of codes that nobody compared."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from .._frame.encoded import Encoded
from ..quantized import Quantized
from .bundling import Small
from .container import Alias, Content

#: Smaller frames take no more than to say which other one they are.
_MIN_REPEATED_BYTES = 64


class Repeated:
    """Remembers digests of frames and, of tensors that are not encoded yet, of what they store."""

    def __init__(self) -> None:
        self._frames: dict[bytes, str] = {}
        self._waiting: dict[bytes, tuple[str, Small]] = {}

    def known(self, content: Content | Small, name: str) -> Alias | None:
        """Return what stands for a frame that is there already."""
        if isinstance(content, Small) and not content.is_encoded:
            target, first = self._waiting.setdefault(_digest(content.quantized), (name, content))
            if target == name or first.frame != content.frame:
                return None
            frame = content.frame
            return _alias(target, frame) if len(frame) >= _MIN_REPEATED_BYTES else None
        frame = content.frame if isinstance(content, Small) else content
        if not isinstance(frame, bytes) or len(frame) < _MIN_REPEATED_BYTES:
            return None
        target = self._frames.setdefault(sha256(frame).digest(), name)
        return None if target == name else _alias(target, frame)


def _alias(target: str, frame: bytes) -> Alias:
    return Alias(target, Encoded(frame).element_type.name)


def _digest(quantized: Quantized) -> bytes:
    """Return a digest of all that is stored of a tensor with one group."""
    codebook, scale = quantized.codebook, quantized.scale
    arrays = [
        quantized.codes,
        quantized.positions,
        codebook and codebook.values,
        scale and scale.values,
    ]
    digest = sha256(repr((quantized.shape, quantized.dtype, quantized.kind, quantized.bits)).encode())
    digest.update(repr((quantized.zero_point, quantized.codebook_dtype)).encode())
    for array in arrays:
        digest.update(b"," if array is None else np.ascontiguousarray(array).tobytes() + b";")
    return digest.digest()
