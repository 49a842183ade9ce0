"""Errors raised when encoded bytes are read.

Wrong arguments raise `TypeError` or `ValueError`. Errors of the operating system are passed
on. Every fault in the bytes themselves raises a `QCodecError`, of one of the kinds listed in
section 1 of docs/format.md.
"""

from __future__ import annotations

import sys
import warnings
from types import TracebackType

from ._base.messages import one_line, quoted


class QCodecError(ValueError):
    """Encoded bytes that cannot be decoded.

    Parameters
    ----------
    message : str
        What is wrong, where, what was found and what is allowed. It is shortened to one line
        of at most 400 printable characters, because it may contain names from a file.
    offset : int, optional
        Byte offset of the fault in the buffer that was passed.
    found, allowed : int, optional
        The value found there, and the value or limit that is allowed.

    Attributes
    ----------
    code : str
        The kind of error as one word, such as ``"truncated"``.

    Examples
    --------
    >>> import qcodec
    >>> try:
    ...     qcodec.decode(b"QC")
    ... except qcodec.TruncatedError as error:
    ...     print(error.code)
    truncated
    """

    code = "error"

    def __init__(
        self,
        message: str,
        offset: int | None = None,
        found: int | None = None,
        allowed: int | None = None,
    ) -> None:
        super().__init__(one_line(message))
        self.offset = offset
        self.found = found
        self.allowed = allowed

    def __reduce__(self) -> tuple[type[QCodecError], tuple[object, ...]]:
        # An exception that cannot be unpickled hangs a process pool.
        return type(self), (self.args[0], self.offset, self.found, self.allowed)


class TruncatedError(QCodecError):
    """The bytes end too early, such as after an incomplete download or copy."""

    code = "truncated"


class CorruptError(QCodecError):
    """The bytes break a rule of the format."""

    code = "corrupt"


class ChecksumError(CorruptError):
    """The bytes changed since they were written."""

    code = "checksum"


class UnsupportedError(QCodecError):
    """The bytes use a feature that this version does not know; the message names it."""

    code = "unsupported"


class LimitError(QCodecError):
    """The input is valid so far, but larger than `qcodec.Limits` allows."""

    code = "limit"


class BaseError(QCodecError):
    """The tensor is stored as a difference from a base that is missing, broken or a wrong one."""

    code = "base"


class MissingTensorError(QCodecError, KeyError):
    """The file has no tensor of this name."""

    code = "missing"

    # KeyError would print the message in quotes.
    __str__ = Exception.__str__


class QCodecWarning(UserWarning):
    """A recipe or a rule has less effect than it says.

    The recipe quantizes nothing, or has rules that match nothing (`qcodec.save_file`), or a
    setting for all layers leaves some out (`qcodec.torch`).
    """


class LimitWarning(QCodecWarning):
    """The output can be read only with higher limits than the default `qcodec.Limits`."""


def warn_caller(message: str, category: type[QCodecWarning] = QCodecWarning) -> None:
    """Issue a warning at the line that called this package."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("qcodec."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


class naming:  # noqa: N801 -- used like a function, as contextlib.suppress
    """Put a name, by default that of a tensor, before the message of a TypeError or ValueError.

    A class, because a generator takes a twentieth of the time of reading a small tensor.

    Examples
    --------
    >>> with naming("fc.weight"):
    ...     raise ValueError("1 of 4 values is NaN or infinite")
    Traceback (most recent call last):
        ...
    ValueError: tensor 'fc.weight': 1 of 4 values is NaN or infinite
    """

    __slots__ = ("_name", "_noun")

    def __init__(self, name: str, noun: str = "tensor") -> None:
        self._name = name
        self._noun = noun

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, QCodecError):
            message = f"{self._noun} {quoted(self._name)}: {error}"
            raise type(error)(message, error.offset, error.found, error.allowed) from error
        if isinstance(error, TypeError | ValueError):
            # The plain class is raised, because a subclass may take other arguments.
            plain = TypeError if isinstance(error, TypeError) else ValueError
            raise plain(one_line(f"{self._noun} {quoted(self._name)}: {error}")) from error
