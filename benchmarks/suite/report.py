"""Results as Markdown and JSON, and tables in a document rewritten between markers."""

from __future__ import annotations

import json
import re
from pathlib import Path

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
    "evidence": "Real nets",
    "sizes": "Beside general and lossless compressors",
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
        floor = f"{measure.sign} {measure.text(goal.floor)}"
        moonshot = "" if goal.moonshot is None else f"{measure.sign} {measure.text(goal.moonshot)}"
        found = "" if verdict.found is None else measure.text(verdict.found)
        word = f"**{verdict.word}**" if verdict.word == "missed" else verdict.word
        lines.append(f"| {goal.what} | {floor} | {moonshot} | {found} | {word} |")
    return "\n".join(lines)


def group_table(results: Results, group: str) -> str:
    """All measurements of a group, with their spread."""
    lines = [
        "| data | method | path | what | G/s | best, quartiles | samples | size |",
        "|---|---|---|---|---:|---|---|---:|",
    ]
    lines += [_row(result) for result in results.of(group)]
    return "\n".join(lines)


def _row(result: Result) -> str:
    key, spread = result.key, result.spread
    best, upper, lower = (
        f"{result.work / seconds / 1e9:.3g}"
        for seconds in (spread.least, spread.lower, spread.upper)
    )
    taken = spread.samples + spread.dropped
    samples = f"{spread.samples} of {taken}" if spread.clock == "wall" else spread.clock
    size = "" if result.share is None else f"{result.share:.2f} %"
    what = f"{key.action}, {result.unit}"
    return (
        f"| {key.data} | {key.method.replace('_', ' ')} | {key.path} | {what} "
        f"| {result.rate:.3g} | {best}, {upper} to {lower} | {samples} | {size} |"
    )


def sections(
    machine: dict[str, str], remarks: list[str], verdicts: list[Verdict], results: Results
) -> dict[str, str]:
    """Every table by the name of its marker."""
    found = {"machine": machine_table(machine, remarks), "goals": goals_table(verdicts)}
    groups = dict.fromkeys(key.group for key in results)
    return found | {group: group_table(results, group) for group in groups}


def markdown(tables: dict[str, str]) -> str:
    """All tables under their titles."""
    return "\n\n".join(f"## {TITLES[name]}\n\n{table}" for name, table in tables.items())


def update(document: Path, tables: dict[str, str]) -> None:
    """Rewrite what stands between ``<!-- name -->`` and ``<!-- /name -->``.

    Raises
    ------
    ValueError
        If the document lacks the markers of a table.
    """
    text = document.read_text()
    for name, table in tables.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, count = re.subn(
            pattern, lambda match, table=table: match[1] + table + "\n" + match[2], text, flags=re.S
        )
        if count != 1:
            raise ValueError(f"{document}: <!-- {name} --> stands there {count} times, not once")
    document.write_text(text)


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
