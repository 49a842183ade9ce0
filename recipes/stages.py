"""Stages of a training as the recipes for MNIST do them: Adam, one cycle of its rate, teachers."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch

from qcodec.torch import Run, accuracy, fit

from .data import Batches, Data, shifted
from .distillation import Taught, distillation_loss

#: Of every recipe that trains by `Stages`.
CHOSEN = (
    "Settings were chosen by 5,000 held-out training images, which no net is trained on. The "
    "weights are those of the last epoch."
)


class Stages:
    """Trains models by the settings of one run, each stage in a file of its own.

    Parameters
    ----------
    data : Data
    run : Run
    settings : dict of str
        ``seed``, ``batch``, ``shift`` (pixels by which images are moved) and ``bfloat16``:
        whether convolutions and matrices are multiplied in it while weights are trained, as
        processors that can do so take half the time. What is measured for a result is not.
    """

    def __init__(self, data: Data, run: Run, settings: dict[str, Any]) -> None:
        self.data, self.run, self.settings = data, run, settings

    @property
    def batches(self) -> Batches:
        """Of the training images."""
        augment = shifted(self.settings["shift"]) if self.settings["shift"] else None
        return Batches(self.data.train, self.settings["batch"], augment)

    def train(
        self,
        model: torch.nn.Module,
        stage: str,
        epochs: int,
        rate: float,
        *,
        teacher: torch.nn.Module | None = None,
        decay: float = 0.0,
        constant: bool = False,
        measure: Any = dict,
        **parts: Any,
    ) -> None:
        """Train what of a model has gradients, for some epochs.

        Parameters
        ----------
        model : torch.nn.Module
        stage : str
            Names the stage's checkpoint and its rows of the curves.
        epochs : int
        rate : float
            The greatest of the cycle's rates.
        teacher : torch.nn.Module, optional
            Its outputs are the targets, instead of the labels.
        decay : float
            Adam's ``weight_decay``.
        constant : bool
            The rate stays what it is.
        measure : callable
            Gives more columns for the curves, beside the accuracy on the validation images.
        parts
            As for `qcodec.torch.fit`.
        """
        batches: Any = self.batches
        steps = max(epochs * len(batches), 1)
        if teacher is not None:
            batches = Taught(batches, teacher)
            parts["loss"] = distillation_loss
        optimizer = torch.optim.Adam(model.parameters(), rate, weight_decay=decay)
        if not constant:
            parts["schedule"] = torch.optim.lr_scheduler.OneCycleLR(
                optimizer, rate, steps, pct_start=0.15
            )
        # Weights that change must not be taken from autocast's cache.
        is_fast = self.settings["bfloat16"]
        device = next(model.parameters()).device.type
        fast = torch.autocast(device, torch.bfloat16, cache_enabled=False)
        with fast if is_fast else nullcontext():
            fit(
                model,
                batches,
                optimizer,
                epochs,
                stage=stage,
                run=self.run,
                seed=self.settings["seed"],
                measure=lambda: {"validation": self.validation(model), **measure()},
                **parts,
            )

    def test(self, model: torch.nn.Module) -> float:
        """The accuracy on the images that are for results alone."""
        return accuracy(model, self.data.test.images, self.data.test.labels)

    def validation(self, model: torch.nn.Module) -> float:
        """The accuracy on the images by which settings are chosen."""
        return accuracy(model, self.data.validation.images, self.data.validation.labels)
