"""Figures as a table for each net."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .agreement import Figures

_DECIBELS = "SQNR"
_FORMATS = {
    "bytes": "{:,.0f}",
    "times": "{:.2f}x",
    _DECIBELS: "{:.1f} dB",
    "cosine": "{:.5f}",
    "largest margin lost": "{:.3f}",
}
_HEADS = {"bytes": "file bytes", "times": "smaller", _DECIBELS: "weights' SQNR"}


def of_net(inputs: str, figures: Mapping[str, Figures]) -> str:
    """What the inputs are, and a row for each way."""
    columns = dict.fromkeys(key for found in figures.values() for key in found)
    heads = [_HEADS.get(column, column) for column in columns]
    lines = [f"Inputs: {inputs}.", "", f"| | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for way, found in figures.items():
        cells = [cell(key, found[key]) if key in found else "" for key in columns]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(key: str, value: float) -> str:
    """A figure in the form that its name asks for; shares are rounded down, so 100 % is all."""
    if value is None or math.isinf(value):
        return "exact"
    form = _FORMATS.get(key) or _FORMATS.get(key.split(",", maxsplit=1)[0])
    if form is None:
        return f"{math.floor(value * 1000 + 1e-9) / 10:.1f} %"
    return form.format(value)
