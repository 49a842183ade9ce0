"""Interleaved timing: all jobs of a group take turns, so a busy machine slows all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .neighbours import Neighbours

Job = Callable[[], object]

# A sample is quiet if the process had the processor for this share of the time.
QUIET = 0.95
# Jobs of several threads wait for each other, so theirs are quiet if all other processes together
# had at most this share of one core during the round. Finer shares drown in the system's ticks.
QUIET_NEIGHBOURS = 0.1
# With fewer quiet samples, or a smaller share of them, wall-clock times are not used.
ENOUGH = 3
ENOUGH_SHARE = 1 / 3
# Longer jobs are warm after one call.
WARM_UP_SECONDS = 0.2


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes
    ----------
    rounds : int
        Samples of each job.
    seconds : float
        The least time of a sample: shorter jobs are repeated within it.
    """

    rounds: int = 9
    seconds: float = 0.002


@dataclass(frozen=True)
class Spread:
    """Seconds of one call.

    Attributes
    ----------
    minimum, lower, median, upper : float
        The minimum, and the quartiles.
    samples, dropped : int
        Those that count, and those during which something else had the processor.
    clock : str
        ``"wall"``: of the quiet samples. ``"processor"``: too few were quiet, and these are the
        processor's seconds of all samples. Wall-clock seconds of a busy machine would make
        an interrupted job look slow. ``"unsure"``: wall-clock seconds of all samples of a job
        with several threads, of which too few were quiet: no verdict can be built on them.
    """

    minimum: float
    lower: float
    median: float
    upper: float
    samples: int
    dropped: int
    clock: str = "wall"


def spread_of(
    walls: list[float], processors: list[float], quiet: list[bool] | None = None
) -> Spread:
    """What the samples say, given their wall-clock and processor times.

    `quiet` says of each sample whether other processes left it alone. It is for several threads;
    of one thread, the processor's time tells.
    """
    wall, processor = np.array(walls), np.array(processors)
    alone = processor >= QUIET * wall if quiet is None else np.array(quiet)
    counted, clock = wall[alone], "wall"
    if len(counted) < max(ENOUGH, ENOUGH_SHARE * len(wall)):
        counted, clock = (processor, "processor") if quiet is None else (wall, "unsure")
    dropped = len(wall) - len(counted)
    minimum, lower, median, upper = np.percentile(counted, (0, 25, 50, 75)).tolist()
    return Spread(minimum, lower, median, upper, len(counted), dropped, clock)


def interleave(
    jobs: Mapping[str, Job],
    effort: Effort,
    threads: int = 1,
    before: Callable[[str], object] = lambda _: None,
) -> dict[str, Spread]:
    """Time every job, one sample of each in turn.

    Parameters
    ----------
    jobs : mapping of str to callable
    effort : Effort
    threads : int
        How many the jobs use at most.
    before : callable
        Gets a job's name before each of its samples, outside the time that is taken: choosing
        an instruction set asks the processor, which a virtual machine answers in microseconds.

    Returns
    -------
    dict of str to Spread
        Seconds of one call. Each job is called a few times before, to warm up.
    """
    repeats = {}
    for name, job in jobs.items():
        before(name)
        repeats[name] = _repeats(job, effort.seconds)
    return in_turns(jobs, effort.rounds, repeats, threads, before)


def in_turns(
    jobs: Mapping[str, Job],
    rounds: int,
    repeats: Mapping[str, int] | None = None,
    threads: int = 1,
    before: Callable[[str], object] = lambda _: None,
) -> dict[str, Spread]:
    """Time every job a fixed number of times, one sample of each in turn, without a warm-up.

    Parameters
    ----------
    jobs : mapping of str to callable
    rounds : int
        Samples of each job.
    repeats : mapping of str to int, optional
        How often each job is called in a sample; the default is once.
    threads, before
        As for `interleave`.
    """
    walls: dict[str, list[float]] = {name: [] for name in jobs}
    processors: dict[str, list[float]] = {name: [] for name in jobs}
    quiet: list[bool] = []
    for _ in range(rounds):
        neighbours = Neighbours()
        for name, job in jobs.items():
            before(name)
            wall, processor = _sample(job, 1 if repeats is None else repeats[name])
            walls[name].append(wall)
            processors[name].append(processor)
        share = neighbours.share()
        quiet.append(share is not None and share <= QUIET_NEIGHBOURS)
    told = quiet if threads > 1 else None
    return {name: spread_of(walls[name], processors[name], told) for name in jobs}


def _repeats(job: Job, seconds: float) -> int:
    """How often the job fits into a sample, by the quickest of three calls; long ones are 1."""
    quickest, _ = _sample(job, 1)
    if quickest < WARM_UP_SECONDS:
        quickest = min(quickest, *(_sample(job, 1)[0] for _ in range(2)))
    return max(1, round(seconds / max(quickest, 1e-7)))


def _sample(job: Job, repeats: int) -> tuple[float, float]:
    """Wall-clock and processor seconds of one call, on average over the repeats."""
    processor, wall = time.process_time(), time.perf_counter()
    for _ in range(repeats):
        job()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return wall / repeats, processor / repeats
