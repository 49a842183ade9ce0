"""Text for terminals: tables, plain JSON, and names without control characters."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from .._base.messages import escape, one_line
from .faults import DataError, ReaderGoneError

__all__ = ["contents_text", "counted", "escape", "print_json", "printing", "say", "table", "warn"]

#: What removes the line of progress while a message is printed.
hidden_by: list[Callable[[], None]] = []
#: The length limit of an error: a path, and a message that has a limit of its own.
_MAX_LINE = 600


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Format a table; the first `left` columns are aligned at the left, the others at the right.

    Examples
    --------
    >>> print(table(["name", "bytes"], [["conv1", "1,204"], ["fc", "96"]]))
    name   bytes
    conv1  1,204
    fc        96
    """
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def counted(count: int, noun: str) -> str:
    """Format a number and its noun.

    Examples
    --------
    >>> counted(1, "tensor"), counted(1200, "tensor")
    ('1 tensor', '1,200 tensors')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def contents_text(tensors: int, attached: int = 0) -> str:
    """Say how many tensors a file has, and what is attached to it, if anything.

    Examples
    --------
    >>> contents_text(3), contents_text(1, 2)
    ('3 tensors', '1 tensor and 2 attached')
    """
    return counted(tensors, "tensor") + (f" and {attached:,} attached" if attached else "")


@contextmanager
def printing(file: TextIO | None = None) -> Iterator[None]:
    """Turn errors of writing in the body into a `DataError` about the standard output.

    Parameters
    ----------
    file : file object, optional
        The standard error instead, if the standard output has the data.
    """
    name = "standard output" if file is None else "standard error"
    file = sys.stdout if file is None else file
    try:
        yield
        if file is not None:  # None: it was closed when the program started
            file.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as error:
        raise DataError(f"{name}: {error.strerror or error}") from error


def say(text: str, file: TextIO | None = None) -> None:
    """Print one or more lines to the standard output, or to the file."""
    with printing(file):
        print(text, file=file)


def warn(text: str) -> None:
    """Print one line to the standard error."""
    if sys.stderr is not None:
        for hide in hidden_by:
            hide()
        print(f"qcodec: {one_line(text, _MAX_LINE)}", file=sys.stderr)


def print_json(value: Any, file: TextIO | None = None) -> None:
    """Print one JSON document, in ASCII."""
    say(json.dumps(value, indent=2), file)
