"""MNIST in its published format, and a sample of CIFAR-10."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recipes.idx import mnist_array


def mnist(folder: Path, part: str) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Images (n, 1, 28, 28), normalised, and their labels; `part` is ``train`` or ``t10k``."""
    images = mnist_array(folder, f"{part}-images-idx3-ubyte").astype(np.float32) / 255
    labels = mnist_array(folder, f"{part}-labels-idx1-ubyte")
    return ((images - 0.1307) / 0.3081)[:, None], labels


def mnist_test(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """All 10,000 test images."""
    return mnist(folder, "t10k")


def cifar_test(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The first 1,000 test images of CIFAR-10 (n, 3, 32, 32), normalised, and their labels."""
    return _cifar(folder, "test")


def cifar_train(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The same of 4,000 training images."""
    return _cifar(folder, "train")


def _cifar(folder: Path, part: str) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    with np.load(folder / "cifar10_sample.npz") as sample:
        images, labels = sample[f"{part}_x"], sample[f"{part}_y"]
    if images.shape[-1] == 3:
        images = images.transpose(0, 3, 1, 2)
    mean = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]
    deviation = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]
    return (images.astype(np.float32) / 255 - mean) / deviation, labels.reshape(-1)
