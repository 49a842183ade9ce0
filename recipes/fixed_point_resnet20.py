"""ResNet-20 in fixed point (paper 5): bits allocated by SQNR, compared with equal bits."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import qcodec
from qcodec import FixedPoint
from qcodec.torch import (
    Line,
    Measured,
    Run,
    fit,
    fix_activations,
    fix_points,
    measure_sqnr,
    output_sqnr,
    plain_tensors,
    whole_bits,
)
from qcodec.torch.training.plots import save_figure

from .autocast import in_bfloat16
from .batch_norms import fold_batch_norms
from .cifar import cropped_and_flipped
from .data import Batches, Data
from .distillation import Taught, distillation_loss
from .exported import exported, float_bytes, rightly
from .networks import ResNet20
from .report import table
from .resnet20 import load_resnet20_data

SETTINGS: dict[str, Any] = {
    "calibration": 128,
    "bits": [2, 9],
    "activation_bits": 8,
    "equal_bits": [3, 4, 5, 6],
    "batch": 64,
    "epochs": 2,
    "rate": 1e-4,
    "other_bits": 8,
    "bfloat16": True,
}
SHORT: dict[str, Any] = {
    "calibration": 8,
    "bits": [3, 5],
    "equal_bits": [3],
    "batch": 32,
    "epochs": 1,
    "bfloat16": False,
}
load_data = load_resnet20_data
Row = dict[str, Any]
_ARMS = ("equal bits", "by SQNR")


def run(given: tuple[Data, ResNet20], run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    """Quantize with equal bits, and with allocated bits at the same predicted SQNR."""
    data, model = given
    size_before = float_bytes(model)
    fold_batch_norms(model)
    calibration = [data.train.images[: settings["calibration"]]]
    sizes = _sizes(model)
    minimum, maximum = settings["bits"]
    curves = _curves(model, list(sizes), calibration, range(minimum, maximum + 1))
    rows = []
    for equal in settings["equal_bits"]:
        bits = dict.fromkeys(sizes, equal)
        target = -10 * math.log10(sum(curves[name].noise(equal) for name in sizes))
        allotted = whole_bits(sizes, curves, target, minimum, maximum)
        for arm, chosen in zip(_ARMS, (bits, allotted), strict=True):
            rows += _rows(arm, chosen, sizes, calibration, data, model, run, settings)
    result = {
        "images": len(data.test.images),
        "float_accuracy": 100 * float(rightly(model, data.test).double().mean()),
        "float_bytes": size_before,
        "kappa": {name: Line.through(curve.found).kappa for name, curve in curves.items()},
        "rows": rows,
    }
    _plot(result, run.folder / "size_accuracy.png")
    return _result(result)


def _sizes(model: ResNet20) -> dict[str, int]:
    """The weights that get bits, and their numbers of elements."""
    tensors = plain_tensors(model)
    return {name: tensor.numel() for name, tensor in tensors.items() if tensor.ndim > 1}


def _curves(
    model: ResNet20, names: list[str], batches: list[torch.Tensor], bits: Sequence[int]
) -> dict[str, Measured]:
    """The SQNR at the output by the bits of each tensor, while all others are float."""
    found = {b: measure_sqnr(model, dict.fromkeys(names, FixedPoint(b)), batches) for b in bits}
    return {name: Measured({b: found[b][name] for b in bits}) for name in names}


def _rows(
    arm: str,
    bits: Mapping[str, int],
    sizes: Mapping[str, int],
    calibration: list[torch.Tensor],
    data: Data,
    model: ResNet20,
    run: Run,
    settings: dict[str, Any],
) -> list[Row]:
    """Measure one choice of bits, without and with fine-tuning, from files loaded again."""
    net = copy.deepcopy(model)
    fix_points(net, {f"^{name}$": FixedPoint(number) for name, number in bits.items()})
    fix_activations(net, FixedPoint(settings["activation_bits"]), calibration)
    weight_bits = sum(sizes[name] * number for name, number in bits.items())
    common = {
        "arm": arm,
        "bits": dict(bits),
        "mean_bits": weight_bits / sum(sizes.values()),
        "sqnr": output_sqnr(model, net, calibration),
    }
    others = {"form$": qcodec.Lossless(), "": qcodec.Affine(settings["other_bits"])}
    rows = []
    for tuned in (False, True):
        if tuned:
            stage = f"{arm}, {common['mean_bits']:.2f} bits"
            _fine_tune(net, model, data, run, settings, stage)
        fresh = copy.deepcopy(net)
        found = exported(net, fresh, run.folder / "net.qcodec", others, data.test)
        rows.append({**common, "tuned": tuned, "bytes": found.size, "accuracy": found.accuracy})
    return rows


def _fine_tune(
    net: ResNet20, model: ResNet20, data: Data, run: Run, settings: dict[str, Any], stage: str
) -> None:
    """Train through the rounding, with the float net as teacher."""
    batches = Taught(Batches(data.train, settings["batch"], cropped_and_flipped), model, True)
    optimizer = torch.optim.Adam(net.parameters(), settings["rate"])
    with in_bfloat16(net, settings["bfloat16"]):
        fit(
            net,
            batches,
            optimizer,
            settings["epochs"],
            stage=stage,
            run=run,
            seed=settings["seed"],
            loss=distillation_loss,
        )


def _result(found: dict[str, Any]) -> dict[str, Any]:
    kappas = list(found["kappa"].values())
    saved = {
        name: _saved(found["rows"], tuned) for name, tuned in (("plain", False), ("tuned", True))
    }
    ours: dict[str, Any] = {
        f"smaller than {bits} equal bits at their accuracy, {name}, %": round(part, 1)
        for name, parts in saved.items()
        for bits, part in parts.items()
    }
    return {
        "paper": {"smaller than equal bits at equal accuracy, %": "> 20"},
        "ours": {**ours, "measured": found},
        "tables": [_table(found)],
        "notes": [
            "Bits by SQNR are those predicted to give the output SQNR of equal bits, from the SQNR "
            f"of each tensor alone at each number of bits; {min(kappas):.1f} to "
            f"{max(kappas):.1f} dB per bit were measured, on training images.",
            "All activations have 8 bits, calibrated on training images. Batch norms are a scale "
            "and a shift per channel, stored with 8 bits. The bytes include everything.",
            "Fine-tuned: taught by the float net on 3,500 training images, through the rounding.",
            f"On {found['images']:,} test images an accuracy has a standard error of about "
            "0.9 points, so savings at equal accuracy, read off lines between points, are rough.",
        ],
    }


def _saved(rows: list[Row], tuned: bool) -> dict[str, float]:
    """The saving of bits by SQNR at the accuracy of equal bits, in percent of the file."""
    points = [row for row in rows if row["arm"] == _ARMS[1] and row["tuned"] == tuned]
    points = sorted(points, key=lambda row: row["bytes"])
    saved = {}
    for row in rows:
        if row["arm"] == _ARMS[0] and row["tuned"] == tuned:
            size = _size_at(points, row["accuracy"])
            if size is not None:
                saved[f"{row['mean_bits']:.0f}"] = 100 * (1 - size / row["bytes"])
    return saved


def _size_at(points: list[Row], accuracy: float) -> float | None:
    """The minimum size at which the line through points, sorted by size, reaches an accuracy."""
    for before, after in itertools.pairwise(points):
        low, high = before["accuracy"], after["accuracy"]
        if low <= accuracy <= high and low < high:
            part = (accuracy - low) / (high - low)
            return float(before["bytes"] + part * (after["bytes"] - before["bytes"]))
    return None


def _table(found: dict[str, Any]) -> str:
    columns = (
        f"ResNet-20, {found['images']:,} test images", "bits a weight", "SQNR, dB", "file, bytes",
        "accuracy, %", "fine-tuned, bytes", "accuracy, %",
    )  # fmt: skip
    float_row = (
        "float32", "32", "", f"{found['float_bytes']:,}", f"{found['float_accuracy']:.1f}", "", ""
    )  # fmt: skip
    rows = [
        (
            plain["arm"],
            f"{plain['mean_bits']:.2f}",
            f"{plain['sqnr']:.1f}",
            f"{plain['bytes']:,}",
            f"{plain['accuracy']:.1f}",
            f"{tuned['bytes']:,}",
            f"{tuned['accuracy']:.1f}",
        )
        for plain, tuned in zip(found["rows"][::2], found["rows"][1::2], strict=True)
    ]
    return table(columns, [float_row, *rows])


def _plot(result: dict[str, Any], path: Path) -> None:
    """Plot accuracy by size: one line per choice of bits, without and with fine-tuning."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    panel = figure.subplots()
    for arm in _ARMS:
        for tuned, style in ((False, "o--"), (True, "o-")):
            rows = [row for row in result["rows"] if (row["arm"], row["tuned"]) == (arm, tuned)]
            sizes = [row["bytes"] / 1000 for row in rows]
            label = f"{arm}, fine-tuned" if tuned else arm
            panel.plot(sizes, [row["accuracy"] for row in rows], style, label=label)
    panel.axhline(result["float_accuracy"], color="gray", linewidth=0.8)
    panel.set_xlabel("file, thousand bytes")
    panel.set_ylabel(f"accuracy on {result['images']:,} test images, %")
    panel.grid(alpha=0.3)
    panel.legend()
    save_figure(figure, path)
