"""A plain training loop for the recipes. The methods work in any other loop too."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch

from ..modes import Modes, evaluating, modes_kept
from .progress import Progress
from .run import Run

Batch = tuple[torch.Tensor, torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass
class Fit:
    """The loss and the optional parts of `fit`.

    Attributes
    ----------
    loss : callable
        From outputs and targets to the loss.
    penalty : callable, optional
        Returns a term that is added to the loss of each batch: L1, L2 or ADMM.
    after_step : callable, optional
        Called after each step of the optimizer.
    after_epoch : callable, optional
        Called with the number of finished epochs, before the checkpoint is written.
    schedule : torch.optim.lr_scheduler.LRScheduler, optional
        Stepped once per batch.
    measure : callable, optional
        Called after each epoch; returns numbers for the curves.
    progress : callable, optional
        Called after each epoch instead of the run's `progress`.
    """

    loss: Loss = torch.nn.functional.cross_entropy
    penalty: Callable[[], torch.Tensor] | None = None
    after_step: Callable[[], None] | None = None
    after_epoch: Callable[[int], None] | None = None
    schedule: Any = None
    measure: Callable[[], dict[str, float]] | None = None
    progress: Progress | None = None


def fit(
    model: torch.nn.Module,
    batches: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    epochs: int,
    *,
    stage: str = "train",
    run: Run | None = None,
    seed: int = 0,
    extras: dict[str, Any] | None = None,
    **parts: Any,
) -> None:
    """Train a model for some epochs, or continue where an earlier run stopped.

    Each epoch seeds torch with `seed`, the stage and the number of the epoch, so an interrupted
    run ends with the same weights as an uninterrupted one.

    If the model is in training mode, the mode of its modules is kept: a batch norm in evaluation
    mode stays there. If it is in evaluation mode, the whole model is put into training mode. On
    return, and after an exception, every module has its original mode.

    Parameters
    ----------
    model : torch.nn.Module
        If there is a checkpoint, the model must be parametrized as it was for the checkpoint.
    batches : iterable of (torch.Tensor, torch.Tensor)
        Inputs and targets. It is iterated over once per epoch, so it must be a list or a
        `torch.utils.data.DataLoader`, not a generator.
    optimizer : torch.optim.Optimizer
    epochs : int
        The total number of epochs, those before a checkpoint included.
    stage : str
        Names the checkpoint and the rows of the curves.
    run : Run, optional
        Keeps curves and, after each epoch, a checkpoint.
    seed : int
    extras : dict of str, optional
        Further objects with ``state_dict`` and ``load_state_dict``, for the checkpoint.
    parts
        The attributes of `Fit`.

    Raises
    ------
    ValueError
        If the checkpoint has other parts, or an epoch has no batches. The rows and the
        checkpoint of earlier epochs are kept.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Linear(1, 2)
    >>> data = [(torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))]
    >>> fit(model, data, torch.optim.SGD(model.parameters(), 1.0), 100)
    >>> accuracy(model, *data[0])
    1.0
    """
    parts_of = Fit(**parts)
    states = {"model": model, "optimizer": optimizer, **(extras or {})}
    if parts_of.schedule is not None:
        states["schedule"] = parts_of.schedule
    progress = parts_of.progress or (None if run is None else run.progress)
    with modes_kept(model):
        done = _restore(run, stage, states)
        if not model.training:
            model.train()
        modes = Modes(model)
        for epoch in range(done + 1, epochs + 1):
            torch.manual_seed(zlib.crc32(f"{seed} {stage} {epoch}".encode()))
            found = {"loss": _epoch(model, batches, optimizer, parts_of, epoch)}
            if model.training:
                modes = Modes(model)  # an epoch may have frozen modules
            if parts_of.after_epoch is not None:
                parts_of.after_epoch(epoch)
            if parts_of.measure is not None:
                with modes_kept(model):  # many measures end with model.train()
                    found.update(parts_of.measure())
            if run is not None:
                run.log(stage, epoch, **found)
                kept = {name: part.state_dict() for name, part in states.items()}
                run.save(stage, {"epoch": epoch, **kept})
            if progress is not None:
                progress(stage, epoch, epochs, found)
            if not model.training:  # `after_epoch` may have changed it
                modes.restore()


def accuracy(
    model: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor, batch: int = 1000
) -> float:
    """The fraction of inputs whose largest output is that of their target.

    Parameters
    ----------
    model : torch.nn.Module
        Evaluated in evaluation mode; its modes are restored.
    inputs, targets : torch.Tensor
        Inputs, and one class number for each.
    batch : int
        Number of inputs per forward pass.

    Returns
    -------
    float
        0 to 1; 0 without inputs.
    """
    with evaluating(model), torch.no_grad():
        right = sum(
            int((model(some).argmax(1) == wanted).sum())
            for some, wanted in zip(inputs.split(batch), targets.split(batch), strict=True)
        )
    return right / max(len(inputs), 1)


def _restore(run: Run | None, stage: str, states: dict[str, Any]) -> int:
    """Load the checkpoint of a stage into all states. Returns its number of epochs, or 0."""
    checkpoint = None if run is None else run.restore(stage)
    if checkpoint is None:
        return 0
    if checkpoint.keys() != {"epoch", *states}:
        raise ValueError(
            f"checkpoint {stage!r}: found {sorted(checkpoint)}, "
            f"allowed are {sorted({'epoch', *states})}"
        )
    before = {name: copy.deepcopy(part.state_dict()) for name, part in states.items()}
    try:
        for name, part in states.items():
            part.load_state_dict(checkpoint[name])
    except BaseException:
        for name, part in states.items():
            part.load_state_dict(before[name])
        raise
    return int(checkpoint["epoch"])


def _epoch(
    model: torch.nn.Module,
    batches: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    parts: Fit,
    epoch: int,
) -> float:
    """Train on all batches. Returns the mean loss, penalties included."""
    total, count = 0.0, 0
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss = parts.loss(model(inputs), targets)
        if parts.penalty is not None:
            loss = loss + parts.penalty()
        loss.backward()
        optimizer.step()
        if parts.after_step is not None:
            parts.after_step()
        if parts.schedule is not None:
            parts.schedule.step()
        total, count = total + float(loss.detach()) * len(inputs), count + len(inputs)
    if count == 0:
        raise ValueError(
            f"batches: found none in epoch {epoch}, allowed is an iterable for several passes: a "
            "list or a DataLoader, but not a generator"
        )
    return total / count
