"""Peak memory of calls on one large tensor and on files, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

from . import peak
from .measure import Spread
from .memory_case import CASES
from .native import ROOT
from .result import Key, Result, Results

GROUP = "memory"


def measure(results: Results, size: int) -> None:
    """Every case, with so many bytes of float32."""
    if not peak.is_known():
        warnings.warn("memory: skipped: this system does not tell the peak", stacklevel=2)
        return
    for name, case in CASES.items():
        memory, whole, seconds = _in_a_process(name, size)
        spread = Spread(*[seconds] * 4, 1, 0, "processor")
        key = Key(GROUP, case.action, case.recipe, case.of)
        results.record(Result(key, spread, whole, "bytes", figure=memory / whole))


def _in_a_process(name: str, size: int) -> tuple[int, int, float]:
    command = [sys.executable, "-m", "benchmarks.suite.memory_case", name, str(size)]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    memory, whole, seconds = json.loads(done.stdout)
    return memory, whole, seconds
