"""Notes: what a frame says beside its tensor, which readers may skip (format, section 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._base.arrays import little_endian_bytes
from .._core import core
from .._core.interrupt import check
from ..quantized import Quantized

_ELEMENTS_CRC, _BASE_SHA256, _JSON = 1, 2, 3
_AT_ONCE = 1 << 24  # bytes, between which Ctrl-C is noticed


@dataclass(frozen=True)
class Notes:
    """The notes of a frame, or of a pack: those of its table.

    Attributes
    ----------
    elements_crc : int or None
        The crc32c of the decoded elements, little-endian, in C order.
    base_sha256 : bytes or None
        For kind delta: the SHA-256 of the elements of the base, in the same form.
    json : bytes or None
        JSON in UTF-8, as it was found: nothing in it has been checked.
    others : dict of int to bytes
        Notes of other ids, such as padding (0) and those of later versions.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> weights = np.ones(3, np.float32)
    >>> qcodec.Encoded(qcodec.encode(weights)).notes
    Notes(elements_crc=None, base_sha256=None, json=None, others={})
    >>> data = qcodec.encode(weights, element_checksums=True)
    >>> hex(qcodec.Encoded(data).notes.elements_crc)
    '0xc1d0bf7e'
    """

    elements_crc: int | None = None
    base_sha256: bytes | None = None
    json: bytes | None = None
    others: Mapping[int, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: core.Frame) -> Notes:
        """Read the notes of a frame."""
        found = frame.notes()
        crc = found.pop(_ELEMENTS_CRC, None)
        return cls(
            elements_crc=None if crc is None else int.from_bytes(crc, "little"),
            base_sha256=found.pop(_BASE_SHA256, None),
            json=found.pop(_JSON, None),
            others=found,
        )

    def to_bytes(self) -> bytes:
        """Return the notes as a frame has them, without the length before them.

        Examples
        --------
        >>> Notes(json=b"{}", others={0: b"x"}).to_bytes().hex(" ", 3)
        '00 017803 027b7d'
        """
        items = dict(self.others)
        if self.elements_crc is not None:
            items[_ELEMENTS_CRC] = self.elements_crc.to_bytes(4, "little")
        if self.base_sha256 is not None:
            items[_BASE_SHA256] = self.base_sha256
        if self.json is not None:
            items[_JSON] = self.json
        return b"".join(
            _vu(number) + _vu(len(items[number])) + items[number] for number in sorted(items)
        )

    def without_base(self) -> Notes:
        """Return the notes of a frame that needs no base."""
        return replace(self, base_sha256=None)


def checksums_of(quantized: Quantized) -> Notes:
    """Return notes that let a verifier check the elements, and the base if there is one.

    The elements are those that NumPy computes, not those that the core decodes: so a wrong decoder
    fails too.
    """
    base = quantized.base
    return Notes(
        elements_crc=core.crc32c(little_endian_bytes(quantized.dequantize())),
        base_sha256=None if base is None else sha256(base.elements),
    )


def sha256(elements: np.ndarray[Any, Any]) -> bytes:
    """Return the SHA-256 of contiguous elements, little-endian, in C order."""
    data, digest = little_endian_bytes(elements), hashlib.sha256()
    for start in range(0, len(data), _AT_ONCE):
        check()
        digest.update(data[start : start + _AT_ONCE].data)
    return digest.digest()


def _vu(value: int) -> bytes:
    """Return an integer in seven bits a byte (format, section 1)."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts[-1] |= 0x80
        parts.append(value & 0x7F)
    return bytes(parts)
