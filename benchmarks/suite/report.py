"""Results as Markdown and JSON, and tables in a document rewritten between markers."""

from __future__ import annotations

import json
from pathlib import Path

from . import beside, figures, ratios
from .goals import Verdict
from .result import Result, Results

TITLES = {
    "machine": "The machine",
    "goals": "Goals",
    "streams": "Integer codings and their peers at C level",
    "codecs": "Python packages",
    "frames": "Whole frames to floats",
    "k-means": "k-means",
    "crc32c": "CRC32C",
    "small calls": "What one small call costs",
    "training": "Training steps, against a plain one",
    "applying": "Applying methods to many layers, against 1,000",
    "memory": "Memory of one call",
    "threads": "Several threads against one",
    "placement": "Whole frames at every place in a page",
    "growth": "Growth of time and memory",
    "evidence": "Real nets",
    "sizes": "Beside general and lossless compressors",
    "second set": "A second set of nets",
}

#: Groups with tables of their own: their figures count by what they are divided by.
TABLES = {
    "training": ratios.table,
    "applying": ratios.table,
    "memory": figures.memory,
    "threads": beside.table,
    "placement": beside.table,
    "growth": figures.growth,
}


def machine_table(machine: dict[str, str], remarks: list[str]) -> str:
    """The machine, and what could not be measured on it."""
    lines = ["| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in machine.items()]
    if remarks:
        lines += ["", *(f"- {remark}" for remark in remarks)]
    return "\n".join(lines)


def goals_table(verdicts: list[Verdict]) -> str:
    """Goals, and what became of them."""
    lines = ["| goal | floor | moonshot | found | |", "|---|---:|---:|---:|---|"]
    for verdict in verdicts:
        goal, measure = verdict.goal, verdict.goal.measure
        floor = measure.wanted(goal.floor)
        moonshot = "" if goal.moonshot is None else measure.wanted(goal.moonshot)
        found = "" if verdict.found is None else measure.text(verdict.found)
        word = f"**{verdict.word}**" if verdict.word == "missed" else verdict.word
        lines.append(f"| {goal.what} | {floor} | {moonshot} | {found} | {word} |")
    return "\n".join(lines)


def group_table(results: Results, group: str) -> str:
    """All measurements of a group: a row for each method and path, a column for each action."""
    rows: dict[tuple[str, str, str], dict[str, Result]] = {}
    for result in results.of(group):
        key = result.key
        rows.setdefault((key.data, key.method, key.path), {})[key.action] = result
    actions = list(dict.fromkeys(result.key.action for result in results.of(group)))
    units = dict.fromkeys(unit_of(result) for result in results.of(group))
    heads = [f"{action}, {' or '.join(units)}" for action in actions]
    lines = [f"| data | method | path | {' | '.join(heads)} | size |"]
    lines.append(f"|---|---|---|{'---:|' * len(heads)}---:|")
    for names, found in rows.items():
        cells = [_cell(found[action]) if action in found else "" for action in actions]
        shares = [result.share for result in found.values() if result.share is not None]
        size = f"{shares[0]:.2f} %" if shares else ""
        lines.append(f"| {' | '.join(names)} | {' | '.join(cells)} | {size} |".replace("_", " "))
    return "\n".join(lines)


def unit_of(result: Result) -> str:
    """What the figures of a result are in."""
    return "µs" if result.unit == "calls" else f"G {result.unit}/s"


def _cell(result: Result) -> str:
    """Median (quartiles; best), and a letter where the clock was not the wall's."""
    spread = result.spread

    def figure(seconds: float) -> str:
        calls = result.unit == "calls"
        return f"{1e6 * seconds if calls else result.work / seconds / 1e9:.3g}"

    median, upper, lower, best = map(
        figure, (spread.median, spread.lower, spread.upper, spread.minimum)
    )
    clock = "" if spread.clock == "wall" else f" {spread.clock[0]}"
    return f"{median} ({lower} to {upper}; {best}){clock}"


def sections(
    machine: dict[str, str], remarks: list[str], verdicts: list[Verdict], results: Results
) -> dict[str, str]:
    """Every table by the name of its marker."""
    found = {"machine": machine_table(machine, remarks), "goals": goals_table(verdicts)}
    groups = dict.fromkeys(key.group for key in results)
    for group in groups:
        found[group] = TABLES.get(group, group_table)(results, group)
    return found


def markdown(tables: dict[str, str]) -> str:
    """All tables under their titles."""
    return "\n\n".join(f"## {TITLES[name]}\n\n{table}" for name, table in tables.items())


def write_json(
    path: Path,
    machine: dict[str, str],
    remarks: list[str],
    verdicts: list[Verdict],
    results: Results,
) -> None:
    """Everything, for other programs."""
    content = {
        "machine": machine,
        "remarks": remarks,
        "goals": [verdict.as_dict() for verdict in verdicts],
        "results": [result.as_dict() for result in results.values()],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
