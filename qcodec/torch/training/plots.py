"""Plots of runs. They need matplotlib (the extra [plot])."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..._io.atomic import replace_file


def plot_curves(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Plot the curves of a run over all epochs, one panel per column.

    Parameters
    ----------
    rows : sequence of mapping
        Each has ``stage``, ``epoch`` and columns of numbers.
    path : path-like
        A PNG file.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    from matplotlib.figure import Figure  # not pyplot: it has global state

    columns = list(dict.fromkeys(name for row in rows for name in row))
    columns = [name for name in columns if name not in ("stage", "epoch")]
    figure = Figure(figsize=(8, 2.2 * max(len(columns), 1)), layout="constrained")
    panels = figure.subplots(max(len(columns), 1), 1, sharex=True, squeeze=False)[:, 0]
    stages = list(dict.fromkeys(str(row["stage"]) for row in rows))
    for panel, column in zip(panels, columns, strict=False):
        for stage in stages:
            at = [i for i, row in enumerate(rows) if row["stage"] == stage and column in row]
            panel.plot([i + 1 for i in at], [float(rows[i][column]) for i in at], ".-", label=stage)
        panel.set_ylabel(column)
        panel.grid(alpha=0.3)
    if columns and len(stages) > 1:
        panels[0].legend(fontsize="x-small", ncols=4)
    panels[-1].set_xlabel("epoch, of all stages")
    save_figure(figure, path)


def save_figure(figure: Any, path: Path) -> None:
    """Write a matplotlib figure as a PNG file, completely or not at all."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    replace_file(path, [picture.getbuffer()])
