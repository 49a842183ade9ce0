"""Dead neurons: after pruning, some neurons have no inputs or no outputs left."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._base.layers import Layers
from .._base.messages import names_text, quoted
from ..dead_neurons import zeroed
from .changes import Change, check, check_finite, commit
from .latent import LatentValues
from .tensors import Place, places
from .ternary import TernaryValues


def prune_dead_neurons(model: torch.nn.Module, layers: Layers, **options: Any) -> None:
    """Mask the weights of dead neurons and set their biases to 0; the output stays the same.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place. The biases of the next layer take over constant outputs. Biases are
        not masked: nothing depends on the biases of dead neurons, so no gradient changes them.
    layers : sequence of (str, str or None)
        Plain names of the weight and the bias of each layer, as for
        `qcodec.dead_neurons.zeroed`.
    options
        ``activation`` and ``padded`` of `zeroed`.

    Raises
    ------
    TypeError
        If `layers` are not pairs of names.
    ValueError
        If there are no layers, the shapes of consecutive layers do not fit, the model lacks a
        tensor, a bias that must change is compressed, a tensor that must change is tied, a weight
        is a buffer or not finite, or `docs/training.md` lists a tensor as refused. Nothing is
        changed then.

    Examples
    --------
    >>> import torch, qcodec
    >>> from qcodec.torch import densities, prune
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    >>> _ = model[2].weight.data.copy_(torch.tensor([[0.0, 1.0]]))
    >>> prune_dead_neurons(model, [("0.weight", "0.bias"), ("2.weight", "2.bias")])
    >>> densities(model), float(model[0].bias[0].detach())
    ({'0.weight': 0.5, '2.weight': 0.5}, 0.0)
    """
    _check_layers(layers)
    weights = {weight for weight, _ in layers}
    biases = {bias for _, bias in layers if bias is not None}
    by_name = {name: place for place in places(model) for name in place.names}
    missing = sorted((weights | biases) - by_name.keys())
    if missing:
        raise ValueError(f"layers: found no tensors {names_text(missing)} in the model")
    found = {name: by_name[name] for name in sorted(weights | biases)}
    check(model, list(found.values()))
    tensors = {name: _array(place.value) for name, place in found.items()}
    for name, array in tensors.items():
        check_finite(name, torch.from_numpy(array))
    changes: list[Change] = []
    for name, array in zeroed(tensors, layers, **options).items():
        place, changed = found[name], not np.array_equal(array, tensors[name])
        if changed and len(place.names) > 1:
            raise ValueError(
                f"tensor {quoted(name)}: found dead neurons in a parameter that is also "
                f"{names_text(other for other in place.names if other != name)} (tied), where "
                "they may be alive"
            )
        if any(other.place is place for other in changes):
            continue
        if name in weights:
            _check_kind(place)
            changes.append(Change(place, mask=torch.from_numpy(array != 0)))
        elif changed and place.compressed is not None:
            raise ValueError(
                f"tensor {quoted(name)}: found a bias that is compressed, allowed is a plain one, "
                "which can take over constant outputs of dead neurons"
            )
        elif changed:
            changes.append(Change(place, content=torch.from_numpy(array)))
    commit(changes, "prune_dead_neurons")


def _check_kind(place: Place) -> None:
    """Refuse buffers, integers, and kinds of values that depend on all weights."""
    if not place.is_parameter:
        raise ValueError(f"tensor {quoted(place.name)}: found a buffer, allowed is a parameter")
    if not place.original.is_floating_point():
        raise TypeError(f"tensor {quoted(place.name)}: found {place.dtype}, allowed is a float")
    compressed = place.compressed
    if compressed is not None and isinstance(compressed.values, LatentValues | TernaryValues):
        raise ValueError(
            f"tensor {quoted(place.name)}: found {type(compressed.values).__name__}, which depend "
            "on the dropped weights too; call `prune_dead_neurons` before, or `share` first"
        )


def _array(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """An array of the tensor's own type, so no number changes; float32 for bfloat16."""
    wide = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    found: np.ndarray[Any, Any] = wide.cpu().numpy()
    return found


def _check_layers(layers: Layers) -> None:
    for layer in layers:
        is_pair = isinstance(layer, tuple | list) and len(layer) == 2
        if not is_pair or not isinstance(layer[0], str) or not isinstance(layer[1], str | None):
            raise TypeError(
                f"layers: found {layer!r}, allowed are pairs of a weight's name and a bias's name "
                "or None"
            )
    if not layers:
        raise ValueError("layers: found none, allowed is at least one")
