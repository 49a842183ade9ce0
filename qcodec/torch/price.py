"""Pruning by one price per bit: weights that are not worth their bits are masked.

Entropy-constrained quantization (Chou, Lookabaugh and Gray 1989) decides which weights a file
would store at a price. The price rises step by step with training in between, like densities in
the papers (Han, Pool, Tran and Dally 2015, section 3.3), and prunes all layers at once. A weight
stays if it is large, or if its row and column have other weights, because its position then
costs less.
"""

from __future__ import annotations

import torch

from ..codecs import Sparse
from ..errors import naming
from ..files import RecipeLike
from ..rate_distortion import at_price
from .assignments import named_tensors, to_share_at_price
from .changes import Change, check, commit
from .sharing import planned, weights_to_share
from .tensors import Place, parameter_places


def prune_at_price(model: torch.nn.Module, recipe: RecipeLike, price: float) -> None:
    """Mask the weights that a file would not store at this price per bit.

    The kept weights are not quantized. Further calls prune further: pruned weights stay pruned.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each priced tensor gets a mask.
    recipe : Recipe, Codec or mapping of str to Codec
        As for `qcodec.rate_distortion.at_price`. Tensors with `Sparse` of `Codebook` or `Affine`
        are priced.
    price : float
        Price of a bit, in squared error.

    Raises
    ------
    ValueError
        If the price is negative, or a weight is NaN or infinite.

    Examples
    --------
    >>> import torch, qcodec
    >>> from qcodec.torch import densities
    >>> model = torch.nn.Linear(100, 100)
    >>> for price in (1e-5, 1e-4, 3e-4):
    ...     prune_at_price(model, {"weight": qcodec.Sparse(qcodec.Codebook(4))}, price)
    ...     print(f"{densities(model)['weight']:.1f}")  # here some training would follow
    0.9
    0.8
    0.7
    """
    tensors = named_tensors(model, recipe, weight_of)
    priced = at_price(tensors, recipe, price)
    found = []
    for place in parameter_places(model):
        name = next(name for name in place.names if name in tensors)
        codec = priced.codec_for(name, tuple(tensors[name].shape), place.dtype)
        if isinstance(codec, Sparse):
            found.append((place, codec))
    if not found:
        raise ValueError("the recipe prices no parameter: it gives none of them a Sparse codec")
    check(model, [place for place, _ in found])
    commit((_priced(place, codec) for place, codec in found), "prune_at_price")


def share_at_price(model: torch.nn.Module, recipe: RecipeLike, price: float) -> None:
    """Let weights share values as they would in a file at this price per bit.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, as by `share`.
    recipe : Recipe, Codec or mapping of str to Codec
        As for `qcodec.rate_distortion.at_price`; `share` must accept its codecs.
    price : float
        Price of a bit, in squared error.

    Raises
    ------
    TypeError, ValueError
        As `share` does; ValueError if the price is negative.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(100, 100)
    >>> share_at_price(model, {"weight": qcodec.Sparse(qcodec.Codebook(4))}, 3e-4)
    >>> len(model.weight.unique()) < 10
    True
    """
    found = to_share_at_price(model, recipe, price, weights_to_share)
    commit((planned(place, codec) for place, codec in found), "share_at_price")


def weight_of(place: Place) -> torch.Tensor:
    """The weights that the model computes with."""
    return place.value


def _priced(place: Place, codec: Sparse) -> Change:
    with naming(place.name):
        return Change(place, mask=torch.from_numpy(codec.quantize(place.value.cpu()).mask))
