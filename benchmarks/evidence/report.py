"""The results of a case: rows of a table, each with its goal if it has one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measured figure.

    Attributes
    ----------
    case, what : str
    found : float
    goal, moonshot : str
        Such as ``"<= 556,000"``; empty where there is none.
    reached, beyond : bool or None
        Whether the goal is, and the moonshot.
    """

    case: str
    what: str
    found: float | int | str
    goal: str = ""
    reached: bool | None = None
    moonshot: str = ""
    beyond: bool | None = None

    @property
    def word(self) -> str:
        """What became of the goal."""
        if self.reached is None:
            return ""
        return "moonshot" if self.beyond else "reached" if self.reached else "**missed**"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def at_most(case: str, what: str, found: float, limit: float, moonshot: float | None = None) -> Row:
    """A figure that is small enough or not."""
    far = "" if moonshot is None else f"<= {moonshot:,}"
    beyond = None if moonshot is None else found <= moonshot
    return Row(case, what, found, f"<= {limit:,}", found <= limit, far, beyond)


def at_least(
    case: str, what: str, found: float, limit: float, moonshot: float | None = None
) -> Row:
    """A figure that is large enough or not."""
    far = "" if moonshot is None else f">= {moonshot:,}"
    beyond = None if moonshot is None else found >= moonshot
    return Row(case, what, found, f">= {limit:,}", found >= limit, far, beyond)


def markdown(rows: list[Row]) -> str:
    """The rows as a table."""
    lines = ["| case | what | found | goal | moonshot | |", "|---|---|---:|---:|---:|---|"]
    for row in rows:
        found = row.found if isinstance(row.found, str) else f"{row.found:,}"
        cells = (row.case, row.what, found, row.goal, row.moonshot, row.word)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


@contextmanager
def timed(rows: list[Row], case: str, what: str) -> Iterator[None]:
    """Add the seconds that the block takes."""
    start = time.perf_counter()
    yield
    rows.append(Row(case, f"{what}, seconds", round(time.perf_counter() - start, 3)))


def size_of(path: Path) -> int:
    """Bytes of a file."""
    return path.stat().st_size
