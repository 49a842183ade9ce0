"""Trained weight sharing: a few values for many weights, the values trained further.

Deep Compression (Han, Mao and Dally, arXiv 1510.00149), section 3.
"""

from __future__ import annotations

from typing import Any

import torch

from ..arrays import as_array
from ..codecs import Lossless, Raw
from ..dtypes import element_type
from ..errors import naming
from ..files import RecipeLike
from ..ordinary import to_torch
from ..quantized import Groups, Quantized
from ..recipes import as_recipe
from .pruning import mask_of
from .tensors import Place, once

_DTYPES = ("float32", "float16", "bfloat16")
_HALVES = (torch.float16, torch.bfloat16)


class SharedWeights(torch.nn.Module):
    """A parametrization in which the parameter is the codebook, and assignments are frozen.

    The gradient of a centroid is the sum of the gradients of its members (section 3.3), so
    any optimizer of the model's parameters trains the centroids.

    Parameters
    ----------
    quantized : Quantized
        Of kind codebook, without scales, with one codebook for the tensor.

    Examples
    --------
    >>> import torch, qcodec
    >>> shared = SharedWeights(qcodec.Codebook(1).quantize(torch.tensor([0.0, 3.0, 3.0])))
    >>> centroids = torch.tensor([0.5, 2.5], requires_grad=True)
    >>> shared(centroids)
    tensor([0.5000, 2.5000, 2.5000], grad_fn=<ViewBackward0>)
    >>> (shared(centroids) * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    >>> centroids.grad
    tensor([  1., 110.])
    """

    codes: torch.Tensor
    positions: torch.Tensor | None

    def __init__(self, quantized: Quantized) -> None:
        super().__init__()
        check_shared(quantized)
        assert quantized.codebook is not None
        self.shape = torch.Size(quantized.shape)
        self.entries = quantized.codebook.values.shape[1]
        positions = quantized.positions
        self.register_buffer("codes", torch.tensor(quantized.codes))
        self.register_buffer("positions", None if positions is None else torch.tensor(positions))

    def forward(self, centroids: torch.Tensor) -> torch.Tensor:
        """The weights: each its centroid, or zero where nothing is stored."""
        values = centroids[self.codes.long()]
        if self.positions is not None:
            zeros = values.new_zeros(self.shape.numel())
            values = zeros.scatter(0, self.positions, values)
        return values.view(self.shape)

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """The centroids nearest to some weights: the means over their members."""
        values = weight.reshape(-1)
        if self.positions is not None:
            values = values[self.positions]
        codes = self.codes.long()
        # Half precision would lose all but the first of many members.
        wide = values.float() if values.dtype in _HALVES else values
        sums = wide.new_zeros(self.entries).index_add_(0, codes, wide)
        counts = torch.bincount(codes, minlength=self.entries)
        return (sums / counts.clamp(min=1)).to(values.dtype)

    def quantized(self, centroids: torch.Tensor) -> Quantized:
        """The weights as they are stored: codes and the codebook, bit for bit.

        Centroids that bfloat16 or float16 hold exactly are stored so (`round_centroids`).
        """
        _, element = as_array(centroids.detach())
        entries, stored = as_array(_narrowest(centroids.detach()))
        positions = self.positions
        return Quantized(
            tuple(self.shape),
            element.name,
            "codebook",
            self.codes.cpu().numpy(),
            None if positions is None else positions.cpu().numpy(),
            max(1, (self.entries - 1).bit_length()),
            Groups(entries[None]),
            codebook_dtype=stored.name,
        )


def share(model: torch.nn.Module, recipe: RecipeLike) -> None:
    """Let weights share values, as codecs choose them; the values become the parameters.

    Weights that are masked (`prune`) stay zero and cost no codes; one entry of their codebook
    is zero, too, as in the paper. The parameters change their shapes: make the optimizer after
    this. Called again, assignments are made anew; what was not stored before stays zero.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor is parametrized by `SharedWeights` alone.
    recipe : Recipe, Codec or mapping of str to Codec
        `Codebook`, `DeepCompression`, `Ternary` or `Sparse` of them, without groups: k-means,
        or entropy-constrained with ``rate=``. Tensors that it gives `Lossless`, `Raw` or
        none are left as they are.

    Raises
    ------
    TypeError
        If a tensor is not float32, float16 or bfloat16.
    ValueError
        If a codec gives anything else than one codebook without a scale.

    Examples
    --------
    >>> import torch, qcodec
    >>> from qcodec.torch import prune
    >>> model = torch.nn.Linear(32, 8)
    >>> prune(model, {"weight": qcodec.Density(0.5)})
    >>> share(model, {"weight": qcodec.Codebook(2)})
    >>> [parameter.shape for parameter in model.parameters()]
    [torch.Size([8]), torch.Size([4])]
    >>> int(model.weight.count_nonzero()), len(model.weight.unique())
    (128, 4)
    """
    chosen = as_recipe(recipe)
    for place in once(model):
        weight = place.value
        name = place.dtype
        codec = chosen.codec_for(place.name, tuple(weight.shape), name)
        if codec is None or isinstance(codec, Lossless | Raw):
            continue
        if name not in _DTYPES:
            raise TypeError(f"{place.name!r}: found {name}, allowed {', '.join(_DTYPES)}")
        _share(place, codec.quantize(weight.cpu(), stored(place)))


def stored(place: Place) -> Any:
    """Which weights may be other than zero, in the tensor's shape; None: all."""
    shared = [one for one in place.parametrizations if isinstance(one, SharedWeights)]
    if shared and shared[-1].positions is not None:
        stored = torch.zeros(shared[-1].shape.numel(), dtype=torch.bool)
        stored[shared[-1].positions.cpu()] = True
        return stored.view(shared[-1].shape).numpy()
    mask = mask_of(place)
    return None if mask is None else mask.mask.cpu().numpy()


def round_centroids(model: torch.nn.Module, dtype: torch.dtype = torch.bfloat16) -> None:
    """Round all shared values, so that a file stores their codebooks in 16 bits an entry.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: the parameters keep their dtype, and only their values are rounded.
    dtype : torch.dtype
        bfloat16 or float16. In a net of a few kilobytes codebooks of float32 weigh.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(32, 8)
    >>> share(model, {"weight": qcodec.Codebook(2)})
    >>> round_centroids(model)
    >>> torch.equal(model.weight, model.weight.to(torch.bfloat16).float())
    True
    """
    for place in once(model):
        if place.parametrizations and isinstance(place.parametrizations[-1], SharedWeights):
            with torch.no_grad():
                place.original.copy_(place.original.to(dtype))


def _narrowest(centroids: torch.Tensor) -> torch.Tensor:
    """The same values in 16 bits, if these hold them."""
    for dtype in (torch.bfloat16, torch.float16):
        narrow = centroids.to(dtype)
        if torch.equal(narrow.to(centroids.dtype), centroids):
            return narrow
    return centroids


def _share(place: Place, quantized: Quantized) -> None:
    with naming(place.name):
        shared = SharedWeights(quantized)
    device, dtype = place.value.device, place.value.dtype
    place.make_plain()
    place.register(shared.to(device))
    assert quantized.codebook is not None
    book = to_torch(quantized.codebook.values[0], element_type(quantized.codebook_dtype))
    with torch.no_grad():
        place.original.copy_(book.to(dtype))


def check_shared(quantized: Quantized) -> None:
    """Raise ValueError unless it is of one codebook without scales."""
    found: Any = quantized.kind
    if quantized.kind == "codebook" and quantized.codebook is not None:
        if quantized.scale is None and len(quantized.codebook.values) == 1:
            return
        found = f"{len(quantized.codebook.values)} codebooks, scales: {quantized.scale is not None}"
    raise ValueError(f"weight sharing: found {found}, allowed is one codebook without scales")
