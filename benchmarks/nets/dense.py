"""A DenseNet for CIFAR-10: 326 small tensors, 1,000,000 weights.

It has DenseNet-121's names, but fewer and narrower layers. Each layer normalises what all layers
before it gave, so running statistics recur from layer to layer.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from .training import batches_of, repeatable, train, weights_of

if TYPE_CHECKING:
    import torch

_BATCH = 32
_BLOCKS, _GROWTH, _WIDENING, _FIRST = (6, 12, 8, 4), 20, 4, 40


def network() -> torch.nn.Module:
    """Blocks of layers that are each joined to all before, with transitions between them."""
    import torch
    from torch import nn

    class Layer(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x, super().forward(x)], 1)

    def layer(inputs: int) -> nn.Module:
        inner = _WIDENING * _GROWTH
        return Layer(
            OrderedDict(
                norm1=nn.BatchNorm2d(inputs),
                relu1=nn.ReLU(),
                conv1=nn.Conv2d(inputs, inner, 1, bias=False),
                norm2=nn.BatchNorm2d(inner),
                relu2=nn.ReLU(),
                conv2=nn.Conv2d(inner, _GROWTH, 3, padding=1, bias=False),
            )
        )

    def transition(inputs: int) -> nn.Module:
        return nn.Sequential(
            OrderedDict(
                norm=nn.BatchNorm2d(inputs),
                relu=nn.ReLU(),
                conv=nn.Conv2d(inputs, inputs // 2, 1, bias=False),
                pool=nn.AvgPool2d(2),
            )
        )

    parts: dict[str, nn.Module] = {
        "conv0": nn.Conv2d(3, _FIRST, 5, 2, padding=2, bias=False),
        "norm0": nn.BatchNorm2d(_FIRST),
        "relu0": nn.ReLU(),
    }
    width = _FIRST
    for block, layers in enumerate(_BLOCKS, 1):
        inside = {f"denselayer{n + 1}": layer(width + n * _GROWTH) for n in range(layers)}
        parts[f"denseblock{block}"] = nn.Sequential(OrderedDict(inside))
        width += layers * _GROWTH
        if block < len(_BLOCKS):
            parts[f"transition{block}"] = transition(width)
            width //= 2
    parts["norm5"] = nn.BatchNorm2d(width)
    features = nn.Sequential(OrderedDict(parts))
    ends = OrderedDict(relu=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten())
    return nn.Sequential(OrderedDict(features=features, **ends, classifier=nn.Linear(width, 10)))


def trained(images: np.ndarray, labels: np.ndarray, steps: int) -> dict[str, Any]:
    """Its weights and running statistics.

    Parameters
    ----------
    images : ndarray of float32, shape (n, 3, 32, 32)
    labels : ndarray of integers, shape (n,)
    steps : int
    """
    with repeatable():
        net = network()
        train(net, batches_of(images, labels, _BATCH), steps)
    return weights_of(net)
