"""Trained weight sharing: many weights share a few values, which are trained further.

Deep Compression (Han, Mao and Dally, arXiv 1510.00149), section 3.
"""

from __future__ import annotations

import torch

from .._base.arrays import as_array, to_torch
from .._base.messages import quoted
from ..codecs import Codec, Sparse, Ternary, TrainedTernary
from ..dtypes import element_type
from ..errors import naming
from ..files import RecipeLike
from ..quantized import Groups, Quantized
from .assignments import codes_of, to_share
from .changes import Change, check, commit, first_mask, weights_behind
from .compressed import Values
from .latent import LatentValues
from .passes import laid_out, masked
from .tensors import Place, places

_HALVES = (torch.float16, torch.bfloat16)


class SharedValues(Values):
    """Shared values: the parameter is the codebook, and assignments are frozen.

    The gradient of a centroid is the sum of the gradients of its members (section 3.3), so
    any optimizer of the model's parameters trains the centroids.

    Parameters
    ----------
    codes : torch.Tensor of uint8
        The index of each weight's centroid, in the tensor's shape.
    entries : int
        Number of centroids in the parameter; some may have no members.

    Examples
    --------
    >>> import torch
    >>> shared = SharedValues(torch.tensor([0, 1, 1], dtype=torch.uint8), 2)
    >>> centroids = torch.tensor([0.5, 2.5], requires_grad=True)
    >>> shared(centroids, None)
    tensor([0.5000, 2.5000, 2.5000], grad_fn=<ViewBackward0>)
    >>> (shared(centroids, None) * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    >>> centroids.grad
    tensor([  1., 110.])
    """

    codes: torch.Tensor
    holds_weights = False

    def __init__(self, codes: torch.Tensor, entries: int) -> None:
        super().__init__()
        self.entries = entries
        self.register_buffer("codes", codes)

    def forward(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Returns the centroid of each weight."""
        # The gradient of index_select sums in the same order for any number of threads. That of
        # indexing does not, and takes ten times as long.
        spread = original.index_select(0, self.codes.flatten().int())
        return masked(laid_out(spread, self.codes), mask)

    def inverse(self, weight: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Returns the centroids nearest to given weights: the means over their members."""
        codes = self.codes.flatten().long()
        # A sum of many members in half precision would ignore all but the first.
        wide = weight.float() if weight.dtype in _HALVES else weight
        members = torch.ones_like(wide) if mask is None else mask.to(wide.dtype)
        none = wide.new_zeros(self.entries)
        counts = none.index_add(0, codes, members.flatten())
        sums = none.index_add(0, codes, masked(wide, mask).flatten())
        return (sums / counts.clamp(min=1)).to(weight.dtype)

    def quantized(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> Quantized:
        """Returns the weights as stored: codes and the codebook, bit for bit.

        If bfloat16 or float16 can hold all centroids exactly, they are stored in 16 bits
        (`round_centroids`).
        """
        _, element = as_array(original)
        codes = self.codes.flatten().cpu()
        positions = None if mask is None else torch.nonzero(mask.flatten().cpu())[:, 0]
        codes = codes if positions is None else codes[positions]
        used = int(codes.max()) + 1 if len(codes) else 1
        entries, stored = as_array(_narrowest(original[:used]))
        return Quantized(
            tuple(self.codes.shape),
            element.name,
            "codebook",
            codes.numpy(),
            None if positions is None else positions.numpy(),
            max(1, (used - 1).bit_length()),
            Groups(entries[None]),
            codebook_dtype=stored.name,
        )

    def accepts(self, other: Values) -> bool:
        """Whether the other values are shared too, with the same number of centroids."""
        return isinstance(other, SharedValues) and other.entries == self.entries

    def take(self, other: Values) -> None:
        """Copy the codes of other values."""
        assert isinstance(other, SharedValues)
        self.codes.copy_(other.codes)


def share(model: torch.nn.Module, recipe: RecipeLike) -> None:
    """Let weights share values that codecs choose; the values become the parameters.

    Masked weights (`prune`) stay zero and take no codes; one entry of their codebook is zero, as
    in the paper. A `Sparse` codec masks the weights that it does not store.

    The parameters are new, with one value per code of the codec. Make the optimizer after this
    call; an older one raises an error at its next step. A further call assigns the weights again,
    and keeps the parameters if the number of values is the same.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor gets `SharedValues`.
    recipe : Recipe, Codec or mapping of str to Codec
        `Codebook`, `DeepCompression`, `Ternary` or `Sparse` of them, without groups. Codebooks
        use k-means, or entropy-constrained quantization with ``rate=``. Parameters with
        `Lossless`, `Verbatim` or no codec do not change, and neither do buffers.

    Raises
    ------
    TypeError
        If a tensor is not float32, float16 or bfloat16.
    ValueError
        If a rule matches no parameter, the recipe quantizes no parameter, a codec returns
        anything but one codebook without scales, or `docs/training.md` lists a tensor as
        refused. Nothing is changed then.

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
    found = to_share(model, recipe)
    commit((planned(place, codec) for place, codec in found), "share")


def round_centroids(model: torch.nn.Module, dtype: torch.dtype = torch.bfloat16) -> None:
    """Round all shared values, so that a file stores their codebooks in 16 bits per entry.

    This matters for nets of a few kilobytes, where codebooks are a large part of the file.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: values are rounded, but the parameters keep their dtype.
    dtype : torch.dtype
        bfloat16 or float16.

    Raises
    ------
    ValueError
        If `dtype` is another type, no weights are shared, or a value overflows in `dtype`.
        Nothing is changed then.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(32, 8)
    >>> share(model, {"weight": qcodec.Codebook(2)})
    >>> round_centroids(model)
    >>> torch.equal(model.weight, model.weight.to(torch.bfloat16).float())
    True
    """
    if dtype not in _HALVES:
        raise ValueError(f"dtype: found {dtype}, allowed torch.bfloat16, torch.float16")
    shared = [
        place
        for place in places(model)
        if place.compressed is not None and isinstance(place.compressed.values, SharedValues)
    ]
    if not shared:
        raise ValueError("found no shared weights to round")
    check(model, shared)
    commit((_rounded(place, dtype) for place in shared), "round_centroids")


def weights_to_share(place: Place) -> torch.Tensor:
    """The weights that `share` quantizes; of latent weights, their shared values."""
    compressed = place.compressed
    latent = compressed is not None and isinstance(compressed.values, LatentValues)
    return place.value if latent else weights_behind(place)


def planned(place: Place, codec: Codec) -> Change:
    """The change by which a tensor shares the values that a codec chooses."""
    weight, mask = weights_to_share(place), first_mask(place)
    with naming(place.name):
        quantized = codec.quantize(weight.cpu(), None if mask is None else mask.cpu().numpy())
        codes, stored = codes_of(quantized, weight)
    assert quantized.codebook is not None
    book = to_torch(quantized.codebook.values[0].copy(), element_type(quantized.codebook_dtype))
    entries = max(_entries(codec), len(book))
    if stored is not None:
        # Gradients of masked weights are 0, but are added to some centroid. Spread over all
        # centroids they are fast: additions to a single one would wait for each other.
        anything = torch.arange(codes.numel(), device=codes.device).view_as(codes) % entries
        codes = torch.where(stored.to(codes.device), codes, anything.to(codes.dtype))
    padded = torch.nn.functional.pad(book, (0, entries - len(book))).to(weight.dtype)
    return Change(place, stored, SharedValues(codes, entries), padded)


def _rounded(place: Place, dtype: torch.dtype) -> Change:
    rounded = place.original.detach().to(dtype).to(place.original.dtype)
    if not torch.equal(rounded.isfinite(), place.original.isfinite()):
        raise ValueError(f"tensor {quoted(place.name)}: found a centroid too large for {dtype}")
    return Change(place, content=rounded)


def _entries(codec: Codec) -> int:
    """The maximum number of values of a codec; with it, parameters always have one shape."""
    inner = codec.codec if isinstance(codec, Sparse) else codec
    if isinstance(inner, Ternary | TrainedTernary):
        return 3
    bits = getattr(inner, "bits", None)
    return 1 << bits if isinstance(bits, int) else 0


def _narrowest(centroids: torch.Tensor) -> torch.Tensor:
    """The same values in 16 bits, if that is exact."""
    for dtype in (torch.bfloat16, torch.float16):
        narrow = centroids.to(dtype)
        if torch.equal(narrow.to(centroids.dtype), centroids):
            return narrow
    return centroids
