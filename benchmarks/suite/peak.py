"""The memory that a call takes above what the process held before it; Linux alone tells this."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")
_KIB = 1024


def is_known() -> bool:
    """Whether this machine tells how much memory a process held at most."""
    return _STATUS.exists() and _RESET.exists()


def above(job: Callable[[], object]) -> int:
    """Bytes that the process held more at the peak of a call than before it, its result included.

    Pages of mapped files count, as they do for whoever watches the process. The system counts in
    lots, so the figure is right to some hundred KiB.
    """
    _give_back()
    _RESET.write_text("5")  # the peak is what the process holds now
    before = _bytes("VmRSS")
    kept = job()
    peak = _bytes("VmHWM")
    del kept
    return max(0, peak - before)


def _give_back() -> None:
    """Return freed memory to the system, so that the call cannot use it unnoticed."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
    if trim is not None:
        trim(0)


def _bytes(field: str) -> int:
    lines = _STATUS.read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith(f"{field}:"))
    return int(found) * _KIB
