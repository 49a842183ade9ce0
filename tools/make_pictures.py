"""Draw docs/pictures/where_the_bytes_went.svg from the demo's own files.

`pip install '.[plot]'`, then `python -m tools.make_pictures` in the project's folder.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections import Counter
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

import qcodec
from qcodec import demo
from qcodec.demo.stages import STAGES

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "where_the_bytes_went.svg"
STEPS = {"pruned": "pruned", "quantized": "+ weights shared", "coded": "+ entropy coded"}
# Okabe and Ito's colours: told apart by everybody.
COLOURS = {
    "values": "#0072B2",
    "positions": "#E69F00",
    "codebooks": "#009E73",
    "names, heads, checksums": "#999999",
}
PURPOSES = {"gaps": "positions", "mask": "positions", "row counts": "positions"}
PURPOSES |= {"codebook": "codebooks", "scales": "codebooks"}


def purpose_of(section: qcodec.Section) -> str:
    """What a section of a frame is for."""
    if section.name in PURPOSES:
        return PURPOSES[section.name]
    return "values" if section.coding else "names, heads, checksums"


def bytes_by_purpose(path: Path) -> Counter[str]:
    """Every byte of a file, by what it is for."""
    found: Counter[str] = Counter()
    with qcodec.safe_open(path) as file:
        for name in file.keys():  # noqa: SIM118 - a file, not a mapping
            for section in file.info(name).sections:
                found[purpose_of(section)] += section.bytes
    found["names, heads, checksums"] += path.stat().st_size - found.total()
    return found


def draw(original: int, files: dict[str, Counter[str]]) -> None:
    """Bars on a common logarithmic scale, and what the last file is made of."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3), width_ratios=(3, 2))
    totals = {"float32": original} | {STEPS[name]: parts.total() for name, parts in files.items()}
    left.barh(list(totals), list(totals.values()), color="#56B4E9")
    left.invert_yaxis()
    left.set_xscale("log")
    left.set_xlim(1000, original * 8)
    left.set_title("a digits net in one file, bytes", loc="left")
    for place, total in enumerate(totals.values()):
        ratio = "" if place == 0 else f"  ({original / total:.0f}x smaller)"
        left.text(total * 1.1, place, f"{total:,}{ratio}", va="center")
    last = files["coded"]
    start = 0
    for name, colour in COLOURS.items():
        right.barh([0], [last[name]], left=start, color=colour, label=f"{name}: {last[name]:,}")
        start += last[name]
    right.set_title("where the last file's bytes go", loc="left")
    right.set_yticks([])
    right.set_ylim(-1.2, 0.6)
    right.legend(loc="lower left", frameon=False, ncols=2)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(PICTURE, metadata={"Date": None}, facecolor="white")


def main() -> int:
    """Run the demo, keep its files for a moment, draw."""
    mpl.rcParams["svg.hashsalt"] = "qcodec"  # the same bytes each time
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with contextlib.redirect_stdout(io.StringIO()):
            demo.main(keep=folder)
        files = {stage.name: bytes_by_purpose(stage.path(folder)) for stage in STAGES}
    original = (Path(demo.__file__).parent / "data" / "digits.safetensors").stat().st_size
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    draw(original, files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
