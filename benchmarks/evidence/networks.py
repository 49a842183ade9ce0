"""LeNet-5 and ResNet-20 in NumPy, for classification only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Weights = Mapping[str, Any]
_BATCH = 250


def convolve(x: Array, weight: Array, bias: Array | None, stride: int = 1, pad: int = 0) -> Array:
    """2-D convolution of (n, in, h, w) with (out, in, kh, kw)."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    y = np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
    return y if bias is None else y + bias[:, None, None]


def max_pool(x: Array) -> Array:
    """The greatest of every 2 x 2."""
    n, channels, height, width = x.shape
    return x.reshape(n, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))


def relu(x: Array) -> Array:
    """Positive part."""
    return np.maximum(x, 0)


def lenet5(weights: Weights, x: Array) -> Array:
    """Scores of the 20-50-500-10 LeNet-5; its tensors are taken in network order."""
    (w1, b1), (w2, b2), (w3, b3), (w4, b4) = _layers(weights)
    x = max_pool(relu(convolve(x, w1, b1)))
    x = max_pool(relu(convolve(x, w2, b2)))
    x = relu(x.reshape(len(x), -1) @ w3.T + b3)
    return x @ w4.T + b4


def _layers(weights: Weights) -> list[tuple[Array, Array]]:
    stems = sorted(
        (name.removesuffix(".weight") for name in weights if name.endswith(".weight")),
        key=lambda stem: (not stem.startswith("conv"), stem),
    )
    return [(_float32(weights[f"{s}.weight"]), _float32(weights[f"{s}.bias"])) for s in stems]


def _float32(array: Any) -> Array:
    return np.asarray(array, np.float32)


def _batch_norm(weights: Weights, name: str, x: Array) -> Array:
    get = lambda part: np.asarray(weights[f"{name}.{part}"], np.float32)  # noqa: E731
    scale = get("weight") / np.sqrt(get("running_var") + 1e-5)
    shift = get("bias") - get("running_mean") * scale
    return x * scale[:, None, None] + shift[:, None, None]


def resnet20(weights: Weights, x: Array) -> Array:
    """Scores of the CIFAR-10 ResNet-20 with option-A shortcuts."""
    x = relu(_batch_norm(weights, "bn1", convolve(x, weights["conv1.weight"], None, pad=1)))
    for stage in (1, 2, 3):
        for block in range(3):
            name = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            y = convolve(x, weights[f"{name}.conv1.weight"], None, stride, 1)
            y = relu(_batch_norm(weights, f"{name}.bn1", y))
            y = convolve(y, weights[f"{name}.conv2.weight"], None, 1, 1)
            y = _batch_norm(weights, f"{name}.bn2", y)
            if stride == 2:
                more = y.shape[1] - x.shape[1]
                x = np.pad(x[:, :, ::2, ::2], ((0, 0), (more // 2, more // 2), (0, 0), (0, 0)))
            x = relu(x + y)
    return x.mean(axis=(2, 3)) @ weights["linear.weight"].T + weights["linear.bias"]


def accuracy(
    network: Callable[[Weights, Array], Array],
    weights: Weights,
    images: Array,
    labels: NDArray[np.uint8],
) -> float:
    """Share of the images that are classified right."""
    right = 0
    for start in range(0, len(images), _BATCH):
        batch = slice(start, start + _BATCH)
        right += int((network(weights, images[batch]).argmax(axis=1) == labels[batch]).sum())
    return right / len(images)
