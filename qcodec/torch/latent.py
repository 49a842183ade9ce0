"""Latent weights, trained behind shared values, so that assignments can change.

The model computes with shared values, and their gradients pass unchanged to the weights behind
them: the straight-through estimator (Bengio, Léonard and Courville 2013, arXiv 1308.3432; latent
weights: Courbariaux, Bengio and David 2015, arXiv 1511.00363).
"""

from __future__ import annotations

import torch

from .._base.arrays import as_array
from ..codecs import Codec
from ..errors import naming
from ..files import RecipeLike
from ..quantized import Groups, Quantized
from .assignments import codes_of, to_share, to_share_at_price
from .changes import Change, commit, content_of, first_mask, weights_behind
from .compressed import Values
from .known import Known
from .passes import finite, is_traced, laid_out, masked, passed
from .tensors import Place

_ENTRIES = 256
_FREE = -1  # in place of the count of code 0, if no stored weight has it


class LatentValues(Values):
    """Each weight takes the mean of the weights that share its code.

    The parameter is the weights themselves. Gradients pass as if nothing were shared. Weights
    that are not stored get gradients too, so the next `share_latent` may store them again.
    Masked weights get none.

    Parameters
    ----------
    quantized : Quantized
        Of kind codebook, with one codebook and without scales. Only its codes matter.
    like : torch.Tensor, optional
        The codes get its memory format and device.

    Raises
    ------
    ValueError
        If `quantized` has another kind, several codebooks or scales.

    Examples
    --------
    >>> import torch, qcodec
    >>> codec = qcodec.Sparse(qcodec.Codebook(1))
    >>> latent = LatentValues(codec.quantize(torch.tensor([1.0, 3, 0, 1])))
    >>> weights = torch.tensor([1.0, 3.0, 0.5, 2.0], requires_grad=True)
    >>> latent(weights, None)
    tensor([2., 2., 0., 2.], grad_fn=<AddBackward0>)
    """

    codes: torch.Tensor
    stored: torch.Tensor
    counts: torch.Tensor

    def __init__(self, quantized: Quantized, like: torch.Tensor | None = None) -> None:
        super().__init__()
        codes, stored = codes_of(quantized, like)
        if int(quantized.codes.max(initial=0)) < _ENTRIES - 1:
            # Reserve code 0 for weights that are not stored.
            codes += 1 if stored is None else stored.to(codes.device)
        self.register_buffer("codes", codes)
        self.register_buffer("stored", torch.ones_like(codes, dtype=torch.bool))
        if stored is not None:
            self.stored.copy_(stored)
        # Weights per code, at least 1. They follow from the codes, but counting takes a pass.
        self.register_buffer("counts", torch.zeros(_ENTRIES, dtype=torch.int64))
        self._zero_is_free: Known[bool] = Known()
        self._count()

    def forward(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Returns the shared values; their gradients pass to the weights behind them."""
        weight = masked(original, mask)
        fixed = weight.detach()
        means, codes = self._means(fixed)
        shared = laid_out(means.index_select(0, codes), self.codes)
        return passed(shared if self._is_free() else masked(shared, self.stored), weight)

    def quantized(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> Quantized:
        """Returns the weights as stored, bit for bit equal to those of `forward`."""
        means, codes = self._means(finite(masked(original, mask)))
        stored = self.stored.flatten()
        positions = None if bool(stored.all()) else torch.nonzero(stored)[:, 0]
        used, numbers = torch.unique(codes[stored].cpu(), return_inverse=True)
        values = means.cpu()[used.long()] + 0.0  # -0.0 becomes 0.0, as in `forward`
        if positions is not None:
            values, numbers = torch.cat([values.new_zeros(1), values]), numbers + 1
        book, element = as_array(values if len(values) else values.new_zeros(1))
        return Quantized(
            tuple(original.shape),
            element.name,
            "codebook",
            numbers.to(torch.uint8).numpy(),
            None if positions is None else positions.cpu().numpy(),
            max(1, (len(values) - 1).bit_length()),
            Groups(book[None]),
            codebook_dtype=element.name,
        )

    def kept(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor | None:
        """Returns the weights that are stored now."""
        return self.stored

    def restrict(self, mask: torch.Tensor) -> None:
        """Drop masked weights: they are not stored, and not part of the means."""
        self.stored.logical_and_(mask)
        self._count()

    def accepts(self, other: Values) -> bool:
        """Whether the other values are latent too; their codes can be copied."""
        return isinstance(other, LatentValues)

    def take(self, other: Values) -> None:
        """Copy the codes of other values, and which weights are stored."""
        assert isinstance(other, LatentValues)
        self.codes.copy_(other.codes)
        self.stored.copy_(other.stored)
        self._count()

    def _count(self) -> None:
        """Count the members of each code. Weights not stored get code 0, if it is free."""
        if self.codes.is_meta:
            return
        codes = self.codes[self.stored].flatten().long()
        counts = torch.bincount(codes, minlength=_ENTRIES)
        self.counts.copy_(counts.clamp(min=1))
        if not counts[0]:
            self.counts[0] = _FREE
            self.codes.mul_(self.stored)

    def _is_free(self) -> bool:
        """Whether no stored weight has code 0. Its mean is then 0, which saves two passes."""
        counts = self.counts
        if is_traced() or counts.is_meta:
            return False
        try:
            return self._zero_is_free.read(counts, None, lambda: int(counts[0]) == _FREE)
        except RuntimeError:  # a tensor of torch.func, which has no value
            return False

    def _means(self, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean of each code, and the codes as flat indices."""
        codes, is_free = self.codes.flatten().long(), self._is_free()
        stored = weight if is_free else masked(weight, self.stored)
        sums = torch.zeros(_ENTRIES, dtype=torch.float64, device=weight.device)
        sums = sums.scatter_add(0, codes, stored.flatten().double())
        means = (sums / self.counts).to(weight.dtype)
        if is_free:
            means[0] = 0
        return means, codes


def share_latent(model: torch.nn.Module, recipe: RecipeLike) -> None:
    """Compute with shared values, while the weights behind them are trained.

    Each further call assigns the weights, as trained so far, to values again. Call it every few
    steps: between calls a weight only moves the mean of its value. `share` ends this phase: the
    values become the parameters.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor gets `LatentValues`. The parameters stay the same objects;
        only shared and ternary tensors get new parameters, which hold weights again.
    recipe : Recipe, Codec or mapping of str to Codec
        As for `share`. With a ``rate``, weights are drawn to values that take fewer bits.

    Raises
    ------
    TypeError, ValueError
        As `share` does. Nothing is changed then.

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
    found = to_share(model, recipe)
    commit((_planned(place, codec) for place, codec in found), "share_latent")


def share_latent_at_price(model: torch.nn.Module, recipe: RecipeLike, price: float) -> None:
    """Like `share_latent`, with one price per bit for all tensors.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, as by `share_latent`.
    recipe : Recipe, Codec or mapping of str to Codec
        As for `qcodec.rate_distortion.at_price`; `share` must accept its codecs.
    price : float
        Price of a bit, in squared error.
    """
    found = to_share_at_price(model, recipe, price, weights_behind)
    commit((_planned(place, codec) for place, codec in found), "share_latent_at_price")


def _planned(place: Place, codec: Codec) -> Change:
    mask = first_mask(place)
    with naming(place.name):
        stored = None if mask is None else mask.cpu().numpy()
        weight = weights_behind(place)
        values = LatentValues(codec.quantize(weight.cpu(), stored), weight)
    return Change(place, mask, values, content_of(place))
