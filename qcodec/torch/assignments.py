"""Which weights share a value: recipes applied to models, and codes in a tensor's shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from .._base.messages import names_text
from ..codecs import Codec, Lossless, Verbatim
from ..files import RecipeLike
from ..quantized import Quantized
from ..rate_distortion import at_price
from ..recipes import as_recipe, exactly
from .changes import check, check_finite
from .rules import agreed, check_unused, patterns_of
from .tensors import Place, names_of, parameter_places

_DTYPES = ("float32", "float16", "bfloat16")


def to_share(model: torch.nn.Module, recipe: RecipeLike) -> list[tuple[Place, Codec]]:
    """The parameters that a recipe quantizes, each with its codec. All are checked.

    Parameters
    ----------
    model : torch.nn.Module
    recipe : Recipe, Codec or mapping of str to Codec
        Tensors with `Lossless`, `Verbatim` or no codec are left out, and so are buffers. A tied
        parameter gets the codec of any of its names that has one.

    Raises
    ------
    TypeError
        If a tensor is not float32, float16 or bfloat16.
    ValueError
        If a rule matches no parameter, the recipe quantizes no parameter, or no method may
        change one of the tensors.
    """
    chosen, parameters = as_recipe(recipe), parameter_places(model)
    found = []
    for place in parameters:
        shape = tuple(place.value.shape)
        codecs = {name: chosen.codec_for(name, shape, place.dtype) for name in place.names}
        quantizing = {
            name: codec
            for name, codec in codecs.items()
            if codec is not None and not isinstance(codec, Lossless | Verbatim)
        }
        if quantizing:
            found.append((place, agreed(quantizing)))
    if isinstance(recipe, Mapping):
        check_unused(patterns_of(recipe), names_of(parameters))
    if not found:
        names = names_text(name for place in parameters for name in place.names)
        raise ValueError(f"the recipe quantizes no parameter; there are {names}")
    for place, _ in found:
        check_type(place)
    check(model, [place for place, _ in found])
    return found


def to_share_at_price(
    model: torch.nn.Module, recipe: RecipeLike, price: float, of: Callable[[Place], torch.Tensor]
) -> list[tuple[Place, Codec]]:
    """Like `to_share`, with codecs that use one price per bit for all tensors.

    Parameters
    ----------
    model : torch.nn.Module
    recipe : Recipe, Codec or mapping of str to Codec
    price : float
        Price of a bit, in squared error.
    of : callable
        Returns the weights of a place that are priced.

    Raises
    ------
    TypeError, ValueError
        As `to_share` does, or if the price is negative or a weight is NaN or infinite.
    """
    found = to_share(model, recipe)
    tensors = {place.name: of(place).cpu() for place, _ in found}
    for name, tensor in tensors.items():
        check_finite(name, tensor)
    priced = at_price(tensors, {exactly(place.name): codec for place, codec in found}, price)
    codecs = [
        priced.codec_for(place.name, tuple(tensors[place.name].shape), place.dtype)
        for place, _ in found
    ]
    return [(place, codec) for (place, _), codec in zip(found, codecs, strict=True) if codec]


def named_tensors(
    model: torch.nn.Module, recipe: RecipeLike, of: Callable[[Place], torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The parameters of a model, each under the name that a recipe quantizes it by."""
    chosen = as_recipe(recipe)
    found = {}
    for place in parameter_places(model):
        tensor = of(place)
        shape = tuple(tensor.shape)
        quantizing = (
            name
            for name in place.names
            if not isinstance(
                chosen.codec_for(name, shape, place.dtype), Lossless | Verbatim | None
            )
        )
        found[next(quantizing, place.name)] = tensor
    return found


def check_type(place: Place) -> None:
    """Raise TypeError unless codebooks can hold the values of a tensor."""
    if place.dtype not in _DTYPES:
        raise TypeError(f"tensor {place.name!r}: found {place.dtype}, allowed {', '.join(_DTYPES)}")


def codes_of(
    quantized: Quantized, like: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The codes of quantized weights in the tensor's shape, and which weights are stored.

    Parameters
    ----------
    quantized : Quantized
        Of kind codebook, with one codebook and without scales.
    like : torch.Tensor, optional
        The codes get its memory format and device.

    Returns
    -------
    codes : torch.Tensor of uint8
        0 where nothing is stored.
    stored : torch.Tensor of bool, or None
        None if all weights are stored.

    Raises
    ------
    ValueError
        If `quantized` has another kind, several codebooks or scales.

    Examples
    --------
    >>> import qcodec
    >>> codec = qcodec.Sparse(qcodec.Codebook(2))
    >>> codes, stored = codes_of(codec.quantize(torch.tensor([0.0, 2.0, 1.0])))
    >>> codes.tolist(), stored.tolist()
    ([0, 2, 1], [False, True, True])
    """
    _check_shared(quantized)
    codes = torch.from_numpy(quantized.codes.astype("uint8"))
    stored = None
    if quantized.positions is not None:
        positions = torch.from_numpy(quantized.positions)
        spread = torch.zeros(torch.Size(quantized.shape).numel(), dtype=torch.uint8)
        stored = torch.zeros_like(spread, dtype=torch.bool)
        spread[positions], stored[positions] = codes, True
        codes, stored = spread, stored.view(quantized.shape)
    codes = codes.view(quantized.shape)
    if like is not None:
        codes = torch.empty_like(like, dtype=torch.uint8).copy_(codes)
    return codes, stored


def _check_shared(quantized: Quantized) -> None:
    found: str = quantized.kind
    if quantized.kind == "codebook" and quantized.codebook is not None:
        if quantized.scale is None and len(quantized.codebook.values) == 1:
            return
        found = f"{len(quantized.codebook.values)} codebooks, scales: {quantized.scale is not None}"
    raise ValueError(f"weight sharing: found {found}, allowed is one codebook without scales")
