"""Low-rank adapters: what is trained beside a frozen net."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .training import repeatable, train

if TYPE_CHECKING:
    import torch

RANK, _SCALE = 8, 2.0


def trained(
    net: torch.nn.Module,
    weights: dict[str, Any],
    batch: Callable[[np.random.Generator], Any],
    steps: int,
) -> dict[str, Any]:
    """The factors of each layer's matrices, named as PEFT names them.

    Parameters
    ----------
    net : torch.nn.Module
    weights : dict of str to ndarray
        Of the net; they do not change.
    batch : callable
        As for `train`.
    steps : int
    """
    import torch
    from torch import nn
    from torch.nn.utils import parametrize

    class Adapted(nn.Module):
        def __init__(self, rows: int, columns: int) -> None:
            super().__init__()
            self.lora_A = nn.Parameter(torch.empty(RANK, columns))
            self.lora_B = nn.Parameter(torch.zeros(rows, RANK))
            nn.init.kaiming_uniform_(self.lora_A, a=5**0.5)

        def forward(self, weight: torch.Tensor) -> torch.Tensor:
            return weight + _SCALE * self.lora_B @ self.lora_A

    found = {}
    with repeatable():
        net.load_state_dict({name: torch.from_numpy(a.copy()) for name, a in weights.items()})
        net.requires_grad_(False)
        adapters = {}
        for name, parameter in list(net.named_parameters()):
            if parameter.ndim == 2 and name.startswith("layers."):
                layer, _, last = name.rpartition(".")
                adapter = adapters[name.removesuffix(".weight")] = Adapted(*parameter.shape)
                parametrize.register_parametrization(net.get_submodule(layer), last, adapter)
        train(net, batch, steps)
        for name, adapter in adapters.items():
            for factor in ("lora_A", "lora_B"):
                array = getattr(adapter, factor).detach().numpy().copy()
                found[f"base_model.model.{name}.{factor}.weight"] = array
    return found
