"""The layers of a model: its convolutions and dense layers."""

from __future__ import annotations

import torch

from ..errors import warn_caller
from .tensors import Place, places

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
# Their matrices are meant to stay as they are: an embedding is a table, a norm scales.
_OTHERS = (
    _ATTENTION,  # what is left: biases of keys and values
    torch.nn.Embedding,
    torch.nn.EmbeddingBag,
    torch.nn.LayerNorm,
    torch.nn.RMSNorm,
    torch.nn.GroupNorm,
    torch.nn.modules.batchnorm._NormBase,
)


def layers(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """Convolutions and dense layers by their names, in the order in which the model holds them.

    Parameters
    ----------
    model : torch.nn.Module
        The ``Conv1D`` of transformers is a dense layer, too. Names are those of the model
        before `torch.compile`.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    >>> list(layers(model))
    ['0', '2']
    """
    return {plain_name(path): one for path, one in model.named_modules() if _is_layer(path, one)}


def plain_name(path: str) -> str:
    """A module's name as it is without `torch.compile`, which wraps modules.

    Examples
    --------
    >>> plain_name("_orig_mod.body._orig_mod.0")
    'body.0'
    """
    return ".".join(part for part in path.split(".") if part != "_orig_mod")


def weight_places(model: torch.nn.Module) -> list[Place]:
    """Where the weights of all layers are, and the projections of attentions, in their order.

    A `QCodecWarning` names the matrices that are left out: those of modules that are neither
    layers, attentions, embeddings nor norms.

    Raises
    ------
    ValueError
        If the model has none.
    """
    found: dict[tuple[int, str], Place] = {}
    left_out: dict[tuple[int, str], str] = {}
    known = set(layers(model).values())
    for place in places(model):
        module, attribute = place.module, place.attribute
        is_attention = isinstance(module, _ATTENTION) and attribute in _PROJECTIONS
        if is_attention or (module in known and attribute == "weight"):
            found.setdefault((id(module), attribute), place)
        elif module not in known and not isinstance(module, _OTHERS) and _is_matrix(place):
            left_out.setdefault((id(module), attribute), place.name)
    if left_out:
        names = ", ".join(left_out.values())
        warn_caller(f"{names}: left out, as no weights of layers; rules can name them")
    if not found:
        raise ValueError("found no convolution, dense layer or attention; rules can name others")
    return list(found.values())


def _is_layer(path: str, module: torch.nn.Module) -> bool:
    if "parametrizations" in path.split("."):  # what computes a weight is no layer
        return False
    if isinstance(module, _LAYERS):
        return True
    # By name, as transformers need not be there; it is a base where a weight is parametrized.
    is_named = any(base.__name__ == "Conv1D" for base in type(module).__mro__)
    return is_named and getattr(getattr(module, "weight", None), "ndim", 0) == 2


def _is_matrix(place: Place) -> bool:
    """If it is a parameter of two dimensions or more."""
    if place.attribute in place.module._buffers:
        return False
    with torch.no_grad():
        return bool(getattr(place.module, place.attribute).ndim >= 2)
