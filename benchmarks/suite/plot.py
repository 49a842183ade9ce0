"""Decoding speed against size, for all codecs on the same symbols."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from pathlib import Path

from .result import Results

DATA = "km16"
# Variants that differ from another only in where the output goes, or not at all on these symbols.
LEFT_OUT = ("qcodec", "zstandard -1, readinto", "lanes_tans, smallest")
# Labels of points nearer than this, in bits and in powers of ten, would cover each other.
CLOSE_BITS = 0.08
CLOSE = 0.07
# Okabe and Ito's colours: distinguishable by everybody.
COLOURS = {"qcodec": "#0072B2", "peers in C": "#E69F00", "Python packages": "#999999"}


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


def points(results: Results, entropy: float) -> list[Point]:
    """All that decode the symbols of 16 levels to as many bytes, and make them fewer."""
    found = []
    for key, result in results.items():
        if key.data != DATA or key.action != "decode" or result.share is None:
            continue
        if key.method in LEFT_OUT:
            continue
        own = bool(key.path)
        label = f"{key.method.replace('_', ' ')} {key.path}".strip()
        if key.group == "streams":
            kind = "qcodec" if own else "peers in C"
            found.append(Point(label, kind, result.share / 100 * entropy, result.rate))
        elif key.group == "codecs":
            kind = "qcodec" if label.startswith("qcodec") else "Python packages"
            label = f"{label} (Python)" if kind == "qcodec" else label
            found.append(Point(label, kind, result.share / 100 * 8, result.rate))
    return found


def heights(found: list[Point]) -> list[int]:
    """How far each label is above its point, so that labels of neighbours are apart."""
    placed: list[Point] = []
    above = []
    for point in found:
        near = any(_covers(point, other) for other in placed)
        above.append(-8 if near else 3)
        if not near:
            placed.append(point)
    return above


def _covers(point: Point, other: Point) -> bool:
    distance = abs(log10(other.rate / point.rate))
    return abs(other.bits - point.bits) < CLOSE_BITS and distance < CLOSE


def draw(found: list[Point], entropy: float, picture: Path) -> None:
    """Write an SVG; ImportError without matplotlib."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "qcodec"  # the same bytes for the same figures
    figure, axes = plt.subplots(figsize=(10, 6))
    for kind, colour in COLOURS.items():
        some = [point for point in found if point.kind == kind]
        axes.scatter([p.bits for p in some], [p.rate for p in some], color=colour, label=kind)
    for point, height in zip(found, heights(found), strict=True):
        place = (point.bits, point.rate)
        axes.annotate(point.label, place, (5, height), textcoords="offset points", fontsize=7)
    axes.axvline(entropy, color="#999999", linestyle=":", linewidth=1)
    axes.set_yscale("log")
    axes.set_xlabel("bits a symbol: smaller is left (dotted: the entropy)")
    axes.set_ylabel("decoded, G symbols a second: faster is up")
    axes.set_title("16 levels of Gaussian weights, one core", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, metadata={"Date": None}, facecolor="white")
    plt.close(figure)
