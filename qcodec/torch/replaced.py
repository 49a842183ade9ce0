"""Parameters that a method replaced, and optimizers that still hold them.

An optimizer keeps the parameters that it was made with. A replaced parameter is no longer in the
model, so training would silently have no effect.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .._base.messages import quoted

_NOTE = "_qcodec_replaced"
_hooks: list[Any] = []


def mark_replaced(parameter: torch.Tensor, name: str, method: str) -> None:
    """Make every optimizer that holds a parameter raise an error at its next step.

    Parameters
    ----------
    parameter : torch.nn.Parameter
        It keeps its values. Its gradient, which has no use any more, is cleared.
    name : str
        Name of the tensor.
    method : str
        Name of the method that replaced the parameter.
    """
    setattr(parameter, _NOTE, f"{quoted(name)} was replaced by {method}")
    parameter.grad = None
    if not _hooks:
        _hooks.append(register_optimizer_step_pre_hook(_refuse))


def _refuse(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            note = getattr(parameter, _NOTE, None)
            if note is not None:
                raise RuntimeError(
                    f"the parameter of {note}, but this optimizer, {type(optimizer).__name__}, "
                    "holds the old one: make a new optimizer"
                )
