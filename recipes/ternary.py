"""Trained ternary quantization of a trained net."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Protocol

import torch

from qcodec import Density, TrainedTernary
from qcodec.torch import Run, accuracy, fit, ternarize

from .autocast import in_bfloat16
from .data import Data


class Descent(Protocol):
    """An optimizer for a ternary net, and its schedule."""

    def __call__(
        self, parameters: Iterator[torch.nn.Parameter], epochs: int, batches: int
    ) -> tuple[torch.optim.Optimizer, Any]: ...


def adam(rate: float) -> Descent:
    """Adam with a learning rate that falls to 0 as a cosine."""

    def make(
        parameters: Iterator[torch.nn.Parameter], epochs: int, batches: int
    ) -> tuple[torch.optim.Optimizer, Any]:
        optimizer = torch.optim.Adam(parameters, rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
        return optimizer, schedule

    return make


def as_published(
    parameters: Iterator[torch.nn.Parameter], epochs: int, batches: int
) -> tuple[torch.optim.Optimizer, Any]:
    """The paper's training for CIFAR-10: momentum; rate 0.1, a tenth after 82, 123, 150 of 160."""
    optimizer = torch.optim.SGD(parameters, 0.1, momentum=0.9, weight_decay=2e-4)
    milestones = [epochs * batches * epoch // 160 for epoch in (82, 123, 150)]
    return optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones)


def zeros_of(setting: dict[str, float]) -> TrainedTernary | Density:
    """The rule for zeros from a setting: ``{"threshold": t}`` or ``{"density": d}``."""
    if "threshold" in setting:
        return TrainedTernary(setting["threshold"])
    return Density(setting["density"])


def train_ternary(
    model: torch.nn.Module,
    zeros: dict[str, dict[str, float]],
    batches: Any,
    epochs: int,
    descent: Descent,
    data: Data,
    run: Run,
    stage: str = "ternary",
    bfloat16: bool = False,
    **parts: Any,
) -> torch.nn.Module:
    """Train a ternary copy of a net.

    Parameters
    ----------
    model : torch.nn.Module
        Not changed.
    zeros : dict
        A setting (see `zeros_of`) by regular expression; "" applies to all layers except the
        first and the last.
    batches : sized iterable
    epochs : int
    descent : callable
    data : Data
        The accuracy on its validation part is a column of the curves.
    run : Run
    stage : str
    bfloat16 : bool
        Whether to train in bfloat16 (see `in_bfloat16`).
    parts
        As for `qcodec.torch.fit`: loss, seed.
    """
    model = copy.deepcopy(model)
    rules = {pattern: zeros_of(setting) for pattern, setting in zeros.items()}
    ternarize(model, rules.get("", rules))
    optimizer, schedule = descent(model.parameters(), epochs, len(batches))
    held = data.validation
    with in_bfloat16(model, bfloat16):
        fit(
            model,
            batches,
            optimizer,
            epochs,
            stage=stage,
            run=run,
            schedule=schedule,
            measure=lambda: {"validation": accuracy(model, held.images, held.labels)},
            **parts,
        )
    return model
