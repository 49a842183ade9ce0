"""The errors that reading encoded bytes gives.

Wrong arguments are `TypeError` or `ValueError`, operating-system errors stay
what they are; everything that the bytes themselves are to blame for is a
`QCodecError`, of one of the kinds of docs/format.md, section 1.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ._base.messages import one_line, quoted


class QCodecError(ValueError):
    """Encoded bytes that cannot be decoded.

    Parameters
    ----------
    message : str
        What is wrong, where, what was found and what is allowed. Kept as one line of at most
        400 printable characters, whatever names from a file are in it.
    offset : int, optional
        Byte offset of the fault in the buffer that was given.
    found, allowed : int, optional
        The value found there, and the limit or the value that is allowed.

    Attributes
    ----------
    code : str
        The kind as a short word, such as ``"truncated"``.

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
        # Exceptions that lose their arguments hang process pools.
        return type(self), (self.args[0], self.offset, self.found, self.allowed)


class TruncatedError(QCodecError):
    """The bytes end before what they declare: an incomplete download or copy."""

    code = "truncated"


class CorruptError(QCodecError):
    """A rule of the format is broken."""

    code = "corrupt"


class ChecksumError(CorruptError):
    """The bytes changed since they were written."""

    code = "checksum"


class UnsupportedError(QCodecError):
    """Written with something that this version does not know; it is named."""

    code = "unsupported"


class LimitError(QCodecError):
    """Valid so far, but larger than `qcodec.Limits` allows."""

    code = "limit"


class BaseError(QCodecError):
    """Stored as the difference from a base, which is missing, broken or another one."""

    code = "base"


class MissingTensorError(QCodecError, KeyError):
    """A file has no tensor of this name."""

    code = "missing"

    # KeyError would print the message in quotes.
    __str__ = Exception.__str__


class QCodecWarning(UserWarning):
    """A recipe or a rule does less than it says.

    It quantizes nothing, or has rules that match nothing (`qcodec.save_file`), or what is said for
    all layers leaves some out (`qcodec.torch`).
    """


class LimitWarning(QCodecWarning):
    """What was written can be read only with higher limits than the default `qcodec.Limits`."""


def warn_caller(message: str, category: type[QCodecWarning] = QCodecWarning) -> None:
    """Warn whoever called this package, at the line of that call."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("qcodec."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Say which tensor a TypeError or ValueError is about.

    Examples
    --------
    >>> with naming("fc.weight"):
    ...     raise ValueError("1 of 4 values is NaN or infinite")
    Traceback (most recent call last):
        ...
    ValueError: tensor 'fc.weight': 1 of 4 values is NaN or infinite
    """
    try:
        yield
    except QCodecError as error:
        message = f"tensor {quoted(name)}: {error}"
        raise type(error)(message, error.offset, error.found, error.allowed) from error
    except (TypeError, ValueError) as error:
        # Of the plain kind: subclasses may take other arguments.
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(one_line(f"tensor {quoted(name)}: {error}")) from error
