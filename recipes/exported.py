"""Measures of exported files: every figure of a recipe comes from the file, loaded again."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from qcodec import load_file, save_file
from qcodec.dead_neurons import Layers
from qcodec.neuron_order import sorted_neurons
from qcodec.torch import export, load, plain_tensors

from .data import Split


@dataclass(frozen=True)
class Exported:
    """A net's file, and which images the net in it classifies correctly."""

    size: int
    right: torch.Tensor

    @property
    def accuracy(self) -> float:
        """The accuracy in percent."""
        return 100 * float(self.right.double().mean())


def exported(
    model: torch.nn.Module,
    fresh: torch.nn.Module,
    path: Path,
    recipe: Any,
    split: Split,
    layers: Layers | None = None,
) -> Exported:
    """Write a file, load it into a fresh model, and classify the images with it.

    Parameters
    ----------
    model, fresh : torch.nn.Module
        Two models with the same plain tensors. `fresh` is changed.
    path : pathlib.Path
    recipe
        As for `qcodec.torch.export`.
    split : Split
    layers : sequence of (str, str or None), optional
        As for `qcodec.neuron_order.sorted_neurons`, which makes the file smaller. None: neurons
        stay where they are.
    """
    size = export(model, path, recipe=recipe)
    if layers is not None:
        net = sorted_neurons(load_file(path), layers)
        size = save_file(net, path, profile="small", effort=9)
    load(fresh, path)
    return Exported(size, rightly(fresh, split))


def rightly(model: torch.nn.Module, split: Split) -> torch.Tensor:
    """Which images a model classifies correctly."""
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        outputs = torch.cat([model(images) for images in split.images.split(500)])
    return outputs.argmax(1) == split.labels


def float_bytes(model: torch.nn.Module) -> int:
    """The size of a model's float32 parameters."""
    return sum(
        tensor.numel() * 4 for tensor in plain_tensors(model).values() if tensor.is_floating_point()
    )


def paired_loss(before: torch.Tensor, after: torch.Tensor) -> dict[str, float]:
    """The loss of accuracy on the same images, in points, and its statistical significance.

    Parameters
    ----------
    before, after : torch.Tensor of bool
        Which images two nets classify correctly.

    Returns
    -------
    dict of str to float
        ``points``: the loss. ``paired``: its standard error by image, in which images that both
        nets classify alike do not count. ``unpaired``: the standard error for independent nets.
        ``lost`` and ``gained``: the numbers of images on which the nets differ. ``p``: the
        two-sided p-value of McNemar's exact test for equally good nets.
    """
    n = len(before)
    lost, gained = int((before & ~after).sum()), int((~before & after).sum())
    difference = (lost - gained) / n
    rates = [float(right.double().mean()) for right in (before, after)]
    tail = sum(math.comb(lost + gained, k) for k in range(min(lost, gained) + 1))
    return {
        "points": 100 * difference,
        "paired": 100 * math.sqrt(((lost + gained) / n - difference**2) / n),
        "unpaired": 100 * math.sqrt(sum(rate * (1 - rate) for rate in rates) / n),
        "lost": lost,
        "gained": gained,
        "p": min(1.0, 2 * tail / 2 ** (lost + gained)),
    }
