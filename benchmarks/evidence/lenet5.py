"""LeNet-5 from ADMM pruning: its size in a few kilobytes, and its accuracy after decoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

import qcodec
from qcodec import Affine, Codebook, DeepCompression, Density, Recipe, Sparse
from qcodec.dead_neurons import smaller, zeroed
from qcodec.rate_distortion import at_price
from qcodec.recipes import Rule

from .datasets import mnist_test
from .networks import accuracy, lenet5
from .report import Row, at_least, at_most, size_of

CASE = "LeNet-5 ADMM"
DENSITIES = {"conv1": 0.20, "conv2": 0.08, "fc1": 0.009, "fc2": 0.07}
LAYERS = [(f"{name}.weight", f"{name}.bias") for name in DENSITIES]
# Of the biases' type: the goal and, if there is one, the moonshot.
GOALS = {"float32": (7_900, 7_500), "float16": (7_300, None)}
PRICED_GOAL = (5_000, 4_400)
# Of a bit, in squared error, the same in all layers; and what the biases are worth.
PRICE, BIASES = 5e-4, Affine(4)


def recipe() -> Recipe:
    """Four bits a weight at the densities of the ADMM paper."""
    rules = [
        Rule(rf"^{name}\.weight$", DeepCompression(4, prune=Density(density)))
        for name, density in DENSITIES.items()
    ]
    return Recipe(rules)


def pruned(tensors: dict[str, Any]) -> dict[str, Any]:
    """The net with the weights that the densities of the ADMM paper leave."""
    return {
        name: array * Density(DENSITIES[name.removesuffix(".weight")]).mask(array)
        if name.endswith(".weight")
        else array
        for name, array in tensors.items()
    }


def priced_recipe(tensors: dict[str, Any]) -> Recipe:
    """Four bits a weight at most, and one price of a bit for all layers."""
    rules = [Rule(r"\.weight$", Sparse(Codebook(4))), Rule(r"\.bias$", BIASES)]
    return at_price(tensors, Recipe(rules), PRICE)


def run(data: Path, folder: Path) -> list[Row]:
    """One file for each type of the biases."""
    tensors = load_file(data / "lenet5_admm.safetensors")
    images, labels = mnist_test(data)
    dense = sum(array.nbytes for array in tensors.values())
    rows = [
        Row(CASE, "bytes as float32", dense),
        Row(CASE, "accuracy as float32", accuracy(lenet5, tensors, images, labels)),
    ]
    for dtype, goal in GOALS.items():
        chosen = {
            name: array.astype(dtype) if array.ndim == 1 else array
            for name, array in tensors.items()
        }
        path = folder / f"lenet5_{dtype}.qcodec"
        qcodec.save_file(chosen, path, recipe=recipe(), profile="small")
        size = size_of(path)
        rows.append(at_most(CASE, f"bytes, {dtype} biases", size, *goal))
        rows.append(Row(CASE, f"ratio, {dtype} biases", round(dense / size, 1)))
        decoded = {name: array.astype(np.float32) for name, array in qcodec.load_file(path).items()}
        found = accuracy(lenet5, decoded, images, labels)
        rows.append(at_least(CASE, f"accuracy, {dtype} biases", found, 0.991))
    return rows + _entropy_constrained(tensors, images, labels, folder)


def _entropy_constrained(
    tensors: dict[str, Any], images: Any, labels: Any, folder: Path
) -> list[Row]:
    """Weights that are not worth their bits are dropped; nothing is trained.

    Nor are weights of dead neurons stored: as zeros, or not at all.
    """
    dense = sum(array.nbytes for array in tensors.values())
    rows = []
    for what, net in (
        ("entropy-constrained, 4-bit biases", zeroed(pruned(tensors), LAYERS)),
        ("the same without dead neurons", smaller(pruned(tensors), LAYERS)),
    ):
        path = folder / "lenet5_entropy_constrained.qcodec"
        qcodec.save_file(net, path, recipe=priced_recipe(net), profile="small")
        size = size_of(path)
        found = accuracy(lenet5, qcodec.load_file(path), images, labels)
        rows += [
            at_most(CASE, f"bytes, {what}", size, *PRICED_GOAL),
            Row(CASE, f"ratio, {what}", round(dense / size, 1)),
            at_least(CASE, f"accuracy, {what}", found, 0.991),
        ]
    return rows
