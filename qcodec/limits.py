"""How large a tensor or a file may be before reading it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import LimitError

_MIB = 1 << 20
_GIB = 1 << 30


@dataclass(frozen=True)
class Limits:
    """Bounds that are checked before memory is allocated for what a file declares.

    A few bytes can honestly describe gigabytes of equal weights, so a reader of
    files from elsewhere bounds what it is willing to build.

    Parameters
    ----------
    max_tensor_bytes : int
        Dense size of one decoded tensor, in bytes; and that of its coded parameters.
    max_expansion : int
        Dense bytes for each encoded byte; applies above `expansion_floor`.
    expansion_floor : int
        Tensors of up to this many dense bytes are exempt from `max_expansion`.
    max_file_bytes : int
        Size of a file.
    max_tensors : int
        Tensors in a file or a pack.

    Examples
    --------
    >>> Limits(max_tensor_bytes=10).check_tensor(dense_bytes=40, encoded_bytes=9)
    Traceback (most recent call last):
        ...
    qcodec.errors.LimitError: tensor: 40 bytes once decoded, allowed 10 (Limits.max_tensor_bytes)
    """

    max_tensor_bytes: int = 2 * _GIB
    max_expansion: int = 4096
    expansion_floor: int = 256 * _MIB
    max_file_bytes: int = 16 * _GIB
    max_tensors: int = 65536

    def check_tensor(
        self, dense_bytes: int, encoded_bytes: int, unit: str = "bytes once decoded"
    ) -> None:
        """Raise `LimitError` if a tensor of this many bytes may not be decoded."""
        allowed, name = self.max_tensor_bytes, "max_tensor_bytes"
        expansion = max(self.expansion_floor, self.max_expansion * encoded_bytes)
        if expansion < allowed:
            allowed, name = expansion, "max_expansion"
        self._check("tensor", dense_bytes, allowed, unit, name)

    def check_file(self, size: int) -> None:
        """Raise `LimitError` if a file of this many bytes may not be read."""
        self._check("file", size, self.max_file_bytes, "bytes", "max_file_bytes")

    def check_count(self, count: int) -> None:
        """Raise `LimitError` if a file may not hold this many tensors."""
        self._check("file", count, self.max_tensors, "tensors", "max_tensors")

    def _check(self, what: str, found: int, allowed: int, unit: str, name: str) -> None:
        if found > allowed:
            message = f"{what}: {found:,} {unit}, allowed {allowed:,} (Limits.{name})"
            raise LimitError(message, None, found, allowed)


DEFAULT_LIMITS = Limits()
