"""Errors of commands, each reported as one line that begins with the file concerned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: Errors that are reported in one line; any other error is a bug of the program.
REPORTED = (OSError, TypeError, ValueError, MemoryError)


class UsageError(Exception):
    """The command line is wrong, not the data."""


class DataError(Exception):
    """A file or its data are bad; the message names the file and the fault."""


class ReaderGoneError(Exception):
    """The process that read the standard output has ended, as `head` does."""


@contextmanager
def about(subject: str, kinds: tuple[type[Exception], ...] = REPORTED) -> Iterator[None]:
    """Turn errors of these kinds in the body into a `DataError` about the subject.

    Examples
    --------
    >>> with about("net.qcodec"):
    ...     raise FileNotFoundError(2, "No such file or directory", ".net.qcodec.qcodec-tmp")
    Traceback (most recent call last):
        ...
    qcodec.cli.faults.DataError: net.qcodec: No such file or directory
    """
    try:
        yield
    except kinds as error:
        raise DataError(line_of(error, subject)) from error


def line_of(error: Exception, subject: str) -> str:
    """Return the subject and an error's message, without the name of a temporary file."""
    if isinstance(error, OSError):
        parts = [subject, error.strerror or str(error)]
    elif isinstance(error, MemoryError):
        parts = [subject, "not enough memory", str(error)]
    else:
        parts = [subject, *getattr(error, "__notes__", []), str(error)]
    return ": ".join(filter(None, parts))
