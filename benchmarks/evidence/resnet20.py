"""ResNet-20 for CIFAR-10: fixed point and shared weights, without retraining."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

import qcodec
from qcodec import Codebook, FixedPoint, Recipe, Ternary
from qcodec.recipes import Rule

from .datasets import cifar_test
from .networks import accuracy, resnet20
from .report import Row, at_least, at_most, size_of
from .streams import code_bytes

CASE = "ResNet-20"
CODED = r"(conv\d|linear)\.weight$"
SHARED, PRICED, TERNARY = Codebook(4, "exact"), Codebook(5, rate=0.04), Ternary("twn", scales=1)
CODECS = (
    ("fixed point 8 bits, MSE step", FixedPoint(8), 0.91),
    ("codebook 4 bits, exact", SHARED, 0.90),
    ("entropy-constrained, rate 0.04", PRICED, 0.90),
)
# Goals and moonshots: code streams in bytes; a file in % of that of 4-bit k-means, less 100.
LEVELS_GOAL, TERNARY_GOAL, PRICED_GOAL = (113_000, 110_500), (46_500, 45_300), (-12, -20)


def weights(data: Path) -> dict[str, np.ndarray]:
    """All convolutions and the last layer."""
    tensors = load_file(data / "resnet20_cifar10.safetensors")
    return {name: array for name, array in tensors.items() if re.search(CODED, name)}


def inner_convolutions(data: Path) -> dict[str, np.ndarray]:
    """All convolutions but the first."""
    found = weights(data)
    return {name: a for name, a in found.items() if a.ndim == 4 and name != "conv1.weight"}


def run(data: Path, folder: Path) -> list[Row]:
    """Every convolution and the last layer by one codec, the rest without loss."""
    tensors = load_file(data / "resnet20_cifar10.safetensors")
    images, labels = cifar_test(data)
    dense = sum(array.nbytes for array in tensors.values())
    rows = [
        Row(CASE, "bytes as float32", dense),
        Row(CASE, "accuracy as float32", accuracy(resnet20, tensors, images, labels)),
    ]
    files = {}
    for number, (what, codec, goal) in enumerate(CODECS):
        path = folder / f"resnet20_{number}.qcodec"
        rules = [Rule(CODED, codec)]
        qcodec.save_file(tensors, path, recipe=Recipe(rules), profile="small")
        size = size_of(path)
        rows.append(Row(CASE, f"bytes, {what}", size))
        rows.append(Row(CASE, f"ratio, {what}", round(dense / size, 2)))
        found = accuracy(resnet20, qcodec.load_file(path), images, labels)
        rows.append(at_least(CASE, f"accuracy, {what}", found, goal))
        files[codec] = size, found
    return [*rows, *_priced(files), *_code_streams(data)]


def _priced(files: dict[qcodec.Codec, tuple[int, float]]) -> list[Row]:
    """The entropy-constrained file beside that of k-means."""
    (priced, found), (shared, minimum) = files[PRICED], files[SHARED]
    less = round(100 * priced / shared - 100, 1)
    return [
        at_most(CASE, "% of bytes, entropy-constrained against k-means", less, *PRICED_GOAL),
        at_least(CASE, "accuracy beside that of k-means", found, minimum),
    ]


def _code_streams(data: Path) -> list[Row]:
    """What the codes alone take, their tables and maps included."""
    shared = code_bytes(weights(data), SHARED, "small")
    inner = inner_convolutions(data)
    count = sum(array.size for array in inner.values())
    ternary = code_bytes(inner, TERNARY, "small")
    return [
        at_most(CASE, "bytes of code streams, 16 levels", shared, *LEVELS_GOAL),
        Row(CASE, "weights, ternary", count),
        at_most(CASE, "bytes of code streams, ternary", ternary, *TERNARY_GOAL),
    ]
