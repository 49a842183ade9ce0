"""Versions and CPU features of this installation, for bug reports."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np

from .._core import core, cpu

#: Version bytes of candidates count from here.
_CANDIDATE = 0x80


def config() -> dict[str, Any]:
    """Return versions and CPU features as plain values.

    Examples
    --------
    >>> config()["format"]
    '1, candidate 1 (0x81)'
    """
    return {
        "qcodec": _version(),
        "format": f"1, candidate {core.FORMAT_VERSION - _CANDIDATE} ({core.FORMAT_VERSION:#x})",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cpu_found": list(cpu.feature_names(core.detect_cpu())),
        "cpu_used": list(cpu.feature_names(core.selected_cpu())),
    }


def show_config() -> None:
    """Print versions, and which CPU features were found and are used."""
    found = config()
    names = {"qcodec": "qcodec", "format": "format", "python": "Python", "numpy": "NumPy"}
    for key, name in names.items():
        print(f"{name:<9} {found[key]}")
    print(f"{'machine':<9} {found['machine']}")
    for key in ("found", "used"):
        print(f"CPU {key:<5} {' '.join(found[f'cpu_{key}']) or '(none: portable code)'}")


def get_include() -> str:
    """Return the folder of the public C headers (``qcodec*.h``), for the compiler's ``-I``.

    Examples
    --------
    >>> Path(get_include(), "qcodec.h").exists()
    True
    """
    package = Path(__file__).parents[1]
    installed = package / "include"
    # In a clone the headers are not installed: they are in csrc.
    return str(installed if installed.exists() else package.parent / "csrc")


def _version() -> str:
    from importlib import metadata  # at the top it would take a third of `import qcodec`

    try:
        return metadata.version("qcodec")
    except metadata.PackageNotFoundError:
        return "not installed"
