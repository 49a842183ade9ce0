"""Results as Markdown: `python -m recipes.document RUN_FOLDER... [--update FILE]`.

The section of a recipe is between ``<!-- recipe NAME -->`` and ``<!-- /recipe NAME -->``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .report import table
from .sections import rewrite

_SCALARS = (bool, int, float, str)
_ABSENT = "-"


def section(result: Mapping[str, Any]) -> str:
    """A result as Markdown: the paper's values beside ours, the command, tables and notes.

    Parameters
    ----------
    result : mapping
        As in ``result.json`` (recipes/README.md).

    Raises
    ------
    ValueError
        If a required key is missing.

    Examples
    --------
    >>> made = {"command": "python -m recipes tiny --data d --out o", "seed": 0, "minutes": 0.1}
    >>> found = {"recipe": "tiny", "paper": {"KB": 27}, "ours": {"KB": 13.5}, "commit": "1a2b3c4"}
    >>> print(section(made | found))
    | | paper | ours |
    |---|---:|---:|
    | KB | 27 | 13.5 |
    <BLANKLINE>
    `python -m recipes tiny --data FOLDER --out FOLDER`: seed 0, 0.1 minutes, commit 1a2b3c4
    """
    needed = ("recipe", "paper", "ours", "command", "seed", "minutes", "commit")
    missing = [name for name in needed if name not in result]
    if missing:
        raise ValueError(f"no result of a recipe: it lacks {', '.join(missing)}")
    parts = [_beside(result["paper"], result["ours"]), _origin(result)]
    parts += result.get("tables", [])
    parts += ["\n".join(f"- {note}" for note in result.get("notes", []))]
    return "\n\n".join(part for part in parts if part)


def sections(folders: list[Path]) -> dict[str, str]:
    """The sections of several runs, by their markers.

    Raises
    ------
    ValueError
        If a folder has no result, or two folders have results of the same recipe.
    """
    found: dict[str, str] = {}
    for folder in folders:
        path = folder / "result.json"
        if not path.exists():
            raise ValueError(f"{folder}: no result.json; did the run end?")
        result = json.loads(path.read_text("utf-8"))
        marker = f"recipe {result['recipe']}"
        if marker in found:
            raise ValueError(f"{folder}: a second result of {result['recipe']}")
        found[marker] = section(result)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print the sections, or write them into a document."""
    parser = argparse.ArgumentParser("python -m recipes.document", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--update", type=Path, help="rewrite the sections of this document")
    options = parser.parse_args(arguments)
    found = sections(options.folders)
    if options.update:
        rewrite(options.update, found)
    else:
        print("\n\n".join(found.values()))
    return 0


def _beside(paper: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """A table of plain values of both. Nested values are in the recipe's own tables."""
    names = dict.fromkeys([*paper, *ours])
    rows = [
        (name, _text(paper.get(name)), _text(ours.get(name)))
        for name in names
        if isinstance(paper.get(name, ours.get(name)), _SCALARS)
    ]
    return table(("", "paper", "ours"), rows).replace("|  |", "| |", 1) if rows else ""


def _origin(result: Mapping[str, Any]) -> str:
    # Paths of the machine are not published.
    command = re.sub(r"(--(?:data|out))[ =]\S+", r"\1 FOLDER", result["command"])
    return (
        f"`{command}`: seed {result['seed']}, {result['minutes']} minutes, "
        f"commit {result['commit']}"
    )


def _text(value: Any) -> str:
    if value is None:
        return _ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
