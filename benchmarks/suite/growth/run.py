"""Measures every series, what lies along an axis beside rows, and the import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from .. import peak
from ..measure import Effort, Job, Spread, interleave
from ..native import ROOT
from ..result import Key, Result, Results
from . import by_groups, by_number, by_reading, by_size, cliffs
from .extent import Extent
from .series import Series

GROUP = "growth"
#: The methods of the largest size, and of what all sizes say together.
LARGEST, ALL_SIZES = "largest", "all sizes"
IMPORT = "import qcodec, after NumPy"
_ROUNDS = 3
# The system counts less than this in pages of 2 MiB that are not all used.
_LEAST_BYTES = 4 << 20
_IMPORT = """
import numpy, time
before = time.process_time()
import qcodec
print(time.process_time() - before)
"""


def everything(extent: Extent) -> Iterator[Series]:
    """All series."""
    for module in (by_size, by_reading, by_number, by_groups, cliffs):
        yield from module.series(extent)


def measure(results: Results, extent: Extent, effort: Effort) -> None:
    """All of it."""
    few = Effort(min(_ROUNDS, effort.rounds), effort.seconds)
    _measure_import(results, effort.rounds)
    measure_series(results, everything(extent), few)
    _measure_pairs(results, extent, effort)


def measure_series(results: Results, every: Iterable[Series], effort: Effort) -> None:
    """Each at all of its sizes, one after the other: most do not fit into memory together."""
    for series in every:
        times, memories = {}, {}
        for size in series.sizes:
            found = _at_size(series, size, effort)
            times[size] = found.spread.minimum
            if found.figure is not None:
                memories[size] = max(found.figure, _LEAST_BYTES)
            results.record(found)
        results.record(Result(_key(series.name, LARGEST), found.spread, found.work, found.unit))
        for what, growth, quantities in (
            ("time", series.time, times),
            ("memory", series.memory, memories),
        ):
            if growth is not None and quantities:
                key = Key(GROUP, series.name, ALL_SIZES, what)
                figure = growth.figure(quantities)
                results.record(Result(key, found.spread, found.work, found.unit, figure=figure))


def _at_size(series: Series, size: int, effort: Effort) -> Result:
    with ExitStack() as opened:
        job = series.make(size, opened)
        spread = interleave({"": job}, effort)[""]
        wanted = series.memory is not None and peak.is_known()
        memory = float(peak.above(job)) if wanted else None
    units = size if series.units is None else series.units
    key = _key(series.name, f"{size:,} {series.unit}")
    return Result(key, spread, units, series.unit, figure=memory)


def _measure_pairs(results: Results, extent: Extent, effort: Effort) -> None:
    named: dict[str, dict[str, Job]] = {}
    for name, where, job in by_groups.pairs(extent):
        named.setdefault(name, {})[where] = job
    for name, jobs in named.items():
        spreads = interleave(jobs, effort)
        rows = spreads.pop(by_groups.BY_ROW)
        for where, spread in spreads.items():
            key = Key(GROUP, by_groups.title(name, where), ALL_SIZES, "time")
            figure = spread.median / rows.median
            results.record(Result(key, spread, 1, "calls", figure=figure))


def _measure_import(results: Results, rounds: int) -> None:
    seconds = []
    for _ in range(rounds):
        command = [sys.executable, "-c", _IMPORT]
        done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)  # noqa: S603
        seconds.append(float(done.stdout))
    seconds.sort()
    quartiles = [seconds[len(seconds) * part // 4] for part in range(4)]
    spread = Spread(*quartiles, len(seconds), 0, "processor")
    results.record(Result(_key(IMPORT, LARGEST), spread, 1, "calls"))


def _key(data: str, method: str) -> Key:
    return Key(GROUP, data, method, "work")
