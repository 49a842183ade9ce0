"""Text for terminals: tables, plain JSON, and names that cannot do harm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..messages import escape

__all__ = ["counted", "escape", "print_json", "table"]


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


def print_json(value: Any) -> None:
    """One JSON document, in ASCII."""
    print(json.dumps(value, indent=2))
