"""Small shared libraries, compiled when the benchmarks run and kept in build/benchmarks."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
FOLDER = ROOT / "build" / "benchmarks"


class MissingPeerError(Exception):
    """A requirement for measuring a peer is missing."""


def library(name: str, inputs: list[Path], flags: list[str]) -> ctypes.CDLL:
    """Compile `inputs`, unless that was done before with the same bytes, and load the result."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = [*compiler, "-O3", "-fPIC", "-shared", "-ffp-contract=off", *flags]
    digest = hashlib.sha256(" ".join(command).encode())
    for path in inputs:
        digest.update(path.read_bytes())
    target = FOLDER / f"{name}-{digest.hexdigest()[:16]}.so"
    if not target.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command += [*map(str, inputs), "-lm", "-o", f"{target}.part"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise MissingPeerError(f"{name}: {command[0]} fails: {done.stderr.strip()[-500:]}")
        Path(f"{target}.part").replace(target)
    return ctypes.CDLL(str(target))
