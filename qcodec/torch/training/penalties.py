"""Penalties on the weights that a model sees, to be added to its loss.

Han, Pool, Tran and Dally 2015 (arXiv 1506.02626), section 3.1: L1 leaves more weights near zero
before pruning, L2 gives better ones after retraining.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from ..._base.checks import check_number
from ...errors import naming
from ..tensors import matching, seen

Penalty = Callable[[], torch.Tensor]


def l1(model: torch.nn.Module, strengths: Mapping[str, float]) -> Penalty:
    """The sum of magnitudes, times a strength for each tensor.

    Parameters
    ----------
    model : torch.nn.Module
    strengths : mapping of str to float
        By regular expression, searched for in plain names; the first that matches. The
        gradient of a weight is its sign times this. Masked weights are zero and cost nothing.

    Returns
    -------
    callable
        Without arguments; for `qcodec.torch.fit`'s ``penalty``, or one's own loop. It sees
        parametrizations that are registered later, too.

    Raises
    ------
    TypeError, ValueError
        If a pattern finds no parameter, or a strength is no finite number of at least 0.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> _ = torch.nn.init.constant_(model.weight, -3.0)
    >>> l1(model, {"weight": 0.5})()
    tensor(3., grad_fn=<AddBackward0>)
    """
    return _penalty(model, strengths, torch.abs)


def l2(model: torch.nn.Module, strengths: Mapping[str, float]) -> Penalty:
    """Half the sum of squares, times a strength for each tensor: the gradient is strength * w.

    Parameters
    ----------
    model, strengths
        As for `l1`. With plain SGD it is what ``weight_decay`` does, but for each tensor by
        itself and only for weights that are seen.

    Returns
    -------
    callable

    Raises
    ------
    TypeError, ValueError
        If a pattern finds no parameter, or a strength is no finite number of at least 0.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> _ = torch.nn.init.constant_(model.weight, -3.0)
    >>> l2(model, {"weight": 0.5})()
    tensor(4.5000, grad_fn=<AddBackward0>)
    """
    return _penalty(model, strengths, lambda weight: weight.square() / 2)


def _penalty(
    model: torch.nn.Module,
    strengths: Mapping[str, float],
    cost: Callable[[torch.Tensor], torch.Tensor],
) -> Penalty:
    found = matching(model, strengths)
    for place, strength in found:
        with naming(place.name):
            check_number("strength", strength, 0)

    def penalty() -> torch.Tensor:
        total = torch.zeros((), device=found[0][0].original.device)
        for place, strength in found:
            total = total + strength * cost(seen(place)).sum()
        return total

    return penalty
