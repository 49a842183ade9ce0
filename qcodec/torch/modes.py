"""Running somebody's model and leaving no trace: the mode of each module, and compiled code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch


class Modes:
    """Which modules of a model are in training mode.

    A model has no mode of its own: fine-tuning keeps batch norms in evaluation mode inside a
    model that trains, so each module's mode is kept by itself.

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
        """Put each module into the mode that it had."""
        # By `train`, parents first, as classes override it (LoRA merges its weights there).
        for module, was_training in self._found:
            if module.training != was_training:
                module.train(was_training)
        # A later parent may have changed a child that was right already.
        for module, was_training in self._found:
            if module.training != was_training:
                module.training = was_training


@contextmanager
def modes_kept(*models: torch.nn.Module) -> Iterator[None]:
    """Restore the mode of each module at the end, also after an exception."""
    found = [Modes(model) for model in models]
    try:
        yield
    finally:
        for modes in found:
            modes.restore()


@contextmanager
def evaluating(*models: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode, and then the mode that each module had."""
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
        Hooks that were registered for this are called in compiled models, too.
    batches : iterable of torch.Tensor
    take : callable
        Given each output.

    Raises
    ------
    TypeError
        If a batch is no tensor.
    ValueError
        If a parameter's shape is not known yet: the call would decide it.
    """
    for name, parameter in model.named_parameters():
        if torch.nn.parameter.is_lazy(parameter):
            raise ValueError(f"{name}: found no shape yet, allowed are models called before")
    with evaluating(model), _eagerly(), torch.no_grad():
        for inputs in batches:
            if not isinstance(inputs, torch.Tensor):
                raise TypeError(
                    f"batches: found a {type(inputs).__name__}, allowed are tensors that the "
                    "model is called with, without targets"
                )
            take(model(inputs))


def forget_compiled_code() -> None:
    """Have `torch.compile` look at every model anew.

    Compiled code is not guarded against hooks and parametrizations that come later: without
    this, a model that was compiled before a method changed it goes on computing as before.
    """
    if "torch._dynamo" in sys.modules:  # if not, nothing has been compiled
        torch.compiler.reset()


@contextmanager
def _eagerly() -> Iterator[None]:
    """Compiled models run as they were written."""
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
