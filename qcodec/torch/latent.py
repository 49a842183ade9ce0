"""Weights that are trained behind shared values, so that they may change their assignments.

The model computes with shared values, and the gradients go to the weights behind them as they
are: the straight-through estimator (Bengio, Léonard and Courville 2013, arXiv 1308.3432; latent
weights, Courbariaux, Bengio and David 2015, arXiv 1511.00363).
"""

from __future__ import annotations

from typing import Any

import torch

from ..arrays import as_array
from ..codecs import Lossless, Raw
from ..files import RecipeLike
from ..quantized import Groups, Quantized
from ..rate_distortion import at_price
from ..recipes import as_recipe
from .sharing import check_shared, stored
from .tensors import Place, once, places

# Those of 8 bits, and 0 for what is not stored.
_CODES = 257


class _StraightThrough(torch.autograd.Function):
    """Some tensor instead of another, whose gradient passes."""

    @staticmethod
    def forward(_: Any, weight: torch.Tensor, instead: torch.Tensor) -> torch.Tensor:
        return instead.view_as(weight)

    @staticmethod
    def backward(_: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradient, None


class LatentWeights(torch.nn.Module):
    """A parametrization that gives each weight the mean of those that share its code.

    The parameter is the weights themselves. Gradients pass as if nothing were shared, also to
    weights that are not stored, so that these may come back with the next `assign`.

    Parameters
    ----------
    shape : tuple of int
        Of the weights.

    Examples
    --------
    >>> import torch, qcodec
    >>> latent = LatentWeights((4,))
    >>> latent.assign(qcodec.Sparse(qcodec.Codebook(1)).quantize(torch.tensor([1.0, 3, 0, 1])))
    >>> weights = torch.tensor([1.0, 3.0, 0.5, 2.0], requires_grad=True)
    >>> latent(weights)
    tensor([2., 2., 0., 2.], grad_fn=<_StraightThroughBackward>)
    """

    codes: torch.Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        # 0 is for what is not stored; of one size, whatever is assigned, for state dicts.
        self.register_buffer("codes", torch.zeros(shape, dtype=torch.int16))

    def assign(self, quantized: Quantized) -> None:
        """Take the codes of weights that were quantized, and what is stored.

        Parameters
        ----------
        quantized : Quantized
            Of kind codebook, without scales, with one codebook; its values do not matter.

        Raises
        ------
        ValueError
            If it is of another kind.
        """
        check_shared(quantized)
        codes = torch.from_numpy(quantized.codes).to(torch.int16) + 1
        if quantized.positions is None:
            self.codes.copy_(codes.view(self.codes.shape))
        else:
            positions = torch.from_numpy(quantized.positions).to(self.codes.device)
            self.codes.zero_().view(-1)[positions] = codes.to(self.codes.device)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The shared values; backward, as if these were the weights."""
        shared = self._means(weight)[self.codes.long()]
        passed: torch.Tensor = _StraightThrough.apply(weight, shared)
        return passed

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """What is assigned to the weight becomes the parameter as it is."""
        return weight

    def quantized(self, weight: torch.Tensor) -> Quantized:
        """The weights as they are stored, bit for bit what `forward` gives."""
        codes = self.codes.flatten().cpu()
        used, numbers = torch.unique(codes[codes > 0], return_inverse=True)
        book, element = as_array(torch.cat([weight.new_zeros(1), self._means(weight)[used.long()]]))
        return Quantized(
            tuple(self.codes.shape),
            element.name,
            "codebook",
            (numbers + 1).to(torch.uint8).numpy(),
            torch.nonzero(codes)[:, 0].numpy(),
            max(1, len(used).bit_length()),
            Groups(book[None]),
            codebook_dtype=element.name,
        )

    def _means(self, weight: torch.Tensor) -> torch.Tensor:
        """The values by code; 0 for what is not stored."""
        codes = self.codes.flatten().long()
        sums = torch.bincount(codes, weight.detach().flatten().double(), minlength=_CODES)
        counts = torch.bincount(codes, minlength=_CODES)
        sums[0] = 0
        return (sums / counts.clamp(min=1)).to(weight.dtype)


def share_latent(model: torch.nn.Module, recipe: RecipeLike) -> None:
    """Let weights take shared values while the weights behind them are trained.

    Called again it assigns anew, by the weights as they have become. That should be done every
    few steps: until then weights move without an effect of their own. `share` ends it: the
    values become the parameters.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor is parametrized by `LatentWeights`, behind a `Mask` if it
        has one. The parameters stay the same objects.
    recipe : Recipe, Codec or mapping of str to Codec
        As for `share`; with a ``rate`` the weights learn to do with fewer bits.

    Raises
    ------
    ValueError
        If a codec gives anything else than one codebook without a scale.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(32, 8)
    >>> optimizer = torch.optim.SGD(model.parameters(), 0.1)
    >>> for _ in range(3):
    ...     share_latent(model, {"weight": qcodec.Sparse(qcodec.Codebook(2, rate=0.2))})
    ...     model(torch.ones(32)).square().sum().backward()
    ...     optimizer.step()
    >>> len(model.weight.unique()) <= 4
    True
    """
    chosen = as_recipe(recipe)
    for place in once(model):
        codec = chosen.codec_for(place.name, tuple(place.value.shape), place.dtype)
        if codec is None or isinstance(codec, Lossless | Raw):
            continue
        quantized = codec.quantize(_latent(place), stored(place))
        last = place.parametrizations[-1] if place.parametrizations else None
        latent = last if isinstance(last, LatentWeights) else LatentWeights(quantized.shape)
        latent.to(place.value.device).assign(quantized)
        if latent is not last:
            place.register(latent)


def share_latent_at_price(model: torch.nn.Module, recipe: RecipeLike, price: float) -> None:
    """The same by a recipe in which a bit has one price in all tensors.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, as by `share_latent`.
    recipe : Recipe, Codec or mapping of str to Codec
        As for `qcodec.rate_distortion.at_price`, of codecs that `share` takes.
    price : float
        Of a bit, in squared error.
    """
    latent = {place.name: _latent(place) for place in places(model)}
    share_latent(model, at_price(latent, recipe, price))


def _latent(place: Place) -> torch.Tensor:
    """The weights behind shared values, if such are registered: those that would be shared."""
    parametrizations = place.parametrizations
    if not parametrizations or not isinstance(parametrizations[-1], LatentWeights):
        return place.value
    weight = place.original.detach()
    for parametrization in parametrizations[:-1]:
        weight = parametrization(weight)
    return weight
