"""What the pictures have in common: a card for pages of any colour, and labels that keep apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Okabe and Ito's colours: told apart by everybody.
BLUE, ORANGE, GREEN, GRAY = "#0072B2", "#E69F00", "#009E73", "#7A7A7A"
_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "svg.hashsalt": "qcodec",  # the same bytes for the same figures
}
# Places of a label around its point, nearest first: sides before corners.
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_DISTANCES = (8, 12, 17, 23, 30, 40, 52)
_LEADER_FROM = 15
_POINT = 4.5

_Box = tuple[float, float, float, float]


def style() -> Any:
    """Return the context in which pictures are drawn; ImportError without matplotlib."""
    import matplotlib as mpl

    return mpl.rc_context(_STYLE)


def new_figure(width: float, height: float, **options: Any) -> Any:
    """Return a figure of this size in inches, which knows how long texts are."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), **options)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Any, picture: Path) -> None:
    """Write an SVG on a white card, which pages with dark backgrounds need."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(
        picture, metadata={"Date": None}, facecolor="white", bbox_inches="tight", pad_inches=0.15
    )


def plain(value: float, _: int = 0) -> str:
    """Format a rate without powers; at 1, 2 and 5 of each power of ten, and nothing between."""
    return f"{value:,.10g}" if f"{value:.0e}"[0] in "125" else ""


def label(axes: Any, points: Sequence[tuple[float, float]], texts: Sequence[str]) -> list[_Box]:
    """Write a text beside each point, so that no text covers another one or a point.

    Those in the densest places choose first. A text that is far from its point gets a line.

    Returns
    -------
    list of tuple
        The left, lower, right and upper edge of each text, in pixels.
    """
    renderer = axes.figure.canvas.get_renderer()
    centres = [tuple(axes.transData.transform(point)) for point in points]
    dots = [(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in centres]
    whole = axes.get_window_extent(renderer)
    inside = (whole.x0, whole.y0, whole.x1, whole.y1)
    taken: list[_Box] = list(dots)
    boxes: dict[int, _Box] = {}
    for number in sorted(range(len(points)), key=lambda one: -_crowd(centres, one)):
        text = axes.text(0, 0, texts[number], fontsize=8)
        extent = text.get_window_extent(renderer)
        box = _place(centres[number], (extent.width, extent.height), taken, inside)
        taken.append(box)
        middle = axes.transData.inverted().transform(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
        text.set_position(middle)
        text.set(ha="center", va="center")
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.5})
        _lead(axes, centres[number], box)
        boxes[number] = box
    return [boxes[number] for number in range(len(points))]


def _crowd(centres: Sequence[tuple[float, ...]], number: int) -> float:
    x, y = centres[number]
    return sum(1 / (400 + (x - a) ** 2 + (y - b) ** 2) for a, b in centres)


def _place(
    centre: tuple[float, ...], size: tuple[float, float], taken: Sequence[_Box], inside: _Box
) -> _Box:
    """Return the nearest free box of this size beside a point."""
    for distance in _DISTANCES:
        for across, up in _SIDES:
            x = centre[0] + across * (distance + size[0] / 2)
            y = centre[1] + up * (distance + size[1] / 2)
            box = (x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)
            is_inside = box[0] > inside[0] + 2 and box[2] < inside[2] and box[1] > inside[1] + 2
            if is_inside and box[3] < inside[3] and not any(_meet(box, other) for other in taken):
                return box
    raise ValueError("no room for a label: make the picture larger")


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _lead(axes: Any, centre: tuple[float, ...], box: _Box) -> None:
    """Draw a line from a point to the nearest place of its label, unless they are close."""
    x = min(max(centre[0], box[0]), box[2])
    y = min(max(centre[1], box[1]), box[3])
    if (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < _LEADER_FROM**2:
        return
    ends = axes.transData.inverted().transform([centre, (x, y)])
    axes.plot(ends[:, 0], ends[:, 1], color="#999999", linewidth=0.6, zorder=1)
