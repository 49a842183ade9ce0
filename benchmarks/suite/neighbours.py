"""What other processes had of the processors while something was measured; Linux alone tells it."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
# Columns of the first line that are not work: idle, waiting for disks; guests are in "user" too.
_BUSY = (0, 1, 2, 5, 6, 7)


class Neighbours:
    """Other processes, from now on.

    Examples
    --------
    >>> neighbours = Neighbours()
    >>> share = neighbours.share()
    >>> share is None or share >= 0
    True
    """

    def __init__(self) -> None:
        self._started, self._others = time.perf_counter(), _others()

    def share(self) -> float | None:
        """Seconds of processors that others had, for each second; None if the system hides it."""
        others = _others()
        if others is None or self._others is None:
            return None
        return max(0.0, others - self._others) / max(1e-9, time.perf_counter() - self._started)


def _others() -> float | None:
    """Seconds of all processors since the start of the system, without those of this process."""
    if not _STAT.exists():
        return None
    ticks = [int(word) for word in _STAT.read_text().split("\n", 1)[0].split()[1:]]
    if not any(ticks):
        return None
    busy = sum(ticks[column] for column in _BUSY if column < len(ticks))
    return busy / os.sysconf("SC_CLK_TCK") - time.process_time()
