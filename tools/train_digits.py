"""Train the network of the demo: `python tools/train_digits.py` writes qcodec/demo/data/.

A small convolutional network learns scikit-learn's 8 x 8 digits. It is pruned by magnitude in a few
steps with retraining between them (Deep Compression's first stage), and saved as plain float32. The
test images, a fifth of the data, are not used for training; they are saved beside the network. The
same seed gives the same network on the same machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from sklearn.datasets import load_digits

from qcodec.demo.network import LAYERS, accuracy, patches, pool

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]

DATA = Path(__file__).parents[1] / "qcodec" / "demo" / "data"
SEED = 1510
SHAPES = {
    "conv1": (16, 1, 3, 3),
    "conv2": (32, 16, 3, 3),
    "fc1": (256, 512),
    "fc2": (10, 256),
}
# What remains of each layer's weights, step after step.
DENSITIES = (
    {"conv1": 0.80, "conv2": 0.40, "fc1": 0.200, "fc2": 0.50},
    {"conv1": 0.60, "conv2": 0.20, "fc1": 0.060, "fc2": 0.30},
    {"conv1": 0.50, "conv2": 0.12, "fc1": 0.025, "fc2": 0.20},
)
DENSE_EPOCHS, RETRAINING_EPOCHS, BATCH = 30, 20, 32
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 1e-4


def initial_weights(random: np.random.Generator) -> Arrays:
    weights = {}
    for layer, shape in SHAPES.items():
        deviation = np.sqrt(2 / np.prod(shape[1:]))
        weights[f"{layer}.weight"] = random.normal(0, deviation, shape).astype(np.float32)
        weights[f"{layer}.bias"] = np.zeros(shape[0], np.float32)
    return weights


def unpatch(gradient: Array, channels: int) -> Array:
    """The transpose of `patches`: (N, H, W, C * 9) back onto images (N, C, H, W)."""
    count, height, width, _ = gradient.shape
    kernels = gradient.reshape(count, height, width, channels, 3, 3)
    images = np.zeros((count, channels, height + 2, width + 2), np.float32)
    for row in range(3):
        for column in range(3):
            part = kernels[..., row, column].transpose(0, 3, 1, 2)
            images[:, :, row : row + height, column : column + width] += part
    return images[:, :, 1:-1, 1:-1]


def gradients(weights: Arrays, images: Array, labels: Array) -> Arrays:
    """Of the mean cross-entropy of a batch, by every weight and bias."""
    count = len(images)
    kernel1, kernel2 = (
        weights[f"{layer}.weight"].reshape(len(weights[f"{layer}.bias"]), -1)
        for layer in ("conv1", "conv2")
    )
    # Forward.
    patches1 = patches(images)
    hidden1 = np.maximum(patches1 @ kernel1.T + weights["conv1.bias"], 0)
    patches2 = patches(hidden1.transpose(0, 3, 1, 2))
    hidden2 = np.maximum(patches2 @ kernel2.T + weights["conv2.bias"], 0).transpose(0, 3, 1, 2)
    pooled = pool(hidden2)
    flat = pooled.reshape(count, -1)
    hidden3 = np.maximum(flat @ weights["fc1.weight"].T + weights["fc1.bias"], 0)
    logits = hidden3 @ weights["fc2.weight"].T + weights["fc2.bias"]
    # Backward.
    delta = np.exp(logits - logits.max(axis=1, keepdims=True))
    delta /= delta.sum(axis=1, keepdims=True)
    delta[np.arange(count), labels] -= 1
    delta /= count
    out = {"fc2.weight": delta.T @ hidden3, "fc2.bias": delta.sum(axis=0)}
    delta = (delta @ weights["fc2.weight"]) * (hidden3 > 0)
    out |= {"fc1.weight": delta.T @ flat, "fc1.bias": delta.sum(axis=0)}
    delta = (delta @ weights["fc1.weight"]).reshape(pooled.shape)
    spread = np.repeat(np.repeat(delta, 2, axis=2), 2, axis=3)
    chosen = hidden2 == np.repeat(np.repeat(pooled, 2, axis=2), 2, axis=3)
    delta = (spread * chosen * (hidden2 > 0)).transpose(0, 2, 3, 1)
    out |= kernel_gradients("conv2", delta, patches2)
    delta = unpatch(delta @ kernel2, 16).transpose(0, 2, 3, 1) * (hidden1 > 0)
    out |= kernel_gradients("conv1", delta, patches1)
    return out


def kernel_gradients(layer: str, delta: Array, columns: Array) -> Arrays:
    flat = delta.reshape(-1, delta.shape[-1])
    kernel = flat.T @ columns.reshape(len(flat), -1)
    return {f"{layer}.weight": kernel.reshape(SHAPES[layer]), f"{layer}.bias": flat.sum(axis=0)}


class Adam:
    """Adam with decoupled weight decay, whose steps leave masked weights at zero."""

    def __init__(self, weights: Arrays, masks: Arrays) -> None:
        self.weights, self.masks, self.steps = weights, masks, 0
        self.first = {name: np.zeros_like(array) for name, array in weights.items()}
        self.second = {name: np.zeros_like(array) for name, array in weights.items()}

    def step(self, gradient: Arrays, rate: float) -> None:
        self.steps += 1
        for name, weight in self.weights.items():
            self.first[name] += 0.1 * (gradient[name] - self.first[name])
            self.second[name] += 0.001 * (gradient[name] ** 2 - self.second[name])
            mean = self.first[name] / (1 - 0.9**self.steps)
            square = self.second[name] / (1 - 0.999**self.steps)
            weight -= rate * (mean / (np.sqrt(square) + 1e-8) + WEIGHT_DECAY * weight)
            if name in self.masks:
                weight[~self.masks[name]] = 0  # a product would leave -0.0 there


def shifted(images: Array, random: np.random.Generator) -> Array:
    """Each image moved by up to one pixel: little data, so every bit of variety helps."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.empty_like(images)
    for i, (row, column) in enumerate(random.integers(0, 3, (len(images), 2))):
        out[i] = padded[i, :, row : row + 8, column : column + 8]
    return out


def train(
    weights: Arrays,
    masks: Arrays,
    data: tuple[Array, Array],
    epochs: int,
    random: np.random.Generator,
) -> None:
    images, labels = data
    optimizer = Adam(weights, masks)
    for epoch in range(epochs):
        rate = LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        order = random.permutation(len(images))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            optimizer.step(gradients(weights, shifted(images[batch], random), labels[batch]), rate)


def prune(weights: Arrays, densities: dict[str, float]) -> Arrays:
    """Set all but the largest weights of each layer to zero; returns the masks."""
    masks = {}
    for layer, density in densities.items():
        weight = weights[f"{layer}.weight"]
        kept = round(density * weight.size)
        threshold = np.sort(np.abs(weight), axis=None)[-kept]
        masks[f"{layer}.weight"] = np.abs(weight) >= threshold
        weight[~masks[f"{layer}.weight"]] = 0
    return masks


def main() -> None:
    random = np.random.default_rng(SEED)
    digits = load_digits()
    order = random.permutation(len(digits.images))
    test, training = np.sort(order[: len(order) // 5 + 1]), order[len(order) // 5 + 1 :]
    images, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    data = images[training][:, None].astype(np.float32) / 16, labels[training]

    def report(stage: str) -> str:
        percent = f"{accuracy(weights, images[test], labels[test]):.2f}"
        kept = sum(int(np.count_nonzero(weights[f"{layer}.weight"])) for layer in LAYERS)
        print(f"{stage:>8}: {kept:7,} weights, {percent} % of {len(test)} test images")
        return percent

    weights = initial_weights(random)
    train(weights, {}, data, DENSE_EPOCHS, random)
    history = {"dense_accuracy": report("dense")}
    for densities in DENSITIES:
        masks = prune(weights, densities)
        train(weights, masks, data, RETRAINING_EPOCHS, random)
        history["pruned_accuracy"] = report("pruned")

    DATA.mkdir(exist_ok=True)
    save_file(weights, DATA / "digits.safetensors", history)
    test_split = {"images": images[test], "labels": labels[test], "indices": test.astype("<u2")}
    save_file(test_split, DATA / "digits_test.safetensors")


if __name__ == "__main__":
    main()
