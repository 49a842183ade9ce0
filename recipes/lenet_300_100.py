"""LeNet-300-100 by Deep Compression (paper 1, table 2), and at one price per bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qcodec.torch import Run

from . import deep_compression
from .data import Data, made_up_digits, mnist
from .deep_compression_tables import LENET_300_100
from .networks import LeNet300

PAPER = {
    "bytes as float32": 1_070_000,
    "test error of the float net, %": 1.64,
    "test error, %": 1.58,
    "bytes": 27_000,
    "smaller, times": 40,
}
NAMES = {"ip1": "fc1", "ip2": "fc2", "ip3": "fc3"}
SETTINGS: dict[str, Any] = {
    "batch": 256,
    "shift": 2,
    "shift when sparse": 1,
    "bfloat16": False,
    "dropout": 0.1,
    "dense": {"epochs": 40, "rate": 3e-3, "decay": 1e-5},
    "bits": 4,
    "prune": {
        "epochs": 43,
        "rate": 2e-3,
        "decay": 1e-5,
        "constant": True,
        "prices": [1e-3, 2.167e-2],
        "rising": 1.0,
        "every": 214,
    },
    "retrain": {"epochs": 20, "rate": 2e-3},
    "latent": {
        "epochs": 15,
        "rate": 5e-4,
        "decay": 0.0,
        "constant": False,
        "prices": [3e-3, 6e-3],
        "rising": 0.6,
        "every": 10,
    },
    "centroids": {"epochs": 3, "rate": 3e-4},
    "bias_bits": 3,
    "paper densities": {"fc1": 0.08, "fc2": 0.09, "fc3": 0.26},
    "paper bits": {"fc1": 6, "fc2": 6, "fc3": 6},
    "paper prune": {"epochs": 10, "rate": 1e-3},
    "paper centroids": {"epochs": 3, "rate": 3e-4},
}
SHORT: dict[str, Any] = {
    "batch": 32,
    "shift": 0,
    "shift when sparse": 0,
    "bfloat16": False,
    "dense": {"epochs": 3, "rate": 2e-3, "decay": 1e-5},
    "prune": {
        "epochs": 2,
        "rate": 1e-3,
        "decay": 1e-5,
        "constant": True,
        "prices": [5e-5, 1e-4],
        "rising": 0.5,
        "every": 12,
    },
    "retrain": {"epochs": 1, "rate": 1e-3},
    "latent": {
        "epochs": 2,
        "rate": 5e-4,
        "decay": 0.0,
        "constant": False,
        "prices": [5e-5, 1e-4],
        "rising": 0.5,
        "every": 12,
    },
    "centroids": {"epochs": 1, "rate": 3e-4},
    "paper prune": {"epochs": 2, "rate": 1e-3},
    "paper centroids": {"epochs": 1, "rate": 3e-4},
}


def load_data(folder: Path, short: bool) -> Data:
    """Load MNIST, or made-up data for short runs."""
    return made_up_digits() if short else mnist(folder)


def run(data: Data, run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    """Compress one float net in both ways."""
    table = {NAMES.get(name, name): layer for name, layer in LENET_300_100.items()}
    found = deep_compression.run(data, run, settings, LeNet300, table)
    return {"paper": PAPER, **found}
