"""Limits on the size of the tensors and files that may be read."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from ._base.checks import check_integer
from .errors import LimitError, LimitWarning, warn_caller

_MIB = 1 << 20
_GIB = 1 << 30
_NONE = 1 << 63


@dataclass(frozen=True)
class Limits:
    """Limits that are checked before memory is allocated for what a file declares.

    A few bytes can legitimately describe gigabytes of equal weights, so readers of untrusted
    files limit what they build. The input is what the caller passed: a whole file, or one
    frame. The limit on expansion is shared: a single tensor may use all that the size of
    the input allows, and all tensors together may not use more.

    Parameters
    ----------
    max_tensor_bytes : int
        Dense size of one decoded tensor, in bytes, and also the decoded size of its coded
        parameters. Default: 16 GiB.
    max_total_bytes : int
        Dense size of all tensors of a file, where all are decoded (`load`, `load_file`,
        `TensorFile.get_tensors`, the command ``decode``). Tensors that share one array count
        once. Default: 128 GiB.
    max_expansion : int
        Decoded bytes per byte of the input; applies above `expansion_floor`.
        Default: 4,096.
    expansion_floor : int
        `max_expansion` does not apply up to this many decoded bytes, counted for the whole
        input, not per tensor. Default: 1 GiB.
    max_file_bytes : int
        Size of a file; of a checkpoint in several files, that of all together. Default: 128 GiB.
    max_tensors : int
        Number of tensors in a file or a pack, and of entries in its metadata.
        Default: 131,072.
    max_header_bytes : int
        Size of a safetensors file's header, and of a pack's table, as stored with the metadata
        and once decoded. Default: 32 MiB.

    Raises
    ------
    TypeError, ValueError
        If a limit is not an int, or is negative.

    Examples
    --------
    >>> Limits(max_tensor_bytes=10).check_tensor(dense_bytes=40, input_bytes=9)
    Traceback (most recent call last):
        ...
    qcodec.errors.LimitError: 40 bytes once decoded, allowed 10 (Limits.max_tensor_bytes)
    """

    max_tensor_bytes: int = 16 * _GIB
    max_total_bytes: int = 128 * _GIB
    max_expansion: int = 4096
    expansion_floor: int = _GIB
    max_file_bytes: int = 128 * _GIB
    max_tensors: int = 131072
    max_header_bytes: int = 32 * _MIB

    def __post_init__(self) -> None:
        for field in fields(self):
            check_integer(field.name, getattr(self, field.name), 0)

    @classmethod
    def none(cls) -> Self:
        """Return limits that allow everything, for trusted files.

        Examples
        --------
        >>> Limits.none().check_file(1 << 50)
        """
        return cls(**{field.name: _NONE for field in fields(cls)})

    def check_tensor(
        self, dense_bytes: int, input_bytes: int, unit: str = "bytes once decoded"
    ) -> None:
        """Raise `LimitError` if a tensor of this many bytes may not be decoded.

        Parameters
        ----------
        dense_bytes : int
        input_bytes : int
            Size of the whole input: the file, or the frame if there is no file.
        unit : str
            What is counted, for the message.
        """
        self._check_memory(dense_bytes, input_bytes, unit, "max_tensor_bytes")

    def check_total(self, dense_bytes: int, input_bytes: int) -> None:
        """Raise `LimitError` if tensors of this total size may not be decoded."""
        unit = "bytes once all is decoded"
        self._check_memory(dense_bytes, input_bytes, unit, "max_total_bytes")

    def most_bytes(self, input_bytes: int) -> tuple[int, int]:
        """Return the largest sizes that `check_tensor` and `check_total` allow.

        Examples
        --------
        >>> Limits(max_tensor_bytes=1 << 20).most_bytes(input_bytes=100)
        (1048576, 1073741824)
        """
        expansion = max(self.expansion_floor, self.max_expansion * input_bytes)
        return min(self.max_tensor_bytes, expansion), min(self.max_total_bytes, expansion)

    def check_file(self, size: int, unit: str = "bytes of a file") -> None:
        """Raise `LimitError` if a file of this many bytes may not be read."""
        self._check(size, self.max_file_bytes, unit, "max_file_bytes")

    def check_count(self, count: int, unit: str = "tensors") -> None:
        """Raise `LimitError` if a file may not hold this many tensors."""
        self._check(count, self.max_tensors, f"{unit} of a file", "max_tensors")

    def check_header(self, size: int) -> None:
        """Raise `LimitError` if a header of this many bytes may not be read."""
        self._check(size, self.max_header_bytes, "bytes of a header", "max_header_bytes")

    def _check_memory(self, found: int, input_bytes: int, unit: str, name: str) -> None:
        allowed = getattr(self, name)
        expansion = max(self.expansion_floor, self.max_expansion * input_bytes)
        if expansion < allowed:
            allowed, name = expansion, "max_expansion"
        self._check(found, allowed, unit, name)

    def _check(self, found: int, allowed: int, unit: str, name: str) -> None:
        if found > allowed:
            message = f"{found:,} {unit}, allowed {allowed:,} (Limits.{name})"
            raise LimitError(message, None, found, allowed)


DEFAULT_LIMITS = Limits()


def warn_of(error: LimitError) -> None:
    """Warn that readers with the default limits will refuse the output with this error."""
    message = f"only readers with higher limits than the default ones will read this: {error}"
    warn_caller(message, LimitWarning)
