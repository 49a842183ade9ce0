"""The tables of docs/benchmarks.md, read again: pictures are drawn from them, so both agree."""

from __future__ import annotations

import re
from pathlib import Path

#: Rows of cells; the first row is the head.
Table = list[list[str]]


def section(text: str, name: str) -> str:
    """Return what is between a document's markers of this name; empty if there are none."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n(.*?)<!-- /{re.escape(name)} -->", text, re.S)
    return "" if found is None else found[1]


def read_section(path: Path, name: str) -> str:
    """Return a section of the document at this path."""
    return section(path.read_text("utf-8"), name)


def table(text: str) -> Table:
    """Return the rows of the first table in a text, without the line below its head.

    Examples
    --------
    >>> table("| a | b |\\n|---|---:|\\n| **x** | 1,000 |\\n")
    [['a', 'b'], ['x', '1,000']]
    """
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip().strip("*") for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if not re.fullmatch("[-:]+", "".join(row))]


def titled(text: str) -> list[tuple[str, Table]]:
    """Return the tables of a section and the titles above them."""
    parts = re.split(r"^### (.*)$", text, flags=re.M)[1:]
    return [(title, table(body)) for title, body in zip(parts[::2], parts[1::2], strict=True)]


def number(cell: str) -> float:
    """Return the first number of a cell.

    Examples
    --------
    >>> number("17.5 (17.5 to 17.6; 18)"), number("1,244,000"), number("101.39 %")
    (17.5, 1244000.0, 101.39)
    """
    found = re.match(r"[\d,]*\.?\d+", cell)
    if found is None:
        raise ValueError(f"no number: {cell!r}")
    return float(found[0].replace(",", ""))
