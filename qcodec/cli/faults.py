"""What goes wrong in a command, as one line that begins with what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: What is reported in one line; anything else is a defect of the program.
REPORTED = (OSError, TypeError, ValueError, MemoryError)


class UsageError(Exception):
    """The command is wrong, not the data."""


class DataError(Exception):
    """A file or its data are bad; the message says which file, and what is wrong with it."""


class ReaderGoneError(Exception):
    """Nobody reads the standard output any more: `head` has seen enough."""


@contextmanager
def about(subject: str, kinds: tuple[type[Exception], ...] = REPORTED) -> Iterator[None]:
    """Errors of these kinds in the body become a `DataError` about the subject.

    Examples
    --------
    >>> with about("net.qc"):
    ...     raise FileNotFoundError(2, "No such file or directory", ".net.qc.qcodec-tmp")
    Traceback (most recent call last):
        ...
    qcodec.cli.faults.DataError: net.qc: No such file or directory
    """
    try:
        yield
    except kinds as error:
        raise DataError(line_of(error, subject)) from error


def line_of(error: Exception, subject: str) -> str:
    """What an error says, after what it is about: never the name of a temporary file."""
    if isinstance(error, OSError):
        parts = [subject, error.strerror or str(error)]
    elif isinstance(error, MemoryError):
        parts = [subject, "not enough memory", str(error)]
    else:
        parts = [subject, *getattr(error, "__notes__", []), str(error)]
    return ": ".join(filter(None, parts))
