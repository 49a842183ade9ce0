"""Comparisons as Markdown."""

from __future__ import annotations

from ..evidence.report import markdown as goals_table
from ..suite.measure import Spread
from .compare import Comparison, Entry


def megabytes(dense: int, spread: Spread | None) -> str:
    """10^6 bytes of decoded tensors a second, and a letter where the clock was not the wall's."""
    if spread is None:
        return ""
    letter = "" if spread.clock == "wall" else f" {spread.clock[0]}"
    return f"{dense / spread.median / 1e6:,.0f}{letter}"


def section(comparison: Comparison) -> str:
    """One case: a title, a row a method, and its goals."""
    case = comparison.case
    lines = [f"### {case.title}: {comparison.dense:,} bytes decoded", ""]
    if case.note:
        lines += [case.note, ""]
    lines += ["| | given as | bytes | of decoded | to tensors, MB/s | decompressed, MB/s |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    lines += [_row(comparison, entry) for entry in comparison.entries]
    if comparison.order0:
        share = 100 * comparison.order0 / comparison.dense
        lines.append(
            f"| entropy of order 0 | no tables | {comparison.order0:,} | {share:.2f} % | | |"
        )
    lines += [f"| {remark} | | | | | |" for remark in comparison.remarks]
    goals = comparison.goals()
    return "\n".join([*lines, *(["", goals_table(goals)] if goals else [])])


def _row(comparison: Comparison, entry: Entry) -> str:
    stored = entry.stored
    cells = [
        f"**{stored.method}**" if stored.own else stored.method,
        stored.form,
        f"{stored.bytes:,}",
        f"{100 * stored.bytes / comparison.dense:.2f} %",
        megabytes(comparison.dense, entry.tensors),
        megabytes(comparison.dense, entry.decompress),
    ]
    return f"| {' | '.join(cells)} |"


def side_by_side(title: str, comparisons: list[Comparison]) -> str:
    """Several ways to store one net: a row a method, a column a way."""
    heads = [comparison.case.title for comparison in comparisons]
    lines = [f"### {title}", "", f"| bytes, MB/s to tensors | {' | '.join(heads)} |"]
    lines.append(f"|---|{'---:|' * len(heads)}")
    methods = [entry.stored.method for c in comparisons for entry in c.entries]
    for method in dict.fromkeys(methods):
        entries = [(comparison, comparison.of(method)) for comparison in comparisons]
        cells = [
            "" if entry is None else f"{entry.stored.bytes:,}, {megabytes(c.dense, entry.tensors)}"
            for c, entry in entries
        ]
        own = any(entry is not None and entry.stored.own for _, entry in entries)
        name = f"**{method}**" if own else method
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines.append(f"| entropy of order 0 | {' | '.join(_order0(c) for c in comparisons)} |")
    lines.append(f"| decoded | {' | '.join(f'{c.dense:,}' for c in comparisons)} |")
    lines.append(f"| what it knows | {' | '.join(c.case.note for c in comparisons)} |")
    remarks = dict.fromkeys(remark for c in comparisons for remark in c.remarks)
    return "\n".join([*lines, *(["", *(f"- {remark}" for remark in remarks)] if remarks else [])])


def _order0(comparison: Comparison) -> str:
    return f"{comparison.order0:,}" if comparison.order0 else ""
