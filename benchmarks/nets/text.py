"""A text that every Python installation has: the docstrings of the standard library."""

from __future__ import annotations

import ast
import sysconfig
from functools import cache
from pathlib import Path

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def characters() -> bytes:
    """ASCII, the same for each release of Python."""
    folder = Path(sysconfig.get_path("stdlib"))
    found = [text for path in sorted(folder.glob("*.py")) for text in _docstrings(path)]
    return "\n\n".join(found).encode("ascii", "ignore")


def _docstrings(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, _DOCUMENTED)]
    return [text for node in nodes if (text := ast.get_docstring(node))]
