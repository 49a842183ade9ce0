"""The layers of a model: its convolutions and dense layers."""

from __future__ import annotations

import torch

from .tensors import Place, parameter_places

_LAYERS = (
    torch.nn.Linear,
    torch.nn.Conv1d,
    torch.nn.Conv2d,
    torch.nn.Conv3d,
    torch.nn.ConvTranspose1d,
    torch.nn.ConvTranspose2d,
    torch.nn.ConvTranspose3d,
)


def layers(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """Convolutions and dense layers by their names, in the order in which the model holds them.

    Parameters
    ----------
    model : torch.nn.Module

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    >>> list(layers(model))
    ['0', '2']
    """
    return {name: module for name, module in model.named_modules() if isinstance(module, _LAYERS)}


def weight_places(model: torch.nn.Module) -> list[Place]:
    """Where the weights of all `layers` are, in their order."""
    wanted = {id(module) for module in layers(model).values()}
    return [
        place
        for place in parameter_places(model)
        if any(id(module) in wanted and attribute == "weight" for module, attribute in place.homes)
    ]
