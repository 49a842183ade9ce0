"""Units that do nothing: pruning leaves some that feed nothing, or that nothing feeds."""

from __future__ import annotations

import re
from typing import Any

import torch

from ..prunings import Threshold
from ..units import Layers, zeroed
from .pruning import prune
from .tensors import places


def prune_idle(model: torch.nn.Module, layers: Layers, **options: Any) -> None:
    """Mask the weights of units that do nothing, and make their biases 0; the output is the same.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place. What is constant goes into the biases of the next layer. Biases are
        not masked: as nothing depends on those of idle units, no gradient moves them.
    layers : sequence of (str, str or None)
        Plain names of the weight and the bias of each layer, as `qcodec.units.zeroed` takes them.
    options
        Its ``activation`` and ``padded``.

    Raises
    ------
    ValueError
        If shapes do not follow one another.

    Examples
    --------
    >>> import torch, qcodec
    >>> from qcodec.torch import densities, prune
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    >>> _ = model[2].weight.data.copy_(torch.tensor([[0.0, 1.0]]))
    >>> prune_idle(model, [("0.weight", "0.bias"), ("2.weight", "2.bias")])
    >>> densities(model), float(model[0].bias[0].detach())
    ({'0.weight': 0.5, '2.weight': 0.5}, 0.0)
    """
    weights = {weight for weight, _ in layers}
    named = weights | {bias for _, bias in layers if bias is not None}
    found = {place.name: place for place in places(model) if place.name in named}
    tensors = {name: place.value.cpu().numpy() for name, place in found.items()}
    for name, array in zeroed(tensors, layers, **options).items():
        with torch.no_grad():
            found[name].original.copy_(torch.from_numpy(array))
    prune(model, {f"^{re.escape(name)}$": Threshold(0) for name in weights})
