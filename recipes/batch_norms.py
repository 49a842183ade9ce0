"""Batch normalisation as what it is in a trained net: a scale and a shift of each channel."""

from __future__ import annotations

import torch
from torch import nn


class ScaleAndShift(nn.Module):
    """Each channel times a weight plus a bias: half of the numbers of a batch normalisation."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight[:, None, None] + self.bias[:, None, None]


def fold_batch_norms(model: nn.Module) -> None:
    """Put a `ScaleAndShift` in place of each batch normalisation, for use and for storing.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place; in evaluation mode it gives what it gave, up to rounding.
    """
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                weight = (child.weight / torch.sqrt(child.running_var + child.eps)).detach()
                bias = (child.bias - child.running_mean * weight).detach()
                setattr(module, name, ScaleAndShift(weight, bias))
