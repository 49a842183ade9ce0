"""Goals, and how they are judged by measurements; goal_table.py lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .result import Key, Result, Results


@dataclass(frozen=True)
class Measure:
    """The quantity that is compared with a goal's floor.

    Attributes
    ----------
    sign : {"≥", "≤"}
    unit : str
    precision : str
        How a figure is written.
    timed : bool
        Whether it is made of times, which a busy machine makes worthless.
    """

    sign: str
    unit: str
    precision: str
    timed: bool = True

    def text(self, number: float) -> str:
        """A figure as it was found."""
        return f"{number:{self.precision}}{self.unit}"

    def wanted(self, number: float) -> str:
        """What is wanted, exactly."""
        return f"{self.sign} {number:g}{self.unit}"

    def reaches(self, found: float, wanted: float | None) -> bool:
        """Whether what was found is at least as good; nothing reaches what was never named."""
        if wanted is None:
            return False
        return found >= wanted if self.sign == "≥" else found <= wanted


FASTER = Measure("≥", "x", ".2f")
SMALLER = Measure("≤", " %", ".2f", timed=False)
RATE = Measure("≥", " G/s", ".4f")
TIME = Measure("≤", " µs", ".2f")
COST = Measure("≤", "x", ".2f")
EACH = Measure("≤", " µs each", ".3g")
MEMORY = Measure("≤", "x", ".2f", timed=False)
EXPONENT = Measure("≤", "", ".2f")
TIMES = Measure("≤", " times", ".2f")
# Those that compare what a result has as its figure.
_OF_FIGURES = (MEMORY, EXPONENT, TIMES)


@dataclass(frozen=True)
class Goal:
    """One row of the table of goals.

    Attributes
    ----------
    what : str
        In words.
    measure : Measure
    ours : Key
        The measurement.
    peer : Key or None
        What it is divided by.
    floor : float
        The value to reach.
    moonshot : float or None
        What would be splendid, where that was named.
    yardstick : (Key, Key, float) or None
        Two measurements of the same rounds that tell what the machine gave, and their ratio on a
        machine that gives all. Where it gave a smaller one, the floor is smaller by that part.
    """

    what: str
    measure: Measure
    ours: Key
    peer: Key | None
    floor: float
    moonshot: float | None = None
    yardstick: tuple[Key, Key, float] | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of a goal.

    Attributes
    ----------
    goal : Goal
    found : float or None
        None: not measured, and `word` says why.
    word : str
        ``"moonshot"``, ``"reached"``, ``"missed"``, or what is missing.
    """

    goal: Goal
    found: float | None
    word: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        goal = self.goal
        return {
            "goal": goal.what,
            "found": self.found,
            "floor": goal.floor,
            "moonshot": goal.moonshot,
            "verdict": self.word,
        }


def judge(goal: Goal, results: Results, paths: list[str]) -> Verdict:
    """Compare a goal with what was measured on a machine that has these paths."""
    ours, peer = results.get(goal.ours), None
    if ours is None:
        path = goal.ours.path
        owed = path and path not in paths
        return Verdict(goal, None, f"owed to a machine with {path}" if owed else "not measured")
    if goal.peer is not None:
        peer = results.get(goal.peer)
        if peer is None:
            return Verdict(goal, None, f"{goal.peer.method} is missing")
    clocks = {result.spread.clock for result in (ours, peer) if result is not None}
    if goal.measure.timed and "unsure" in clocks:
        return Verdict(goal, None, "not judged: the machine may have been busy")
    found = _figure(goal.measure, ours, peer)
    if goal.measure.reaches(found, goal.moonshot):
        return Verdict(goal, found, "moonshot")
    floor = goal.floor * _given(goal, results)
    return Verdict(goal, found, "reached" if goal.measure.reaches(found, floor) else "missed")


def _given(goal: Goal, results: Results) -> float:
    """The part of its yardstick that the machine gave, at most 1."""
    if goal.yardstick is None:
        return 1.0
    ours, peer, whole = goal.yardstick
    return min(results[ours].rate / results[peer].rate / whole, 1.0)


def _figure(measure: Measure, ours: Result, peer: Result | None) -> float:
    if measure is SMALLER:
        return _size(ours) if peer is None else 100 * _size(ours) / _size(peer)
    if measure in _OF_FIGURES:
        assert ours.figure is not None, f"{ours.key} was measured without its figure"
        return ours.figure
    if measure is TIME:
        return ours.spread.median * 1e6
    if measure is EACH:
        return ours.spread.median * 1e6 / ours.work
    if peer is None:
        return ours.rate
    return peer.rate / ours.rate if measure is COST else ours.rate / peer.rate


def _size(result: Result) -> float:
    assert result.share is not None, f"{result.key} was measured without its size"
    return result.share
