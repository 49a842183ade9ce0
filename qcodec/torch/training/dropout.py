"""Dropout for pruned layers: a sparse layer overfits less, so it needs less dropout.

Han, Pool, Tran and Dally 2015 (arXiv 1506.02626), section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from ..._base.checks import check_number
from ..layers import plain_modules
from ..tensors import matching, places


def dropout_after_pruning(rate: float, density: float) -> float:
    """The dropout rate after pruning: D_r = D_o * sqrt(C_ir / C_io).

    The root is there because connections grow with the square of neurons.

    Parameters
    ----------
    rate : float
        D_o, the rate for the dense net.
    density : float
        C_ir / C_io: the fraction of the layer's N_i * N_(i-1) connections that is left.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number from 0 to 1.

    Examples
    --------
    >>> dropout_after_pruning(0.5, 0.25)
    0.25
    """
    check_number("rate", rate, 0, maximum=1)
    check_number("density", density, 0, maximum=1)
    return rate * math.sqrt(density)


class AdjustedDropout:
    """Adjusts the rates of dropout modules to the densities of the layers before them.

    A dropout after layer i drops outputs of its N_i neurons, so its rate follows that layer's
    connections. Each rate is computed from the module's initial rate, so repeated pruning does
    not compound.

    Parameters
    ----------
    model : torch.nn.Module
    layers : mapping of str to str
        From names of dropout modules to regular expressions for the plain name of the weight
        whose outputs they drop.

    Raises
    ------
    ValueError
        If a module is not a dropout, or a pattern does not match exactly one weight.

    Examples
    --------
    >>> import torch, qcodec
    >>> from qcodec.torch import prune
    >>> model = torch.nn.Sequential(torch.nn.Linear(20, 20), torch.nn.Dropout(0.5))
    >>> dropout = AdjustedDropout(model, {"1": "0.weight"})
    >>> prune(model, {"0.weight": qcodec.Density(0.25)})
    >>> dropout.update()
    {'1': 0.25}
    """

    def __init__(self, model: torch.nn.Module, layers: Mapping[str, str]) -> None:
        self.model = model
        self.rates: dict[str, float] = {}
        self.weights: dict[str, str] = {}
        modules = self._modules()
        for name, pattern in layers.items():
            module = modules.get(name)
            if not isinstance(module, torch.nn.modules.dropout._DropoutNd):
                raise ValueError(f"{name!r}: found {type(module).__name__}, allowed are dropouts")
            weights = [place.name for place, _ in matching(model, {pattern: True})]
            if len(weights) > 1:
                raise ValueError(f"{pattern!r}: found {', '.join(weights)}, allowed is one weight")
            self.rates[name], self.weights[name] = module.p, weights[0]

    def update(self) -> dict[str, float]:
        """Set the rates for the layers' present densities. Returns them by module name.

        Raises
        ------
        ValueError
            If a module or a weight no longer exists. No rate has changed then.
        """
        modules = self._modules()
        values = {place.name: place for place in places(self.model)}
        found = {}
        for name, rate in self.rates.items():
            tensor = self.weights[name]
            if name not in modules or tensor not in values:
                raise ValueError(f"found no {name!r} with {tensor!r} in the model any more")
            weight = values[tensor].value
            density = int(weight.count_nonzero()) / max(weight.numel(), 1)
            found[name] = dropout_after_pruning(rate, density)
        for name, rate in found.items():
            modules[name].p = rate
        return found

    def _modules(self) -> dict[str, torch.nn.Module]:
        return dict(plain_modules(self.model))
