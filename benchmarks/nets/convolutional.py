"""A convolutional network for MNIST, 460,000 weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .training import batches_of, repeatable, train, weights_of

if TYPE_CHECKING:
    import torch

_BATCH = 64


def network() -> torch.nn.Module:
    """Three convolutions of 3 x 3 with batch norms, and two layers."""
    from torch import nn

    layers: list[nn.Module] = []
    for inputs, outputs, stride in ((1, 32, 1), (32, 64, 2), (64, 64, 2)):
        layers.append(nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False))
        layers += [nn.BatchNorm2d(outputs), nn.ReLU()]
    layers += [nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10)]
    return nn.Sequential(*layers)


def trained(images: np.ndarray, labels: np.ndarray, steps: int) -> dict[str, Any]:
    """Its weights.

    Parameters
    ----------
    images : ndarray of float32, shape (n, 1, 28, 28)
    labels : ndarray of uint8, shape (n,)
    steps : int
    """
    with repeatable():
        net = network()
        train(net, batches(images, labels), steps)
    return weights_of(net)


def batches(images: np.ndarray, labels: np.ndarray) -> Any:
    """What gives batches to `train`."""
    return batches_of(images, labels, _BATCH)


def accuracy(weights: dict[str, Any], images: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images that are classified right."""
    import torch

    net = network().eval()
    tensors = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
    net.load_state_dict(tensors, strict=False)  # batch norms count their batches, too
    with torch.no_grad():
        parts = torch.from_numpy(images).split(1000)
        found = torch.cat([net(part).argmax(1) for part in parts])
    return float((found.numpy() == labels).mean())
