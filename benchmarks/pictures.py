"""Draw the pictures of the benchmarks from their tables: `python -m benchmarks.pictures`.

Nothing is measured: `python -m benchmarks` writes the tables of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from .document import read_section, table
from .peers import plot as peers
from .suite import plot as suite

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
SECTIONS = ("streams", "codecs", "sizes", "second set")
#: Bits of a symbol of `suite.plot.DATA` at fixed width, which the table has in % of the entropy.
_FIXED_BITS = 4


def entropy(streams: str) -> float:
    """Return the entropy of the symbols, by the size of those of fixed width."""
    rows = [row for row in table(streams) if row[:2] == [suite.DATA, "bitpacked"]]
    return _FIXED_BITS / (float(rows[0][-1].rstrip(" %")) / 100)


def draw(tables: Mapping[str, str], speed_size: Path) -> list[Path]:
    """Draw the pictures of the tables that there are; return their paths.

    Parameters
    ----------
    tables : mapping of str to str
        Markdown by the names of the document's markers.
    speed_size : Path
        The picture of the codecs; the others are drawn beside it.
    """
    drawn = []
    if tables.get("streams"):
        bits = entropy(tables["streams"])
        found = suite.points(tables["streams"], tables.get("codecs", ""), bits)
        suite.draw(found, bits, speed_size)
        drawn.append(speed_size)
    for name, panels, file in (
        ("sizes", peers.panels_of_sizes, "peers.svg"),
        ("second set", peers.panels_of_nets, "second_set.svg"),
    ):
        found_panels = panels(tables.get(name, ""))
        if found_panels:
            drawn.append(speed_size.with_name(file))
            peers.draw(found_panels, drawn[-1])
    return drawn


def main() -> int:
    """Draw, and say what was drawn."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    parser.add_argument("--folder", type=Path, default=DOCUMENT.parent / "pictures")
    options = parser.parse_args()
    tables = {name: read_section(options.document, name) for name in SECTIONS}
    for path in draw(tables, options.folder / "speed_size.svg"):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
