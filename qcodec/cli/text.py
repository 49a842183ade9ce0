"""Text for terminals: tables, plain JSON, and names that cannot do harm."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .faults import DataError


def escape(text: str) -> str:
    r"""Text without control characters: names come from files, and files are hostile.

    Examples
    --------
    >>> escape("fc\x1b[2J\u202e")
    'fc\\x1b[2J\\u202e'
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


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
def printing() -> Iterator[None]:
    """What cannot be written in the body is said of the standard output."""
    try:
        yield
        if sys.stdout is not None:  # closed before the program began
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        raise
    except OSError as error:
        raise DataError(f"standard output: {error.strerror or error}") from error


def say(text: str) -> None:
    """A line, or several, on the standard output."""
    with printing():
        print(text)


def warn(text: str) -> None:
    """One line on the standard error."""
    if sys.stderr is not None:
        print(f"qcodec: {escape(text)}", file=sys.stderr)


def as_json(value: Any) -> str:
    """One JSON document, in ASCII."""
    return json.dumps(value, indent=2)


def print_json(value: Any) -> None:
    """One JSON document on the standard output."""
    say(as_json(value))
