"""The machine of a run, and the instruction sets that qcodec can use on it."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from qcodec._core import core
from qcodec._core.cpu import FEATURES

_AVX2 = FEATURES["SSE42"] | FEATURES["AVX2"]
PATHS = {
    "portable": 0,
    "AVX2": _AVX2,
    "AVX-512": _AVX2 | FEATURES["AVX512"],
    "NEON": FEATURES["ARM_CRC"] | FEATURES["NEON"],
}


def available() -> list[str]:
    """The paths that this machine has, slowest first."""
    return [name for name, features in PATHS.items() if core.detect_cpu() & features == features]


def current() -> str:
    """The path that qcodec's C core uses in this process."""
    used = core.selected_cpu()
    return [name for name in available() if used & PATHS[name] == PATHS[name]][-1]


def disabling(path: str) -> str:
    """What QCODEC_DISABLE_CPU_FEATURES is to be, for a process that uses this path."""
    return ",".join(name for name, bit in FEATURES.items() if not PATHS[path] & bit)


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
        "torch": _version("torch"),
        "paths": ", ".join(available()),
        "load at the start": f"{os.getloadavg()[0]:.1f}",
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


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
