"""ResNet-20 for CIFAR-10: fixed point and shared weights, without retraining."""

from __future__ import annotations

from pathlib import Path

from safetensors.numpy import load_file

import qcodec
from qcodec import Codebook, FixedPoint, Recipe
from qcodec.recipes import Rule

from .datasets import cifar_test
from .networks import accuracy, resnet20
from .report import Row, at_least, size_of

CASE = "ResNet-20"
CODECS = (
    ("fixed point 8 bits, MSE step", FixedPoint(8), 0.91),
    ("codebook 4 bits, exact", Codebook(4, "exact"), 0.90),
    ("entropy-constrained, rate 0.04", Codebook(5, rate=0.04), 0.90),
)


def run(data: Path, folder: Path) -> list[Row]:
    """Every convolution and the last layer by one codec, the rest without loss."""
    tensors = load_file(data / "resnet20_cifar10.safetensors")
    images, labels = cifar_test(data)
    dense = sum(array.nbytes for array in tensors.values())
    rows = [
        Row(CASE, "bytes as float32", dense),
        Row(CASE, "accuracy as float32", accuracy(resnet20, tensors, images, labels)),
    ]
    for number, (what, codec, goal) in enumerate(CODECS):
        path = folder / f"resnet20_{number}.qc"
        rules = [Rule(r"(conv\d|linear)\.weight$", codec)]
        qcodec.save_file(tensors, path, Recipe(rules), profile="small")
        size = size_of(path)
        rows.append(Row(CASE, f"bytes, {what}", size))
        rows.append(Row(CASE, f"ratio, {what}", round(dense / size, 2)))
        found = accuracy(resnet20, qcodec.load_file(path), images, labels)
        rows.append(at_least(CASE, f"accuracy, {what}", found, goal))
    return rows
