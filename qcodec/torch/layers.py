"""The layers of a model: its convolutions and dense layers."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ..errors import warn_caller
from .tensors import Place, parameter_places, unwrapped

_LAYERS = (
    torch.nn.Linear,
    torch.nn.Conv1d,
    torch.nn.Conv2d,
    torch.nn.Conv3d,
    torch.nn.ConvTranspose1d,
    torch.nn.ConvTranspose2d,
    torch.nn.ConvTranspose3d,
)
_ATTENTION = torch.nn.MultiheadAttention
_PROJECTIONS = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
# Matrices of these are left out without a warning: an embedding is a table, a norm scales.
_OTHERS = (
    _ATTENTION,  # all except the projections: biases of keys and values
    torch.nn.Embedding,
    torch.nn.EmbeddingBag,
    torch.nn.LayerNorm,
    torch.nn.RMSNorm,
    torch.nn.GroupNorm,
    torch.nn.modules.batchnorm._NormBase,
)


def layers(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """Convolutions and dense layers by name, in the order of the model.

    Parameters
    ----------
    model : torch.nn.Module
        The ``Conv1D`` of transformers counts as a dense layer. Names are those of the model
        inside `torch.compile` and DistributedDataParallel.

    Returns
    -------
    dict of str to torch.nn.Module

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    >>> list(layers(model))
    ['0', '2']
    """
    return {name: module for name, module in plain_modules(model) if _is_layer(module)}


def plain_modules(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module]]:
    """All modules with their names outside wrappers, without parametrizations."""
    for path, module in unwrapped(model).named_modules():
        parts = [part for part in path.split(".") if part not in ("", "_orig_mod")]
        if "parametrizations" not in parts:  # these compute weights and are not layers
            yield ".".join(parts), module


def weight_places(model: torch.nn.Module) -> list[Place]:
    """The weights of all layers and the projections of attentions, in the order of the model.

    A `QCodecWarning` names the matrices that are left out: matrices of modules other than
    layers, attentions, embeddings and norms.

    Raises
    ------
    ValueError
        If the model has neither layers nor attentions.
    """
    found, left_out = [], []
    for place in parameter_places(model):
        if any(_is_weight(module, attribute) for module, attribute in place.homes):
            found.append(place)
        elif not any(_is_known(module) for module, _ in place.homes) and _is_matrix(place):
            left_out.append(place.name)
    if left_out:
        names = ", ".join(left_out)
        warn_caller(f"{names}: left out, as they are no weights of layers; rules can name them")
    if not found:
        raise ValueError("found no convolution, dense layer or attention; rules can name others")
    return found


def _is_layer(module: torch.nn.Module) -> bool:
    if isinstance(module, _LAYERS):
        return True
    # By name, since transformers may not be installed. All bases: parametrization adds a class.
    is_named = any(base.__name__ == "Conv1D" for base in type(module).__mro__)
    return is_named and getattr(getattr(module, "weight", None), "ndim", 0) == 2


def _is_weight(module: torch.nn.Module, attribute: str) -> bool:
    if isinstance(module, _ATTENTION):
        return attribute in _PROJECTIONS
    return attribute == "weight" and _is_layer(module)


def _is_known(module: torch.nn.Module) -> bool:
    return isinstance(module, _OTHERS) or _is_layer(module)


def _is_matrix(place: Place) -> bool:
    with torch.no_grad():
        return bool(getattr(place.module, place.attribute).ndim >= 2)
