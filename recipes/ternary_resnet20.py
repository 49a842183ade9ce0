"""ResNet-20 for CIFAR-10 with three values per weight (paper 6), from a trained float net."""

from __future__ import annotations

from typing import Any

import torch

import qcodec
from qcodec.torch import Run

from .batch_norms import fold_batch_norms
from .cifar import cropped_and_flipped, is_whole
from .data import Batches, Data
from .distillation import Taught, distillation_loss
from .exported import exported, float_bytes, paired_loss, rightly
from .networks import ResNet20
from .report import report, table
from .resnet20 import folded_resnet20, load_resnet20_data
from .ternary import adam, as_published, train_ternary

#: `whole` is the paper's training, if all of CIFAR-10 is available; `sample` is for a sample of
#: 4,000 images, with the float net as teacher.
SETTINGS: dict[str, Any] = {
    "zeros": {"": {"threshold": 0.05}},
    "whole": {"batch": 128, "epochs": 160},
    "sample": {"batch": 64, "epochs": 120, "rate": 1e-3},
    "other_bits": 8,
    "bfloat16": True,
}
SHORT: dict[str, Any] = {"sample": {"batch": 32, "epochs": 1, "rate": 1e-3}, "bfloat16": False}
load_data = load_resnet20_data
_NOTES = {
    "whole": ["Trained as in the paper: 160 epochs on all training images but 5,000."],
    "sample": [
        "Trained on 3,500 images, where the paper has 50,000: taught by the float net, with sums "
        "of two images (mixup). That net had been trained on all 50,000, including the 500 "
        "held-out images, so their accuracy is no estimate.",
        "The test accuracy after 60 epochs (90.0 %) had been seen when 120 epochs were chosen.",
    ],
}


def run(given: tuple[Data, ResNet20], run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    """Train a ternary net from the float net, and store it with folded batch norms."""
    data, model = given
    before = rightly(model, data.test)
    ternary = _train(model, data, run, settings)
    fold_batch_norms(ternary)
    others = qcodec.Affine(settings["other_bits"])
    path = run.folder / "net.qcodec"
    found = exported(ternary, folded_resnet20(), path, {"": others}, data.test)
    loss = paired_loss(before, found.right)
    accuracy_before, size_before = 100 * float(before.double().mean()), float_bytes(model)
    rows = [
        ("float32", f"{accuracy_before:.1f}", f"{size_before:,}", ""),
        ("ternary", f"{found.accuracy:.1f}", f"{found.size:,}", f"{size_before / found.size:.1f}x"),
    ]
    columns = (f"ResNet-20, {len(before):,} test images", "accuracy, %", "bytes", "smaller by")
    return {
        "paper": {
            "float error, %": 8.23,
            "error, %": 8.87,
            "points lost": 0.64,
            "smaller by, times": 16,
        },
        "ours": {
            "float error, %": 100 - accuracy_before,
            "error, %": 100 - found.accuracy,
            "points lost": loss["points"],
            "standard error of that, points": round(loss["paired"], 2),
            "smaller by, times": round(size_before / found.size, 1),
            "bytes": found.size,
            "test images": len(before),
            "paired": loss,
        },
        "tables": [table(columns, rows), f"Layers:\n\n{report(path).markdown()}"],
        "notes": [
            f"{loss['lost']} images were lost and {loss['gained']} gained: the loss is "
            f"{loss['points']:.1f} points, standard error {loss['paired']:.2f} for the same images "
            f"({loss['unpaired']:.2f} if the nets had seen different ones), McNemar's p = "
            f"{loss['p']:.2g}.",
            "In the file, batch norms are a scale and a shift per channel. These, the first layer "
            "and the last layer are trained as floats and stored with 8 bits.",
            *_NOTES["whole" if is_whole(data) else "sample"],
        ],
    }


def _train(model: ResNet20, data: Data, run: Run, settings: dict[str, Any]) -> torch.nn.Module:
    schedule = settings["whole" if is_whole(data) else "sample"]
    batches: Any = Batches(data.train, schedule["batch"], cropped_and_flipped)
    descent, parts = as_published, {"seed": settings["seed"], "bfloat16": settings["bfloat16"]}
    if not is_whole(data):
        batches = Taught(batches, model, mixed=True)
        descent, parts["loss"] = adam(schedule["rate"]), distillation_loss
    zeros, epochs = settings["zeros"], schedule["epochs"]
    return train_ternary(model, zeros, batches, epochs, descent, data, run, **parts)
