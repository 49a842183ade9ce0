"""Parameters that a method replaced, and optimizers that still hold them.

An optimizer goes on with the parameters that it was made with. One that a method replaced is not
in the model any more, so training would be dead without a word.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .._base.messages import quoted

_NOTE = "_qcodec_replaced"
_hooks: list[Any] = []


def mark_replaced(parameter: torch.Tensor, name: str, method: str) -> None:
    """Let every optimizer that holds a parameter raise at its next step.

    Parameters
    ----------
    parameter : torch.nn.Parameter
        Its values stay; its gradient, which nothing would use, goes.
    name : str
        Of the tensor.
    method : str
        What replaced it.
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
                    f"the parameter of {note}, and this optimizer, {type(optimizer).__name__}, "
                    "holds the old one: make the optimizer anew"
                )
