"""LeNet-300-100, pruned and retrained in rounds (paper 3, table 3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qcodec.torch import Run

from . import pruned
from .data import Data, made_up_digits, mnist
from .networks import LeNet300

PAPER = {
    "parameters": 266610,
    "parameters kept": 22000,
    "fewer parameters, times": 12,
    "test error of the dense net, %": 1.64,
    "test error, %": 1.59,
}
SETTINGS: dict[str, Any] = {
    "batch": 128,
    "shift": 1,
    "bfloat16": False,
    "dropout": 0.2,
    "dropouts": {"drop1": "fc1.weight", "drop2": "fc2.weight"},
    "l2": 1e-5,
    "dense": {"epochs": 20, "rate": 2e-3},
    "scan": [1.0, 0.5, 0.3, 0.2, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01],
    "densities": {"fc1.weight": 0.03, "fc2.weight": 0.06, "fc3.weight": 0.25},
    "done": [0.6, 0.8, 0.9, 0.95, 0.98, 1.0],
    "phases": [[]],
    "retrain": {"epochs": 6, "rate": 1e-3},
    "last": {"epochs": 15, "rate": 1e-3},
}
SHORT: dict[str, Any] = {
    "batch": 32,
    "shift": 0,
    "dense": {"epochs": 2, "rate": 2e-3},
    "scan": [1.0, 0.1],
    "done": [0.8, 1.0],
    "retrain": {"epochs": 1, "rate": 1e-3},
    "last": {"epochs": 2, "rate": 1e-3},
}


def load_data(folder: Path, short: bool) -> Data:
    """Load MNIST, or made-up data for short runs."""
    return made_up_digits() if short else mnist(folder)


def run(data: Data, run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    """Prune in six rounds, all layers at once."""
    return {"paper": PAPER, **pruned.run(data, run, settings, LeNet300)}
