"""Draw docs/pictures/where_the_bytes_went.svg from the demo's own files.

`pip install '.[plot]'`, then `python -m tools.make_pictures` in the project's folder.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.drawing import BLUE, GRAY, GREEN, ORANGE, new_figure, save, style
from qcodec import demo
from qcodec.demo.stages import STAGES
from qcodec.report import gather

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "where_the_bytes_went.svg"
STEPS = {"pruned": "pruned", "quantized": "+ weights shared", "coded": "+ entropy coded"}
COLOURS = {
    "values": BLUE,
    "positions": ORANGE,
    "parameters": GREEN,
    "names, heads, checksums": GRAY,
}
LABELS = {"parameters": "codebooks"}
TAKEN = "#DDE3E8"


def draw(original: int, files: dict[str, Counter[str]], picture: Path) -> None:
    """On linear scales: what each step leaves and takes away, then the small files, enlarged."""
    totals = {"float32": original} | {STEPS[name]: parts.total() for name, parts in files.items()}
    with style():
        figure = new_figure(10, 3.3, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1))
        _steps(left, totals)
        _parts(right, files)
        handles, labels = right.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower right", ncols=4, frameon=False)
        save(figure, picture)


def _steps(axes: Any, totals: dict[str, int]) -> None:
    sizes = list(totals.values())
    before = [sizes[0], *sizes[:-1]]
    taken = [old - new for old, new in zip(before, sizes, strict=True)]
    axes.barh(list(totals), sizes, color="#56B4E9", height=0.62)
    axes.barh(list(totals), taken, left=sizes, color=TAKEN, height=0.62)
    for place, size in enumerate(sizes):
        ratio = "" if place == 0 else f"   {sizes[0] / size:.1f} times smaller"
        inside = before[place] > sizes[0] / 2
        at, side = (
            (0.98 * sizes[0], "right") if inside else (before[place] + 0.02 * sizes[0], "left")
        )
        axes.text(at, place, f"{size:,} bytes{ratio}", va="center", ha=side)
    axes.set_title("a digits net in one file: what is left, and what was taken away")
    _clean(axes, len(sizes))


def _parts(axes: Any, files: dict[str, Counter[str]]) -> None:
    names = [STEPS[name] for name in files]
    starts = [0] * len(files)
    for purpose, colour in COLOURS.items():
        sizes = [parts[purpose] for parts in files.values()]
        axes.barh(
            names, sizes, left=starts, color=colour, label=LABELS.get(purpose, purpose), height=0.62
        )
        starts = [start + size for start, size in zip(starts, sizes, strict=True)]
    for place, total in enumerate(starts):
        at, side = (total + 0.02 * max(starts), "left") if place else (0.98 * total, "right")
        axes.text(at, place, f"{total:,}", va="center", ha=side)
    axes.set_title("the last three enlarged, by what bytes are for")
    _clean(axes, len(files))


def _clean(axes: Any, rows: int) -> None:
    axes.set_ylim(rows - 0.45, -0.55)
    axes.set_xlim(left=0)
    axes.set_xticks([])
    axes.spines[["bottom"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def main() -> int:
    """Encode the demo's net into its three files, and draw."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo.measure(folder)
        files = {stage.name: Counter(gather(stage.path(folder)).parts) for stage in STAGES}
    original = (Path(demo.__file__).parent / "data" / "digits.safetensors").stat().st_size
    draw(original, files, PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
