"""Folding of batch normalisation: in a trained net it is a scale and a shift per channel."""

from __future__ import annotations

import torch
from torch import nn


class ScaleAndShift(nn.Module):
    """A weight and a bias per channel: half of the numbers of a batch normalisation."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight[:, None, None] + self.bias[:, None, None]


def fold_batch_norms(model: nn.Module) -> None:
    """Replace each batch normalisation by a `ScaleAndShift`.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place. In evaluation mode its output stays the same up to rounding.
    """
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                weight = (child.weight / torch.sqrt(child.running_var + child.eps)).detach()
                bias = (child.bias - child.running_mean * weight).detach()
                setattr(module, name, ScaleAndShift(weight, bias))
