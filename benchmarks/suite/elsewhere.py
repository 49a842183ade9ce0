"""The same groups in another process, which uses another instruction set from its start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from qcodec._core.cpu import VARIABLE

from . import machine
from .native import ROOT
from .result import Results


def run_on(path: str, names: list[str], rounds: int) -> Results:
    """Measure these groups on this path.

    Raises
    ------
    subprocess.CalledProcessError
        If the other process fails; what it said is on standard error.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.json"
        command = [sys.executable, "-m", "benchmarks", "--this-path-only", "--json", str(file)]
        command += ["--rounds", str(rounds), "--groups", *names]
        environment = os.environ | {VARIABLE: machine.disabling(path)}
        subprocess.run(  # noqa: S603
            command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
        )
        return Results.from_dicts(json.loads(file.read_text())["results"])
