"""A net that gives x, y and z of 468 points: three outputs resemble the three before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .training import repeatable, train, weights_of

if TYPE_CHECKING:
    import torch

POINTS = 468
_BATCH, _WIDTH = 64, 96
_COLUMNS = 26  # the points are 18 rows of 26


def network() -> torch.nn.Module:
    """Convolutions, and a head of three outputs a point."""
    from torch import nn

    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 16), (16, 32), (32, _WIDTH)):
        layers += [nn.Conv2d(inputs, outputs, 3, 2, padding=1), nn.PReLU(outputs)]
    layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4 * _WIDTH, 3 * POINTS))


def points(images: np.ndarray) -> np.ndarray:
    """A grid laid on each image: moved to the middle of its ink, raised where ink is.

    Parameters
    ----------
    images : ndarray of float32, shape (n, 1, 28, 28)

    Returns
    -------
    ndarray of float32, shape (n, 1404)
    """
    ink = images[:, 0] - images.min()
    total = ink.sum((1, 2)) + 1e-6
    along = np.arange(28)
    middle_x = (ink.sum(1) * along).sum(1) / total / 28 - 0.5
    middle_y = (ink.sum(2) * along).sum(1) / total / 28 - 0.5
    number = np.arange(POINTS)
    x = number % _COLUMNS / (_COLUMNS - 1)
    y = number // _COLUMNS / (POINTS // _COLUMNS - 1)
    z = _smooth(ink)[:, (27 * y).astype(int), (27 * x).astype(int)]
    found = np.stack([x + middle_x[:, None], y + middle_y[:, None], z], 2)
    return found.reshape(len(images), -1).astype(np.float32)


def _smooth(ink: np.ndarray) -> np.ndarray:
    """Means of the 7 x 7 pixels around each."""
    wide = np.pad(ink, [(0, 0), (3, 3), (3, 3)])
    return np.lib.stride_tricks.sliding_window_view(wide, (7, 7), (1, 2)).mean((3, 4))


def trained(images: np.ndarray, steps: int) -> dict[str, Any]:
    """Its weights."""
    import torch

    def batch(random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        some = images[random.integers(len(images), size=_BATCH)]
        return torch.from_numpy(some), torch.from_numpy(points(some))

    with repeatable():
        net = network()
        torch.nn.init.normal_(net[-1].weight, std=0.0005)
        train(net, batch, steps, torch.nn.functional.mse_loss)
    return weights_of(net)
