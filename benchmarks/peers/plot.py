"""Size against decoding speed: one small panel per case, one mark per method."""

from __future__ import annotations

from pathlib import Path

from .compare import Comparison

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
    "blosc2 bitshuffle, zstd -1": ("p", "#F0E442"),
    "nncodec DeepCABAC": ("8", "#7F3C8D"),
}


def points(comparison: Comparison) -> dict[str, tuple[float, float]]:
    """Of each method: bytes in % of the decoded ones, and 10^6 decoded bytes a second."""
    dense = comparison.dense
    return {
        entry.stored.method: (100 * entry.stored.bytes / dense, dense / entry.tensors.median / 1e6)
        for entry in comparison.entries
    }


def _plain(rate: float, _: int) -> str:
    """Labels at 1, 2 and 5 of each power of ten."""
    return f"{rate:,.0f}" if f"{rate:.0e}"[0] in "125" else ""


def draw(comparisons: list[Comparison], picture: Path) -> None:
    """Write an SVG; ImportError without matplotlib."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter

    mpl.rcParams["svg.hashsalt"] = "qcodec"  # the same bytes for the same figures
    rows = -(-len(comparisons) // COLUMNS)
    size = (3.6 * COLUMNS, 2.7 * rows + 0.9)
    figure, grid = plt.subplots(rows, COLUMNS, figsize=size, squeeze=False, layout="constrained")
    for axes in grid.flat[len(comparisons) :]:
        axes.set_axis_off()
    handles = {}
    for axes, comparison in zip(grid.flat, comparisons, strict=False):
        for method, (share, rate) in points(comparison).items():
            mark, colour = MARKS.get(method, (".", "#000000"))
            area = 110 if mark == "*" else 38
            handles[method] = axes.scatter(share, rate, s=area, marker=mark, color=colour)
        axes.set_yscale("log")
        case = comparison.case
        title = f"{case.net}, {case.title}" if case.net else case.title
        axes.set_title(title, loc="left", fontsize=9)
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
        axes.yaxis.set_minor_formatter(FuncFormatter(_plain))
        axes.tick_params(which="both", labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("size, % of the decoded tensors: smaller is left", fontsize=9)
    figure.supylabel("decoded to tensors, MB a second: faster is up", fontsize=9)
    ordered = [method for method in MARKS if method in handles]
    figure.legend(
        [handles[method] for method in ordered],
        ordered,
        loc="outside upper center",
        ncols=7,
        fontsize=7,
        frameon=False,
    )
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, metadata={"Date": None}, facecolor="white")
    plt.close(figure)
