"""One price of a bit while a net is trained: weights that are not worth their bits go.

Entropy-constrained quantization (Chou, Lookabaugh and Gray 1989) says which weights a file would
store at a price. Raised step by step with training in between, as densities are in the papers
(Han, Pool, Tran and Dally 2015, section 3.3), the price prunes all layers at once: a weight
stays where it is large, and where others stand in its row and column, as its position costs
less there.
"""

from __future__ import annotations

import torch

from ..codecs import Sparse
from ..files import RecipeLike
from ..rate_distortion import at_price
from .pruning import keep
from .sharing import share
from .tensors import once, plain_tensors


def prune_at_price(model: torch.nn.Module, recipe: RecipeLike, price: float) -> None:
    """Mask the weights that a file would not store, if a bit had this price.

    Those that stay are not quantized. Called again, it prunes further: what was pruned stays so.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor that is priced is parametrized by a `Mask`.
    recipe : Recipe, Codec or mapping of str to Codec
        As for `qcodec.rate_distortion.at_price`; what is priced are tensors that it gives
        `Sparse` of `Codebook` or `Affine`.
    price : float
        Of a bit, in squared error.

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
    tensors = plain_tensors(model)
    priced = at_price(tensors, recipe, price)
    for place in once(model):
        weight = place.value
        codec = priced.codec_for(place.name, tuple(weight.shape), place.dtype)
        if isinstance(codec, Sparse):
            keep(place, torch.from_numpy(codec.quantize(weight).mask))


def share_at_price(model: torch.nn.Module, recipe: RecipeLike, price: float) -> None:
    """Let weights share values as they would in a file, if a bit had this price.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, as by `share`.
    recipe : Recipe, Codec or mapping of str to Codec
        As for `qcodec.rate_distortion.at_price`, of codecs that `share` takes.
    price : float
        Of a bit, in squared error.

    Raises
    ------
    TypeError, ValueError
        As by `share`; ValueError if the price is negative.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(100, 100)
    >>> share_at_price(model, {"weight": qcodec.Sparse(qcodec.Codebook(4))}, 3e-4)
    >>> len(model.weight.unique()) < 10
    True
    """
    share(model, at_price(plain_tensors(model), recipe, price))
