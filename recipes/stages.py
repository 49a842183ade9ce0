"""Training stages of the MNIST recipes: Adam, a one-cycle learning rate, teachers."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch

from qcodec.torch import Run, accuracy, fit

from .data import Batches, Data, shifted
from .distillation import Taught, distillation_loss

#: A note of every recipe that trains with `Stages`.
CHOSEN = (
    "Settings were chosen by 5,000 held-out training images, which no net is trained on. The "
    "weights are those of the last epoch."
)


class Stages:
    """Trains models with the settings of one run; each stage has its own checkpoint file.

    Parameters
    ----------
    data : Data
    run : Run
    settings : dict of str
        ``seed``, ``batch``, ``shift`` (in pixels, for augmentation) and ``bfloat16`` (whether
        training uses it for products, which halves the time on processors that support it;
        results are measured in float32).
    """

    def __init__(self, data: Data, run: Run, settings: dict[str, Any]) -> None:
        self.data, self.run, self.settings = data, run, settings

    @property
    def batches(self) -> Batches:
        """Batches of the training images."""
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
        """Train the parameters of a model that have gradients, for some epochs.

        Parameters
        ----------
        model : torch.nn.Module
        stage : str
            Names the checkpoint and the rows of the curves.
        epochs : int
        rate : float
            The maximum learning rate of the cycle.
        teacher : torch.nn.Module, optional
            Its outputs replace the labels as targets.
        decay : float
            ``weight_decay`` of Adam.
        constant : bool
            Whether the learning rate is constant.
        measure : callable
            Returns more columns for the curves, besides the accuracy on the validation images.
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
        # No cache: autocast would reuse weights after they change.
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
        """The accuracy on the test images, which are only for results."""
        return accuracy(model, self.data.test.images, self.data.test.labels)

    def validation(self, model: torch.nn.Module) -> float:
        """The accuracy on the validation images, which are for the choice of settings."""
        return accuracy(model, self.data.validation.images, self.data.validation.labels)
