"""Weights that are trained behind shared values, so that they may change their assignments.

The model computes with shared values, and the gradients go to the weights behind them as they
are: the straight-through estimator (Bengio, Léonard and Courville 2013, arXiv 1308.3432; latent
weights, Courbariaux, Bengio and David 2015, arXiv 1511.00363).
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
_FREE = -1  # instead of how many weights have code 0: none that is stored


class LatentValues(Values):
    """Values that give each weight the mean of those that share its code.

    The parameter is the weights themselves. Gradients pass as if nothing were shared, also to
    weights that are not stored, so that these may come back with the next `assign`; those that
    are masked get none.

    Parameters
    ----------
    quantized : Quantized
        Of kind codebook, without scales, with one codebook; its values do not matter.
    like : torch.Tensor, optional
        Whose memory format and device the codes get.

    Raises
    ------
    ValueError
        If it is of another kind.

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
            # Code 0 is for what is not stored.
            codes += 1 if stored is None else stored.to(codes.device)
        self.register_buffer("codes", codes)
        self.register_buffer("stored", torch.ones_like(codes, dtype=torch.bool))
        if stored is not None:
            self.stored.copy_(stored)
        # How many weights have each code, at least 1: it follows, but costs a pass.
        self.register_buffer("counts", torch.zeros(_ENTRIES, dtype=torch.int64))
        self._zero_is_free: Known[bool] = Known()
        self._count()

    def forward(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """The shared values; backward, as if these were the weights."""
        weight = masked(original, mask)
        fixed = weight.detach()
        means, codes = self._means(fixed)
        shared = laid_out(means.index_select(0, codes), self.codes)
        return passed(shared if self._is_free() else masked(shared, self.stored), weight)

    def quantized(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> Quantized:
        """The weights as they are stored, bit for bit what `forward` gives."""
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
        """Those that are stored now."""
        return self.stored

    def restrict(self, mask: torch.Tensor) -> None:
        """Store no weight that is masked: the means are of the others."""
        self.stored.logical_and_(mask)
        self._count()

    def accepts(self, other: Values) -> bool:
        """Codes can be replaced by those of other latent values."""
        return isinstance(other, LatentValues)

    def take(self, other: Values) -> None:
        """Take the codes of others, and what they store."""
        assert isinstance(other, LatentValues)
        self.codes.copy_(other.codes)
        self.stored.copy_(other.stored)
        self._count()

    def _count(self) -> None:
        """Count members, and give code 0 to what is not stored if no stored weight has it."""
        if self.codes.is_meta:
            return
        codes = self.codes[self.stored].flatten().long()
        counts = torch.bincount(codes, minlength=_ENTRIES)
        self.counts.copy_(counts.clamp(min=1))
        if not counts[0]:
            self.counts[0] = _FREE
            self.codes.mul_(self.stored)

    def _is_free(self) -> bool:
        """Whether no stored weight has code 0, so that its mean can be 0: two passes less."""
        counts = self.counts
        if is_traced() or counts.is_meta:
            return False
        try:
            return self._zero_is_free.read(counts, None, lambda: int(counts[0]) == _FREE)
        except RuntimeError:  # a tensor of torch.func has no value
            return False

    def _means(self, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The values by code, and the codes as indices."""
        codes, is_free = self.codes.flatten().long(), self._is_free()
        stored = weight if is_free else masked(weight, self.stored)
        sums = torch.zeros(_ENTRIES, dtype=torch.float64, device=weight.device)
        sums = sums.scatter_add(0, codes, stored.flatten().double())
        means = (sums / self.counts).to(weight.dtype)
        if is_free:
            means[0] = 0
        return means, codes


def share_latent(model: torch.nn.Module, recipe: RecipeLike) -> None:
    """Let weights take shared values while the weights behind them are trained.

    Called again it assigns anew, by the weights as they have become. That should be done every
    few steps: until then weights move without an effect of their own. `share` ends it: the
    values become the parameters.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor gets `LatentValues`. The parameters stay the same objects,
        but for those that were shared, which become weights again.
    recipe : Recipe, Codec or mapping of str to Codec
        As for `share`; with a ``rate`` the weights learn to do with fewer bits.

    Raises
    ------
    TypeError, ValueError
        As by `share`. Nothing is changed then.

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
    found = to_share_at_price(model, recipe, price, weights_behind)
    commit((_planned(place, codec) for place, codec in found), "share_latent_at_price")


def _planned(place: Place, codec: Codec) -> Change:
    mask = first_mask(place)
    with naming(place.name):
        stored = None if mask is None else mask.cpu().numpy()
        weight = weights_behind(place)
        values = LatentValues(codec.quantize(weight.cpu(), stored), weight)
    return Change(place, mask, values, content_of(place))
