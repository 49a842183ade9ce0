"""What ran the benchmarks, and which instruction sets ours can use on it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from qcodec._core import decode, encode, numeric, pack, stream

SSE42, AVX2, AVX512, ARM_CRC, NEON = (1 << bit for bit in range(5))
PATHS = {
    "portable": 0,
    "AVX2": SSE42 | AVX2,
    "AVX-512": SSE42 | AVX2 | AVX512,
    "NEON": ARM_CRC | NEON,
}


def available() -> list[str]:
    """The paths that this machine has, slowest first."""
    return [name for name, features in PATHS.items() if stream.detect_cpu() & features == features]


def select(path: str) -> None:
    """Let every compiled module of qcodec use this path from now on."""
    for module in (decode, encode, numeric, pack, stream):
        choose: Callable[[int], int] | None = getattr(module, "select_cpu", None)
        if choose is not None:
            choose(PATHS[path])


def owed() -> list[str]:
    """A line for each path that is missing here."""
    return [f"{name}: owed to a machine with {name}" for name in PATHS if name not in available()]


def describe() -> dict[str, str]:
    """What one wants to know about the machine, in words."""
    caches = Path("/sys/devices/system/cpu/cpu0/cache")
    sizes = [
        f"L{_text(index / 'level')} {_text(index / 'type').lower()} {_text(index / 'size')}"
        for index in sorted(caches.glob("index*"))
    ]
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "caches": ", ".join(sizes) or "unknown",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "paths": ", ".join(available()),
        "load at the start": f"{os.getloadavg()[0]:.1f}",
    }


def _text(path: Path) -> str:
    return path.read_text().strip() if path.exists() else "?"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        fields = dict(
            [part.strip() for part in line.split(":", 1)]
            for line in information.read_text().split("\n\n")[0].splitlines()
            if ":" in line
        )
        name = fields.get("model name", platform.machine())
        return f"{name}, family {fields.get('cpu family')}, model {fields.get('model')}"
    if platform.system() == "Darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    return platform.processor()
