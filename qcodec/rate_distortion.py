"""One price of a bit for all tensors of a model: how many bytes buy how much error.

Codebooks with a `rate` trade squared error against bits, each tensor in its own variances. A
common price, in squared error a bit, spends the bits of a file where they save the most
(Shoham and Gersho 1988).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .arrays import as_array, as_float32
from .checks import check_integer, check_number
from .codecs import Codebook, Codec, DeepCompression, Sparse
from .files import load, save
from .quantized import Quantized
from .recipes import Recipe, Rule, as_recipe

# Prices beyond which no file changes any more, in variances.
_LEAST, _GREATEST = 1e-9, 1e3


@dataclass(frozen=True)
class Point:
    """A file at one price.

    Attributes
    ----------
    price : float
        Of a bit, in squared error.
    bytes : int
        Of the whole file.
    squared_error : float
        Summed over all elements of all tensors that are priced.
    recipe : Recipe
        Makes this file; its first rules name the priced tensors.
    """

    price: float
    bytes: int
    squared_error: float
    recipe: Recipe


def at_price(tensors: Mapping[str, Any], recipe: Any, price: float) -> Recipe:
    """A recipe in which a bit has the same price in every tensor.

    Parameters
    ----------
    tensors : mapping of str to array_like
    recipe : Recipe, Codec, dict, str or None
        Whose `Codebook` codecs, alone or in `Sparse` or `DeepCompression`, are priced; those
        with groups or scales, and all other codecs, stay as they are.
    price : float
        Of a bit, in squared error; 0: none.

    Returns
    -------
    Recipe
        With a rule for each priced tensor before its own.

    Raises
    ------
    ValueError
        If the price is negative.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> tensors = {"a": np.arange(-600, 600, dtype=np.float32).reshape(2, 600)}
    >>> at_price(tensors, qcodec.Codebook(4), 1200.0).rules[0].codec.rate
    0.01...
    """
    check_number("price", price, 0, np.inf)
    original = as_recipe(recipe)
    priced = {
        name: _priced(codec, array, price)
        for name, array, codec in _of_codebooks(tensors, original)
    }
    return original.with_rules(
        Rule(f"^{re.escape(name)}$", codec) for name, codec in priced.items()
    )


def curve(
    tensors: Mapping[str, Any], recipe: Any, prices: Iterable[float], *, profile: str = "small"
) -> list[Point]:
    """Files at several prices.

    Parameters
    ----------
    tensors, recipe
        As for `at_price`.
    prices : iterable of float
    profile : {"small", "balanced", "fast", "fixed"}

    Returns
    -------
    list of Point
        In the order of the prices.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> tensors = {"a": np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)}
    >>> cheap, dear = curve(tensors, qcodec.Codebook(5), [0.001, 0.1])
    >>> cheap.bytes > dear.bytes, cheap.squared_error < dear.squared_error
    (True, True)
    """
    return [_point(tensors, as_recipe(recipe), price, profile) for price in prices]


def at_bytes(
    tensors: Mapping[str, Any],
    recipe: Any,
    budget: int,
    *,
    profile: str = "small",
    steps: int = 16,
) -> Point:
    """The file of least error that keeps to a number of bytes, as far as one price can make it.

    Parameters
    ----------
    tensors, recipe
        As for `at_price`.
    budget : int
        Bytes of the whole file, at most.
    profile : {"small", "balanced", "fast", "fixed"}
    steps : int
        Files that are made in search of the price, each halving what is left in powers of ten.

    Returns
    -------
    Point

    Raises
    ------
    ValueError
        If not even the highest price keeps to the budget, or nothing can be priced.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> tensors = {"a": np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)}
    >>> at_bytes(tensors, qcodec.Codebook(5), 1500).bytes <= 1500
    True
    """
    check_integer("steps", steps, 1, 100)
    original = as_recipe(recipe)
    variances = [_variance(codec, array) for _, array, codec in _of_codebooks(tensors, original)]
    if not any(variances):
        raise ValueError("no tensor has a Codebook and values that differ: nothing to price")
    low = _LEAST * min(variance for variance in variances if variance > 0)
    high = _GREATEST * max(variances)
    best = _point(tensors, original, high, profile)
    if best.bytes > budget:
        raise ValueError(
            f"budget={budget:,}: at the highest price the file has {best.bytes:,} bytes"
        )
    for _ in range(steps):
        middle = _point(tensors, original, (low * high) ** 0.5, profile)
        if middle.bytes <= budget:
            best, high = middle, middle.price
        else:
            low = middle.price
    return best


def _point(tensors: Mapping[str, Any], recipe: Recipe, price: float, profile: str) -> Point:
    priced = at_price(tensors, recipe, price)
    data = save(tensors, priced, profile=profile)
    decoded = load(data)
    error = 0.0
    for name, array, _ in _of_codebooks(tensors, recipe):
        difference = array.astype(np.float64) - decoded[name].astype(np.float64)
        error += float(np.sum(np.square(difference)))
    return Point(price, len(data), error, priced)


def _of_codebooks(
    tensors: Mapping[str, Any], recipe: Recipe
) -> Iterable[tuple[str, np.ndarray[Any, Any], Codec]]:
    """(name, float32 array, codec) of all tensors that can be priced."""
    for name, value in tensors.items():
        if isinstance(value, Quantized):
            continue
        array, element = as_array(value)
        codec = recipe.codec_for(name, array.shape, element.name)
        if codec is not None and _parts(codec)[0] is not None:
            yield name, as_float32(array, element), codec


def _parts(codec: Codec) -> tuple[Codebook | None, Sparse | None]:
    """The one codebook of a codec, if it has one, and what says where it is used."""
    if isinstance(codec, DeepCompression):
        codec = codec.parts()
    sparse = codec if isinstance(codec, Sparse) else None
    inner = codec if sparse is None else sparse.codec
    if not isinstance(inner, Codebook) or (inner.scale, inner.per, inner.group) != (None,) * 3:
        return None, sparse
    return inner, sparse


def _variance(codec: Codec, array: np.ndarray[Any, Any]) -> float:
    """Of the values that may be stored, as `Codebook` takes it."""
    _, sparse = _parts(codec)
    stored = array if sparse is None else array[sparse.mask(array)]
    return float(np.var(stored, dtype=np.float64)) if stored.size else 0.0


def _priced(codec: Codec, array: np.ndarray[Any, Any], price: float) -> Codec:
    variance = _variance(codec, array)
    codebook, sparse = _parts(codec)
    assert codebook is not None, "what was chosen has a codebook"
    priced = replace(codebook, rate=price / variance if variance > 0 else 0.0)
    return priced if sparse is None else replace(sparse, codec=priced)
