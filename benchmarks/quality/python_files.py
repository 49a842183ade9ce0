"""Files of many types that come with Python: its standard library and the installed packages."""

from __future__ import annotations

import hashlib
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# Left out: what differs with the programs that ran, and packages of other environments.
_LEFT_OUT = {"__pycache__", "site-packages", "dist-packages"}


def python_files() -> Iterator[Path]:
    """Every file, in the order of the digests of their paths within the two folders."""
    paths = sysconfig.get_paths()
    found: dict[str, Path] = {}
    for key in ("stdlib", "purelib"):
        root = Path(paths[key])
        for path in root.rglob("*"):
            within = path.relative_to(root)
            if path.is_file() and not path.is_symlink() and _LEFT_OUT.isdisjoint(within.parts):
                found[f"{key}/{within.as_posix()}"] = path
    for name in sorted(found, key=lambda name: hashlib.sha256(name.encode()).digest()):
        yield found[name]
