"""`python -m recipes NAME --data FOLDER --out FOLDER` reproduces the result of one paper."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from qcodec.torch import Run, show_progress

#: The module of each recipe. It has SETTINGS, SHORT (changes of them for a short run),
#: `load_data(folder, short)`, and `run(data, run, settings)`, which returns the result.
RECIPES: dict[str, str] = {
    "fixed-point-resnet20": "fixed_point_resnet20",
    "admm-lenet5": "admm_lenet5",
    "admm-lenet5-paper": "admm_lenet5_paper",
    "pruned-lenet5": "pruned_lenet5",
    "pruned-lenet-300-100": "pruned_lenet_300_100",
    "lenet5": "lenet5",
    "lenet-300-100": "lenet_300_100",
    "published-nets": "published_nets",
    "squeezenet": "squeezenet",
    "ternary-lenet5": "ternary_lenet5",
    "ternary-resnet20": "ternary_resnet20",
}


def main(arguments: list[str] | None = None) -> int:
    """Run a recipe, and write its result into the folder of its settings and curves."""
    options = _parser().parse_args(arguments)
    torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")
    recipe = importlib.import_module(f"recipes.{RECIPES[options.recipe]}")
    settings: dict[str, Any] = {**recipe.SETTINGS, "seed": options.seed}
    settings.update(recipe.SHORT if options.short else {})
    started = time.monotonic()
    data = recipe.load_data(options.data, options.short)
    with show_progress() as progress:
        run = Run(options.out, {"recipe": options.recipe, **settings}, progress)
        result = recipe.run(data, run, settings)
    result = {
        "recipe": options.recipe,
        **result,
        "command": " ".join(["python -m recipes", *(arguments or sys.argv[1:])]),
        "seed": options.seed,
        "minutes": round((time.monotonic() - started) / 60, 1),
        "commit": _commit(),
    }
    run.write_json("result.json", result)
    if run.rows:
        run.plot()
    print(json.dumps({name: value for name, value in result.items() if name != "tables"}, indent=2))
    print("\n\n".join(result.get("tables", [])))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m recipes", description=__doc__)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, required=True, help="folder of MNIST, CIFAR-10, ...")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; resumes there")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--short", action="store_true", help="few steps on made-up data")
    return parser


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
