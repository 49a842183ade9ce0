"""Tables of memory and of growth, with the goal for each figure."""

from __future__ import annotations

from . import goal_table, growth_goals
from .goals import Goal, judge
from .growth.run import ALL_SIZES, LARGEST
from .result import Result, Results

# So many sizes of a series are printed at most.
_SHOWN = 12
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""))


def memory(results: Results, group: str) -> str:
    """A row for each call: the peak of its memory, and how long it took."""
    goals = {goal.ours: goal for goal in goal_table.of_memory()}
    lines = ["| call | recipe | memory | beside | s | goal | |", "|---|---|---:|---|---:|---:|---|"]
    for result in results.of(group):
        key, goal = result.key, goals[result.key]
        found = f"{result.figure:.2f} | {key.action} of {_size(result.work)}B"
        names = f"{key.data} | {key.method}"
        lines.append(
            f"| {names} | {found} | {result.spread.median:.2f} | {_judged(goal, results)} |"
        )
    return "\n".join(lines)


def growth(results: Results, group: str) -> str:
    """A row for each series: its time and its memory by size, and how they grow."""
    goals = {(goal.ours, goal.measure.unit): goal for goal in growth_goals.goals()}
    lines = ["| what | by | figure | goal | |", "|---|---|---:|---:|---|"]
    for name in dict.fromkeys(result.key.data for result in results.of(group)):
        found = [result for result in results.of(group) if result.key.data == name]
        points = [r for r in found if r.key.method not in (ALL_SIZES, LARGEST)]
        for (key, _), goal in goals.items():
            if key.data == name and key in results:
                by = "" if key.method == LARGEST else _by_size(points, key.action)
                lines.append(f"| {goal.what} | {by} | {_found(goal, results)} |")
    return "\n".join(lines)


def _by_size(points: list[Result], quantity: str) -> str:
    """What was found at some of the sizes: microseconds, or bytes of memory."""
    step = -(-len(points) // _SHOWN)
    shown = points[:: max(1, step)]
    if quantity == "memory":
        return ", ".join(f"{_count(p)}: {_size(p.figure)}B" for p in shown if p.figure is not None)
    return ", ".join(f"{_count(p)}: {_micros(p.spread.minimum)}" for p in shown)


def _found(goal: Goal, results: Results) -> str:
    verdict = judge(goal, results, [])
    assert verdict.found is not None, f"{goal.what} was measured"
    return f"{goal.measure.text(verdict.found)} | {_judged(goal, results)}"


def _judged(goal: Goal, results: Results) -> str:
    return f"{goal.measure.wanted(goal.floor)} | {judge(goal, results, []).word}"


def _count(point: Result) -> str:
    return _size(int(point.key.method.split()[0].replace(",", "")))


def _size(number: float) -> str:
    unit, prefix = next((row for row in _UNITS if number >= row[0]), _UNITS[-1])
    return f"{number / unit:.3g}{prefix}"


def _micros(seconds: float) -> str:
    unit, name = next(row for row in ((1, "s"), (1e-3, "ms"), (0, "µs")) if seconds >= row[0])
    return f"{seconds / (unit or 1e-6):.3g} {name}"
