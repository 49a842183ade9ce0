"""LeNet-5 in a few kilobytes (paper 4): ADMM, masked retraining, shared values at a price per bit.

The paper has no teacher, no shifted images, no growing rho, no entropy-constrained sharing with one
price per bit for all layers, and does not remove dead neurons.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

import qcodec
from qcodec import Density
from qcodec.rate_distortion import at_price
from qcodec.recipes import Recipe, Rule, exactly
from qcodec.torch import (
    Admm,
    Run,
    plain_tensors,
    prune,
    prune_dead_neurons,
    round_centroids,
    share,
)

from .data import Data, made_up_digits, mnist
from .exported import exported, float_bytes
from .networks import LeNet5
from .report import report
from .stages import CHOSEN, Stages

PAPER = {
    "weights kept": 6050,
    "fewer weights, times": 71.2,
    "test accuracy, %": 99.2,
}
LAYERS = [(f"{name}.weight", f"{name}.bias") for name in ("conv1", "conv2", "fc1", "fc2")]
SETTINGS: dict[str, Any] = {
    "batch": 128,
    "shift": 1,
    "bfloat16": True,
    "dropout": 0.3,
    "taught": True,
    "dense": {"epochs": 10, "rate": 3e-3, "decay": 1e-5},
    "kept": {"conv1.weight": 100, "conv2.weight": 1800, "fc1.weight": 3500, "fc2.weight": 350},
    "admm": {
        "rho": {"conv1": 3e-2, "conv2": 3e-3, "fc1": 3e-3, "fc2": 1e-2},
        "growth": 30,
        "updates": 20,
        "training": {"epochs": 10, "rate": 1.5e-3},
    },
    "retrain": {"epochs": 6, "rate": 5e-3},
    "drop at": [5e-3, 1e-2],
    "share at": 2e-3,
    "bits": 4,
    "share": {"epochs": 4, "rate": 2e-3},
    "bias_bits": 4,
}
SHORT: dict[str, Any] = {
    "batch": 32,
    "shift": 0,
    "bfloat16": False,
    "dense": {"epochs": 3, "rate": 2e-3, "decay": 1e-5},
    "kept": {"conv1.weight": 250, "conv2.weight": 5000, "fc1.weight": 9000, "fc2.weight": 1000},
    "admm": {
        "rho": {"weight": 1e-2},
        "growth": 10,
        "updates": 4,
        "training": {"epochs": 2, "rate": 1e-3},
    },
    "retrain": {"epochs": 2, "rate": 2e-3},
    "drop at": [1e-5],
    "share at": 1e-5,
    "share": {"epochs": 1, "rate": 1e-3},
}


def load_data(folder: Path, short: bool) -> Data:
    """Load MNIST, or made-up data for short runs."""
    return made_up_digits() if short else mnist(folder)


def run(data: Data, run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    """Train a dense net, apply ADMM, retrain, prune by price, share, and measure the file."""
    torch.manual_seed(settings["seed"])
    stages = Stages(data, run, settings)
    teacher = LeNet5(settings["dropout"]).to(memory_format=torch.channels_last)
    stages.train(teacher, "dense", **settings["dense"])
    model = LeNet5().to(memory_format=torch.channels_last)
    model.load_state_dict(teacher.state_dict())
    taught_by = teacher if settings["taught"] else None
    residuals = _admm(model, taught_by, stages)
    stages.train(model, "retrain", **settings["retrain"], teacher=taught_by)
    for number, price in enumerate(settings["drop at"], 1):
        _drop(model, _priced(model, settings["bits"], price))
        stages.train(model, f"drop {number}", **settings["retrain"], teacher=taught_by)
    share(model, _priced(model, settings["bits"], settings["share at"]))
    stages.train(model, "share", **settings["share"], teacher=taught_by)
    round_centroids(model)
    return _result(model, teacher, residuals, stages)


def _admm(model: LeNet5, teacher: LeNet5 | None, stages: Stages) -> dict[str, float]:
    """Draw the weights to sparse weights, and prune. Returns the last residuals by tensor."""
    settings = stages.settings["admm"]
    admm = Admm(model, stages.settings["kept"], settings["rho"])
    updates = _Updates(admm, settings, len(stages.batches))
    stages.train(
        model,
        "admm",
        **settings["training"],
        teacher=teacher,
        penalty=admm.penalty,
        after_step=updates.step,
        extras={"updates": updates},
        measure=admm.residual,
    )
    residuals = admm.residual()
    admm.prune()
    prune_dead_neurons(model, LAYERS)
    return residuals


class _Updates:
    """ADMM updates at equal intervals; rho grows after each."""

    def __init__(self, admm: Admm, settings: dict[str, Any], steps_an_epoch: int) -> None:
        self.admm, self.steps = admm, 0
        self.every = max(settings["training"]["epochs"] * steps_an_epoch // settings["updates"], 1)
        self.growth = settings["growth"] ** (1 / max(settings["updates"] - 1, 1))

    def step(self) -> None:
        self.steps += 1
        if self.steps % self.every == 0:
            self.admm.update()
            self.admm.grow(self.growth)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "admm": self.admm.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]
        self.admm.load_state_dict(state["admm"])


def _priced(model: LeNet5, bits: int, price: float) -> Recipe:
    """A recipe for shared values, with one price per bit for all layers."""
    tensors = {name: tensor.contiguous() for name, tensor in plain_tensors(model).items()}
    codec = qcodec.Sparse(qcodec.Codebook(bits))
    return at_price(tensors, Recipe([Rule(r"\.weight$", codec)]), price)


def _drop(model: LeNet5, recipe: Recipe) -> None:
    """Prune the weights that are not worth their bits, then the neurons that are now dead."""
    densities = {}
    for name, tensor in plain_tensors(model).items():
        if name.endswith(".weight"):
            codec = recipe.codec_for(name, tuple(tensor.shape), "float32")
            assert codec is not None
            kept = np.count_nonzero(codec.quantize(tensor.contiguous()).dequantize())
            densities[exactly(name)] = Density(kept / tensor.numel())
    prune(model, densities)
    prune_dead_neurons(model, LAYERS)


def _result(
    model: LeNet5, teacher: LeNet5, residuals: dict[str, float], stages: Stages
) -> dict[str, Any]:
    path = stages.run.folder / "net.qcodec"
    biases = qcodec.Affine(stages.settings["bias_bits"])
    again = LeNet5()
    found = exported(model, again, path, {r"\.bias$": biases}, stages.data.test, LAYERS)
    tensors = plain_tensors(again)
    weights = {name: tensor for name, tensor in tensors.items() if name.endswith(".weight")}
    kept = {name: int(tensor.count_nonzero()) for name, tensor in weights.items()}
    total = sum(tensor.numel() for tensor in weights.values())
    return {
        "paper": PAPER,
        "ours": {
            "weights kept": sum(kept.values()),
            "fewer weights, times": round(total / sum(kept.values()), 1),
            "bytes": found.size,
            "smaller file, times": round(float_bytes(again) / found.size, 1),
            "test accuracy of the dense net, %": round(100 * stages.test(teacher), 2),
            "test accuracy, %": round(found.accuracy, 2),
            "kept": kept,
            "residuals of ADMM": residuals,
        },
        "validation_accuracy": stages.validation(again),
        "tables": [report(path).markdown()],
        "notes": [CHOSEN],
    }
