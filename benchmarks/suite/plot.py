"""Decoding speed against size, for all codecs on the same symbols, from the document's tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..document import number, table
from ..drawing import BLUE, GRAY, ORANGE, label, new_figure, plain, save, style

DATA = "km16"
# Variants that differ from another only in where the output goes, or not at all on these symbols.
LEFT_OUT = ("qcodec", "zstandard -1, readinto", "lanes tans, smallest")
COLOURS = {"qcodec": BLUE, "peers in C": ORANGE, "Python packages": GRAY}


@dataclass(frozen=True)
class Point:
    """One codec.

    Attributes
    ----------
    label, kind : str
    bits : float
        A symbol.
    rate : float
        10^9 symbols a second.
    """

    label: str
    kind: str
    bits: float
    rate: float


def points(streams: str, codecs: str, entropy: float) -> list[Point]:
    """Return all that decode the symbols of 16 levels to as many bytes, and make them fewer.

    Parameters
    ----------
    streams, codecs : str
        The tables of these names, as Markdown.
    entropy : float
        Of the symbols, in bits.
    """
    found = [
        Point(f"{method} {path}".strip(), "qcodec" if path else "peers in C", share * entropy, rate)
        for method, path, rate, share in _rows(streams)
    ]
    for method, _, rate, share in _rows(codecs):
        is_ours = method.startswith("qcodec")
        name, kind = (f"{method} (Python)", "qcodec") if is_ours else (method, "Python packages")
        found.append(Point(name, kind, 8 * share, rate))
    return found


def _rows(text: str) -> Iterator[tuple[str, str, float, float]]:
    """Method, path, rate of decoding and size as a share of every row about our symbols."""
    for data, method, path, decode, *_, share in table(text)[1:]:
        if data == DATA and method not in LEFT_OUT and decode and share:
            yield method, path, number(decode), number(share) / 100


def draw(found: list[Point], entropy: float, picture: Path) -> None:
    """Write an SVG; ImportError without matplotlib."""
    with style():
        from matplotlib.ticker import FuncFormatter

        figure = new_figure(10, 6.4)
        axes = figure.add_subplot()
        for kind, colour in COLOURS.items():
            some = [point for point in found if point.kind == kind]
            places = [point.bits for point in some], [point.rate for point in some]
            axes.scatter(*places, color=colour, label=kind, s=34, zorder=3)
        axes.axvline(entropy, color="#999999", linestyle=":", linewidth=1, zorder=1)
        axes.set_yscale("log")
        axes.margins(x=0.1, y=0.08)
        axes.yaxis.set_major_formatter(FuncFormatter(plain))
        axes.yaxis.set_minor_formatter(FuncFormatter(plain))
        axes.tick_params(axis="y", which="minor", labelsize=8)
        axes.grid(visible=True)
        axes.set_xlabel("bits per symbol: smaller is left (dotted: the entropy)")
        axes.set_ylabel("decoded, billion symbols per second: faster is up")
        axes.set_title("16 levels of Gaussian weights, one core")
        axes.legend(frameon=False, loc="lower right")
        figure.tight_layout()
        label(axes, [(p.bits, p.rate) for p in found], [p.label for p in found])
        save(figure, picture)
