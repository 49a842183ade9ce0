"""Frames of a file that are there already: of codes that nobody compared."""

from __future__ import annotations

from hashlib import sha256

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
        self._waiting: dict[tuple[object, ...], tuple[str, Small]] = {}

    def known(self, content: Content | Small, name: str) -> Alias | None:
        """Return what stands for a frame that is there already."""
        if isinstance(content, Small) and not content.is_encoded:
            if content.quantized.size == 1:  # its frame is small, whatever it holds
                return None
            target, first = self._waiting.setdefault(_key(content.quantized), (name, content))
            if target == name or first.frame != content.frame:
                return None
            own = content.frame
            return _alias(target, own) if len(own) >= _MIN_REPEATED_BYTES else None
        frame = content.frame if isinstance(content, Small) else content
        if not isinstance(frame, bytes) or len(frame) < _MIN_REPEATED_BYTES:
            return None
        target = self._frames.setdefault(sha256(frame).digest(), name)
        return None if target == name else _alias(target, frame)


def _alias(target: str, frame: bytes) -> Alias:
    return Alias(target, Encoded(frame).element_type.name)


def _key(quantized: Quantized) -> tuple[object, ...]:
    """Return what two tensors with one group have in common if the same is stored of them."""
    codebook, scale = quantized.codebook, quantized.scale
    digest = sha256(quantized.codes.tobytes())
    values = [None if groups is None else groups.values for groups in (codebook, scale)]
    for array in (quantized.positions, *values):
        digest.update(b"," if array is None else array.tobytes() + b";")
    return (
        quantized.shape,
        quantized.dtype,
        quantized.kind,
        quantized.bits,
        quantized.zero_point,
        quantized.codebook_dtype,
        digest.digest(),
    )
