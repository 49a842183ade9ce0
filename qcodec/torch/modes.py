"""Run a model and restore its state: the mode of each module, and compiled code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch


class Modes:
    """The mode of each module of a model, training or evaluation.

    A model has no single mode: fine-tuning often keeps batch norms in evaluation mode inside a
    model that trains.

    Parameters
    ----------
    model : torch.nn.Module

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2).eval())
    >>> modes = Modes(model)
    >>> _ = model.eval()
    >>> modes.restore()
    >>> [module.training for module in model.modules()]
    [True, True, False]
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self._found = [(module, module.training) for module in model.modules()]

    def restore(self) -> None:
        """Restore the mode of each module."""
        # By `train`, parents first: classes override it (LoRA merges its weights there).
        for module, was_training in self._found:
            if module.training != was_training:
                module.train(was_training)
        # `train` of one module may have changed another that was right already.
        for module, was_training in self._found:
            if module.training != was_training:
                module.training = was_training


@contextmanager
def modes_kept(*models: torch.nn.Module) -> Iterator[None]:
    """Restore the mode of each module on exit, also after an exception."""
    found = [Modes(model) for model in models]
    try:
        yield
    finally:
        for modes in found:
            modes.restore()


@contextmanager
def evaluating(*models: torch.nn.Module) -> Iterator[None]:
    """Put models into evaluation mode, and restore the mode of each module on exit."""
    with modes_kept(*models):
        for model in models:
            model.eval()
        yield


def run_batches(
    model: torch.nn.Module,
    batches: Iterable[torch.Tensor],
    take: Callable[[torch.Tensor], object] = lambda _: None,
) -> None:
    """Call a model with batches of inputs, in evaluation mode and without gradients.

    Parameters
    ----------
    model : torch.nn.Module
        Compiled models run uncompiled, so newly registered hooks are called.
    batches : iterable of torch.Tensor
    take : callable
        Called with each output.

    Raises
    ------
    TypeError
        If a batch is not a tensor.
    ValueError
        If a parameter has no shape yet (a lazy layer): the call would set it.
    """
    for name, parameter in model.named_parameters():
        if torch.nn.parameter.is_lazy(parameter):
            raise ValueError(
                f"{name}: found no shape yet (a lazy layer), allowed is a model that was called "
                "before"
            )
    with evaluating(model), _eagerly(), torch.no_grad():
        for inputs in batches:
            if not isinstance(inputs, torch.Tensor):
                raise TypeError(
                    f"batches: found a {type(inputs).__name__}, allowed are input tensors, "
                    "without targets"
                )
            take(model(inputs))


def forget_compiled_code() -> None:
    """Make `torch.compile` compile every model again.

    Compiled code has no guards against hooks and parametrizations that are added later. Without
    this reset, a compiled model would continue to compute as before the change.
    """
    if "torch._dynamo" in sys.modules:  # otherwise nothing has been compiled
        torch.compiler.reset()


@contextmanager
def _eagerly() -> Iterator[None]:
    """Run compiled models as plain Python."""
    if "torch._dynamo" not in sys.modules:
        yield
    elif hasattr(torch.compiler, "set_stance"):  # torch 2.6
        with torch.compiler.set_stance("force_eager"):
            yield
    else:
        forget_compiled_code()
        try:
            yield
        finally:
            forget_compiled_code()
