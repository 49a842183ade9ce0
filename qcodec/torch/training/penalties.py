"""Penalties on the weights that a model computes with, to add to its loss.

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
        Keys are regular expressions that are searched for in plain names; the first match
        applies. The gradient of a weight is its sign times the strength. Masked weights are
        zero and cost nothing.

    Returns
    -------
    callable
        Takes no arguments; for ``penalty`` of `qcodec.torch.fit`, or any other loop. It applies
        parametrizations that are registered later too.

    Raises
    ------
    TypeError, ValueError
        If a pattern matches no parameter, or a strength is not a finite number of at least 0.

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
        As for `l1`. With plain SGD this equals ``weight_decay``, but the strength is per tensor,
        and the penalty is on the weights that the model computes with.

    Returns
    -------
    callable
        As by `l1`.

    Raises
    ------
    TypeError, ValueError
        If a pattern matches no parameter, or a strength is not a finite number of at least 0.

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
