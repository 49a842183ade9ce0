"""Tables of rates beside another rate of the same run, with the goal for each ratio."""

from __future__ import annotations

from . import goal_table
from .goals import judge
from .result import Result, Results


def table(results: Results, group: str) -> str:
    """A row for each measurement that something was measured beside: rates, ratio and goal."""
    found = list(results.of(group))
    base = {result.key: goal_table.beside(result.key) for result in found}
    lines = [
        "| data | method | path | G a second | beside | G a second | ratio | goal | |",
        "|---|---|---|---:|---|---:|---:|---:|---|",
    ]
    for result in found:
        other = results.get(base[result.key])
        if other is not None and other is not result:
            lines.append(_row(results, result, other))
    return "\n".join(lines)


def _row(results: Results, result: Result, other: Result) -> str:
    key = result.key
    goals = {(goal.ours, goal.peer): goal for goal in goal_table.beside_others(key.path)}
    goal = goals.get((key, other.key))
    wanted, word = "", ""
    if goal is not None:
        wanted, word = goal.measure.wanted(goal.floor), judge(goal, results, [key.path]).word
    names = f"{key.action} {key.data} | {key.method} | {key.path}"
    rates = f"{result.rate:.3g} | {other.key.method} | {other.rate:.3g}"
    return f"| {names} | {rates} | {_ratio(result, other)} | {wanted} | {word} |"


def _ratio(result: Result, other: Result) -> str:
    """Of the medians, with the quartiles of ours; a letter where no verdict can be built on it."""
    middle = other.spread.median
    ours = result.spread
    median, lower, upper = (f"{middle / t:.2f}" for t in (ours.median, ours.upper, ours.lower))
    clock = "" if ours.clock == "wall" else f" {ours.clock[0]}"
    return f"{median} ({lower} to {upper}){clock}"
