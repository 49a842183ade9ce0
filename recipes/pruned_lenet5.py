"""LeNet-5, pruned and retrained in rounds, dense layers and convolutions in turn (paper 3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qcodec.torch import Run

from . import pruned
from .data import Data, made_up_digits, mnist
from .networks import LeNet5

PAPER = {
    "parameters": 431080,
    "parameters kept": 36000,
    "fewer parameters, times": 12,
    "test error of the dense net, %": 0.80,
    "test error, %": 0.77,
}
SETTINGS: dict[str, Any] = {
    "batch": 128,
    "shift": 2,
    "bfloat16": True,
    "dropout": 0.5,
    "dropouts": {"drop1": "fc1.weight"},
    "l2": 1e-5,
    "dense": {"epochs": 10, "rate": 3e-3},
    "scan": [1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01],
    "densities": {
        "conv1.weight": 0.4,
        "conv2.weight": 0.08,
        "fc1.weight": 0.02,
        "fc2.weight": 0.1,
    },
    "done": [0.7, 0.9, 0.97, 1.0],
    "phases": [["conv"], ["fc"]],
    "retrain": {"epochs": 2, "rate": 1e-3},
    "last": {"epochs": 6, "rate": 1e-3},
}
SHORT: dict[str, Any] = {
    "batch": 32,
    "shift": 0,
    "bfloat16": False,
    "dense": {"epochs": 3, "rate": 2e-3},
    "scan": [1.0, 0.1],
    "done": [1.0],
    "retrain": {"epochs": 1, "rate": 1e-3},
    "last": {"epochs": 1, "rate": 1e-3},
}


def load_data(folder: Path, short: bool) -> Data:
    """Load MNIST, or made-up data for short runs."""
    return made_up_digits() if short else mnist(folder)


def run(data: Data, run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    """Prune in four rounds. Each retrains the dense layers first, and then the others."""
    return {"paper": PAPER, **pruned.run(data, run, settings, LeNet5)}
