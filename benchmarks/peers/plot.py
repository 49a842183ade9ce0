"""Size against decoding speed: one small panel per case, one mark per method, from the tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..document import Table, number, titled
from ..drawing import new_figure, plain, save, style

COLUMNS = 3
# Okabe and Ito's colours: distinguishable by everybody, also by the shape of the mark.
MARKS = {
    "qcodec balanced": ("o", "#0072B2"),
    "qcodec small": ("*", "#0072B2"),
    "zlib -9": ("s", "#999999"),
    "bzip2 -9": ("D", "#999999"),
    "xz -9e": ("X", "#000000"),
    "zstd -1": ("v", "#E69F00"),
    "zstd -19": ("^", "#E69F00"),
    "zstd -22": (">", "#E69F00"),
    "brotli -11": ("P", "#D55E00"),
    "openzl": ("h", "#009E73"),
    "pcodec": ("d", "#CC79A7"),
    "zipnn": ("<", "#56B4E9"),
    "blosc2 bitshuffle, zstd -1": ("p", "#C9BD2B"),
    "nncodec DeepCABAC": ("8", "#7F3C8D"),
}
_OURS = "qcodec "


@dataclass(frozen=True)
class Panel:
    """A case: of each method, bytes in % of the decoded ones, and 10^6 decoded bytes a second."""

    title: str
    points: dict[str, tuple[float, float]]


def panels_of_sizes(text: str) -> list[Panel]:
    """Return a panel per table of the section `sizes`."""
    found = []
    for heading, rows in titled(text):
        title, dense = re.fullmatch(r"(.*): ([\d,]+) bytes decoded", heading).groups()  # type: ignore[union-attr]
        points = {
            row[0]: (100 * number(row[2]) / number(dense), number(row[4]))
            for row in rows[1:]
            if row[0] in MARKS and row[4]
        }
        found.append(Panel(title, points))
    return found


def panels_of_nets(text: str) -> list[Panel]:
    """Return a panel per net and way of storing it of the section `second set`."""
    found = []
    for heading, rows in titled(text):
        net = heading.partition(",")[0].partition(" for ")[0]
        (dense,) = (row for row in rows if row[0] == "decoded")
        found += [
            Panel(f"{net}, {way}", _column(rows, place, number(dense[place])))
            for place, way in enumerate(rows[0])
            if place
        ]
    return found


def _column(rows: Table, place: int, dense: float) -> dict[str, tuple[float, float]]:
    points = {}
    for row in rows[1:]:
        if row[0] in MARKS and row[place]:
            size, rate = row[place].split(", ")
            points[row[0]] = 100 * number(size) / dense, number(rate)
    return points


def draw(panels: list[Panel], picture: Path) -> None:
    """Write an SVG; ImportError without matplotlib."""
    rows = -(-len(panels) // COLUMNS)
    with style():
        figure = new_figure(3.5 * COLUMNS, 2.75 * rows + 1, layout="constrained")
        grid = figure.subplots(rows, COLUMNS, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        handles = {}
        for axes, panel in zip(grid.flat, panels, strict=False):
            handles |= _draw(axes, panel)
        figure.supxlabel("size, % of the decoded tensors: smaller is left", fontsize=10)
        figure.supylabel("decoded to tensors, MB per second: faster is up", fontsize=10)
        ordered = [method for method in MARKS if method in handles]
        figure.legend(
            [handles[method] for method in ordered],
            ordered,
            loc="outside upper center",
            ncols=5,
            fontsize=8.5,
            frameon=False,
        )
        save(figure, picture)


def _draw(axes: Any, panel: Panel) -> dict[str, Any]:
    """Draw a panel; ours lie above the others. Return the mark of each method."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    handles = {}
    for method, (share, rate) in panel.points.items():
        mark, colour = MARKS[method]
        is_ours = method.startswith(_OURS)
        area = 150 if mark == "*" else 62 if is_ours else 40
        handles[method] = axes.scatter(
            share, rate, s=area, marker=mark, color=colour,
            edgecolor="white", linewidth=0.5, zorder=4 if is_ours else 3,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.margins(x=0.08, y=0.1)
    axes.set_title(panel.title, fontsize=9.5)
    axes.grid(visible=True)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    for formatter in ("set_major_formatter", "set_minor_formatter"):
        getattr(axes.yaxis, formatter)(FuncFormatter(plain))
    axes.tick_params(which="both", labelsize=8)
    return handles
