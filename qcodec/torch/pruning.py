"""Magnitude pruning: masks that training cannot undo.

Han, Pool, Tran and Dally 2015 (arXiv 1506.02626), sections 3 and 3.1; Deep Compression
(arXiv 1510.00149), section 2.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..codecs.pruning import PRUNINGS, Pruning, Quality
from ..errors import naming
from .changes import Change, check, commit
from .rules import check_rule
from .sharded import whole
from .tensors import Place, matching, places


def prune(model: torch.nn.Module, rules: Mapping[str, Pruning]) -> None:
    """Mask the weights of a model that rules do not keep.

    Further calls prune further: pruned weights stay pruned. Masked weights have zero gradients,
    and the model does not see changes of them by an optimizer's momentum or weight decay. The
    parameters stay the same objects, so an existing optimizer continues to work.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor is parametrized by `Compressed`.
    rules : mapping of str to Pruning
        Keys are regular expressions that are searched for in plain names such as
        ``conv1.weight``. Values are `Density`, `Quality` (a multiple of the standard deviation,
        as in the papers), `Threshold` or `NOfM`. They apply to the weights that the model
        computes with. `Quality` uses the deviation of the weights that are not masked yet.

    Raises
    ------
    TypeError
        If a rule is not a pruning, or the type of a parameter cannot be pruned.
    ValueError
        If a rule matches no parameter, a weight is NaN or infinite, or `docs/training.md` lists
        a tensor as refused. Nothing is changed then.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(10, 10)
    >>> prune(model, {"weight": qcodec.Density(0.2)})
    >>> densities(model)
    {'weight': 0.2}
    """
    chosen = matching(model, rules)
    for place, pruning in chosen:
        check_rule(place.name, pruning, *PRUNINGS.values(), Pruning)
    check(model, [place for place, _ in chosen])
    commit((Change(place, mask=_mask(place, it)) for place, it in chosen), "prune")


def densities(model: torch.nn.Module) -> dict[str, float]:
    """The fraction of weights that a file stores, for each tensor that may leave some out.

    Parameters
    ----------
    model : torch.nn.Module

    Returns
    -------
    dict of str to float
        By plain name. Masked weights and zeros of latent or ternary tensors are not stored.
        1 for a tensor without elements.
    """
    found = {}
    for place in places(model):
        compressed = place.compressed
        with naming(place.name):
            kept = None if compressed is None else compressed.kept(whole(place.original))
        if kept is not None:
            density = int(kept.sum()) / kept.numel() if kept.numel() else 1.0
            found.update(dict.fromkeys(place.names, density))
    return found


def _mask(place: Place, pruning: Pruning) -> torch.Tensor:
    """The mask of a rule; `Quality` sees only weights that are not masked yet."""
    weight, compressed = place.value.cpu(), place.compressed
    before = None if compressed is None or compressed.mask is None else compressed.mask.cpu()
    with naming(place.name):
        if before is None or not isinstance(pruning, Quality):
            return torch.from_numpy(pruning.mask(weight))
        mask = torch.zeros_like(before)
        mask[before] = torch.from_numpy(pruning.mask(weight[before]))
        return mask
