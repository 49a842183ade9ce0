"""Times as ratios to another time of the same run, with the goal for each ratio."""

from __future__ import annotations

from . import goal_table
from .goals import Goal, judge
from .result import Result, Results


def table(results: Results, group: str) -> str:
    """A row for each measurement: µs a unit of work, and the ratio with its quartiles."""
    goals = {goal.ours: goal for goal in goal_table.of_training()}
    units = dict.fromkeys(result.unit.removesuffix("s") for result in results.of(group))
    lines = [
        f"| data | method | µs a {' or '.join(units)} | ratio | goal | |",
        "|---|---|---:|---:|---:|---|",
    ]
    lines += [_row(results, result, goals.get(result.key)) for result in results.of(group)]
    return "\n".join(lines)


def _row(results: Results, result: Result, goal: Goal | None) -> str:
    key, spread = result.key, result.spread
    time = _micros(spread.median / result.work)
    other = results.get(goal_table.reference(key))
    ratio = "" if other is None else _ratios(result, other)
    wanted, word = "", ""
    if goal is not None:
        wanted, word = goal.measure.wanted(goal.floor), judge(goal, results, []).word
    return f"| {key.data} | {key.method} | {time} | {ratio} | {wanted} | {word} |"


def _ratios(result: Result, other: Result) -> str:
    """The median and the quartiles of a time, by the median of the other; a letter as in others."""
    unit = other.spread.median / other.work
    spread = result.spread
    median, lower, upper = (
        f"{seconds / result.work / unit:.2f}"
        for seconds in (spread.median, spread.lower, spread.upper)
    )
    clock = "" if spread.clock == "wall" else f" {spread.clock[0]}"
    return f"{median} ({lower} to {upper}){clock}"


def _micros(seconds: float) -> str:
    micros = 1e6 * seconds
    return f"{micros:,.0f}" if micros >= 100 else f"{micros:.3g}"
