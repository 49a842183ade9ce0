"""Text for terminals: tables, plain JSON, and names that cannot do harm."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from .._base.messages import escape, one_line
from .faults import DataError, ReaderGoneError

__all__ = ["counted", "escape", "print_json", "printing", "say", "table", "warn"]

#: Of an error: a path, and a message that is bounded itself.
_MAX_LINE = 600


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Columns as wide as they need; the first `left` of them begin at the left.

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
    """A number and its noun.

    Examples
    --------
    >>> counted(1, "tensor"), counted(1200, "tensor")
    ('1 tensor', '1,200 tensors')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@contextmanager
def printing(file: TextIO | None = None) -> Iterator[None]:
    """What cannot be written in the body is said of the standard output.

    Parameters
    ----------
    file : file object, optional
        The standard error instead, where the standard output has the data.
    """
    name = "standard output" if file is None else "standard error"
    file = sys.stdout if file is None else file
    try:
        yield
        if file is not None:  # closed before the program began
            file.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as error:
        raise DataError(f"{name}: {error.strerror or error}") from error


def say(text: str, file: TextIO | None = None) -> None:
    """A line, or several, on the standard output, or in the file."""
    with printing(file):
        print(text, file=file)


def warn(text: str) -> None:
    """One line on the standard error."""
    if sys.stderr is not None:
        print(f"qcodec: {one_line(text, _MAX_LINE)}", file=sys.stderr)


def print_json(value: Any, file: TextIO | None = None) -> None:
    """One JSON document, in ASCII."""
    say(json.dumps(value, indent=2), file)
