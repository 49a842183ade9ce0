"""The demo's network: two convolutions and two linear layers over 8 x 8 digits, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Weights = Mapping[str, Array]

#: Layers in the order of the network; each has a ``.weight`` and a ``.bias``.
LAYERS = ("conv1", "conv2", "fc1", "fc2")


def patches(images: Array) -> Array:
    """Return the 3 x 3 neighbourhood of every pixel, with zeros beyond the border.

    Parameters
    ----------
    images : numpy.ndarray
        Shape (images, channels, height, width).

    Returns
    -------
    numpy.ndarray
        Shape (images, height, width, channels * 9), in the order of a filter in OIHW.

    Examples
    --------
    >>> patches(np.ones((1, 1, 2, 2), np.float32)).sum(axis=3)
    array([[[4., 4.],
            [4., 4.]]], dtype=float32)
    """
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    count, channels, height, width = images.shape
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(count, height, width, channels * 9)


def convolve(images: Array, weight: Array, bias: Array) -> Array:
    """Convolve images (N, C, H, W) with filters (O, C, 3, 3); the size stays the same."""
    flat = patches(images) @ weight.reshape(len(weight), -1).T + bias
    return flat.transpose(0, 3, 1, 2)


def pool(images: Array) -> Array:
    """Return the maximum of each 2 x 2 block of images (N, C, H, W)."""
    count, channels, height, width = images.shape
    blocks = images.reshape(count, channels, height // 2, 2, width // 2, 2)
    maximum: Array = blocks.max(axis=(3, 5))
    return maximum


def scores(weights: Weights, images: Array) -> Array:
    """Return the network's scores, shape (images, 10); the highest one is its answer.

    Parameters
    ----------
    weights : mapping of str to numpy.ndarray
        ``conv1.weight``, ``conv1.bias`` and so on, float32.
    images : numpy.ndarray of uint8
        Shape (images, 8, 8), values 0 to 16.
    """
    x = images[:, None].astype(np.float32) / 16
    for layer in ("conv1", "conv2"):
        x = np.maximum(convolve(x, weights[f"{layer}.weight"], weights[f"{layer}.bias"]), 0)
    x = pool(x).reshape(len(x), -1)
    x = np.maximum(x @ weights["fc1.weight"].T + weights["fc1.bias"], 0)
    return x @ weights["fc2.weight"].T + weights["fc2.bias"]


def accuracy(weights: Weights, images: Array, labels: Array) -> float:
    """Return the percentage of images that the network classifies as their labels say."""
    return float(100 * np.mean(scores(weights, images).argmax(axis=1) == labels))
