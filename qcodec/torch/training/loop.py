"""A plain training loop for the recipes; the methods work in anybody's own as well."""

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
    """What `fit` does beside descending the loss; every part may be left out.

    Attributes
    ----------
    loss : callable
        From outputs and targets.
    penalty : callable, optional
        Added to the loss of each batch: L1, L2, that of ADMM.
    after_step : callable, optional
        Called after each step of the optimizer.
    after_epoch : callable, optional
        Called with the number of epochs done, before the checkpoint is written.
    schedule : torch.optim.lr_scheduler.LRScheduler, optional
        Stepped once a batch.
    measure : callable, optional
        Called after each epoch; what it returns stands in the curves.
    progress : callable, optional
        Instead of the run's.
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
    """Train a model for some epochs, going on where an earlier run stopped.

    Each epoch seeds torch by `seed`, the stage and its number, so that a run that was
    interrupted ends with the same weights as one that was not.

    A model in training mode trains as it is: a batch norm that was put into evaluation mode
    stays there. A model in evaluation mode is put into training mode as a whole. At the end,
    and after an exception, every module is in the mode in which it was given.

    Parameters
    ----------
    model : torch.nn.Module
        Parametrized as it was when the checkpoint was written, if there is one.
    batches : iterable of (torch.Tensor, torch.Tensor)
        Inputs and targets; gone through once an epoch, so that it must be a list or a
        `torch.utils.data.DataLoader` rather than a generator.
    optimizer : torch.optim.Optimizer
    epochs : int
    stage : str
        Names the checkpoint and the rows of the curves.
    run : Run, optional
        Keeps curves and, after each epoch, a checkpoint.
    seed : int
    extras : dict of str, optional
        More that has ``state_dict`` and ``load_state_dict``, for the checkpoint.
    parts
        The attributes of `Fit`.

    Raises
    ------
    ValueError
        If the checkpoint is of other parts, or an epoch has no batches. Earlier epochs, their
        rows and their checkpoint stay.

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
                modes = Modes(model)  # a loop may freeze modules as it goes on
            if parts_of.after_epoch is not None:
                parts_of.after_epoch(epoch)
            if parts_of.measure is not None:
                with modes_kept(model):  # many end with model.train()
                    found.update(parts_of.measure())
            if run is not None:
                run.log(stage, epoch, **found)
                kept = {name: part.state_dict() for name, part in states.items()}
                run.save(stage, {"epoch": epoch, **kept})
            if progress is not None:
                progress(stage, epoch, epochs, found)
            if not model.training:  # as `after_epoch` may have left it
                modes.restore()


def accuracy(
    model: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor, batch: int = 1000
) -> float:
    """The share of inputs whose greatest output is their target.

    Parameters
    ----------
    model : torch.nn.Module
        Put into evaluation mode while it is measured.
    inputs, targets : torch.Tensor
        Any number of inputs, and as many class numbers.
    batch : int
        Inputs that are computed at once.
    """
    with evaluating(model), torch.no_grad():
        right = sum(
            int((model(some).argmax(1) == wanted).sum())
            for some, wanted in zip(inputs.split(batch), targets.split(batch), strict=True)
        )
    return right / max(len(inputs), 1)


def _restore(run: Run | None, stage: str, states: dict[str, Any]) -> int:
    """Put a checkpoint into everything that it is of; the epochs that it has seen."""
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
    """One pass over the batches; the mean loss, penalties included."""
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
            f"batches: found none in epoch {epoch}, allowed is what can be gone through once an "
            "epoch: a list or a DataLoader, but no generator"
        )
    return total / count
