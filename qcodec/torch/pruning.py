"""Magnitude pruning: masks that training cannot undo.

Han, Pool, Tran and Dally 2015 (arXiv 1506.02626), sections 3 and 3.1; Deep Compression
(arXiv 1510.00149), section 2.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..codecs import Lossless, Sparse
from ..prunings import Pruning, Quality
from ..quantized import Quantized
from .tensors import Place, matching, places


class Mask(torch.nn.Module):
    """A parametrization that keeps some weights and holds the others at zero.

    Gradients of what is masked are zero, and whatever an optimizer does to it by momentum
    or weight decay is not seen by the model.

    Parameters
    ----------
    mask : torch.Tensor of bool
        True where a weight is kept.

    Examples
    --------
    >>> import torch
    >>> Mask(torch.tensor([True, False]))(torch.tensor([3.0, 4.0]))
    tensor([3., 0.])
    """

    mask: torch.Tensor

    def __init__(self, mask: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """The weights that the model sees."""
        return torch.where(self.mask, original, 0)  # not a product: 0 and not -0 or NaN

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """What is assigned to the weight becomes the parameter as it is."""
        return weight

    def quantized(self, original: torch.Tensor) -> Quantized:
        """The weights as they are stored: those that are kept, bit for bit."""
        return Sparse(Lossless()).quantize(self.forward(original).detach())


def prune(model: torch.nn.Module, rules: Mapping[str, Pruning]) -> None:
    """Mask the weights of a model that a rule does not keep.

    Called again, it prunes further: what was pruned stays so. The parameters stay the same
    objects, so that an optimizer that has them goes on.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor is parametrized by a `Mask`.
    rules : mapping of str to Pruning
        By regular expression, searched for in plain names such as ``conv1.weight``:
        `Density`, `Quality` (a multiple of the standard deviation, as the papers do),
        `Threshold`, `NOfM`. They see the weights that the model sees; a `Quality` rule
        takes the deviation of those that are still there.

    Raises
    ------
    ValueError
        If a rule finds no parameter, or a weight is NaN or infinite.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(10, 10)
    >>> prune(model, {"weight": qcodec.Density(0.2)})
    >>> densities(model)
    {'weight': 0.2}
    """
    for place, pruning in matching(model, rules):
        _mask(place, pruning)


def densities(model: torch.nn.Module) -> dict[str, float]:
    """The part of each masked tensor that is kept.

    Parameters
    ----------
    model : torch.nn.Module

    Returns
    -------
    dict of str to float
        By plain name.
    """
    found = ((place.name, mask_of(place)) for place in places(model))
    return {
        name: int(mask.mask.sum()) / mask.mask.numel() for name, mask in found if mask is not None
    }


def mask_of(place: Place) -> Mask | None:
    """The mask of a tensor, if it has one."""
    masks = [one for one in place.parametrizations if isinstance(one, Mask)]
    return masks[-1] if masks else None


def keep(place: Place, mask: torch.Tensor) -> None:
    """Mask all of a tensor but some weights, of those that are left.

    Parameters
    ----------
    place : Place
    mask : torch.Tensor of bool
        On any device; what was masked before stays so, whatever it says there.
    """
    mask, before = mask.to(place.value.device), mask_of(place)
    if before is None:
        place.register(Mask(mask))
    else:
        before.mask.logical_and_(mask)


def _mask(place: Place, pruning: Pruning) -> None:
    weight, before = place.value.cpu(), mask_of(place)
    if before is not None and isinstance(pruning, Quality):
        kept = before.mask.cpu()
        mask = torch.zeros_like(kept)
        mask[kept] = torch.from_numpy(pruning.mask(weight[kept]))
    else:
        mask = torch.from_numpy(pruning.mask(weight))
    keep(place, mask)
