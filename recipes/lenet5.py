"""LeNet-5 by Deep Compression (paper 1, table 3), and at one price per bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qcodec.torch import Run

from . import deep_compression
from .data import Data, made_up_digits, mnist
from .deep_compression_tables import LENET_5
from .networks import LeNet5

PAPER = {
    "bytes as float32": 1_720_000,
    "test error of the float net, %": 0.80,
    "test error, %": 0.74,
    "bytes": 44_000,
    "smaller, times": 39,
}
NAMES = {"ip1": "fc1", "ip2": "fc2"}
SETTINGS: dict[str, Any] = {
    "batch": 128,
    "shift": 2,
    "shift when sparse": 1,
    "bfloat16": True,
    "dropout": 0.3,
    "dense": {"epochs": 12, "rate": 3e-3, "decay": 1e-5},
    "bits": 4,
    "prune": {
        "epochs": 22,
        "rate": 1.5e-3,
        "decay": 5e-5,
        "constant": True,
        "prices": [3e-3, 1.2e-2],
        "rising": 1.0,
        "every": 215,
    },
    "retrain": {"epochs": 5, "rate": 1.5e-3},
    "latent": {
        "epochs": 6,
        "rate": 5e-4,
        "decay": 0.0,
        "constant": False,
        "prices": [3e-3, 6e-3],
        "rising": 0.6,
        "every": 10,
    },
    "centroids": {"epochs": 2, "rate": 3e-4},
    "bias_bits": 3,
    "paper densities": {"conv1": 0.66, "conv2": 0.12, "fc1": 0.08, "fc2": 0.19},
    "paper bits": {"conv1": 8, "conv2": 8, "fc1": 5, "fc2": 5},
    "paper prune": {"epochs": 4, "rate": 1e-3},
    "paper centroids": {"epochs": 2, "rate": 3e-4},
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
        "prices": [2e-5, 4e-5],
        "rising": 0.5,
        "every": 12,
    },
    "retrain": {"epochs": 1, "rate": 1e-3},
    "latent": {
        "epochs": 2,
        "rate": 2e-4,
        "decay": 0.0,
        "constant": False,
        "prices": [1e-6, 5e-6],
        "rising": 0.5,
        "every": 2,
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
    table = {NAMES.get(name, name): layer for name, layer in LENET_5.items()}
    found = deep_compression.run(data, run, settings, LeNet5, table)
    return {"paper": PAPER, **found}
