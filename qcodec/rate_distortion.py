"""One price of a bit for all tensors of a model: how many bytes buy how much error.

`Codebook` and `Affine` with a `rate` trade squared error against bits, each tensor in its own
variances. A common price, in squared error a bit, spends the bits of a file where they save the
most (Shoham and Gersho 1988); by the same price, each tensor chooses among several codecs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ._base.arrays import as_array, as_float32
from ._base.checks import check_integer, check_number
from ._core.float_mode import standard_float_mode
from ._file.saving import check_names
from .codecs import Affine, Codebook, Codec, DeepCompression, Sparse
from .dtypes import QUANTIZABLE
from .errors import naming
from .files import load, save
from .quantized import Quantized
from .recipes import Recipe, Rule, exactly, recipe_for
from .tensor import encode_frame

# Prices beyond which no file changes any more, in variances.
_LEAST, _GREATEST = 1e-9, 1e3
# Those of a curve, where it bends.
_CURVE = (1e-5, 1.0, 12)
_MAX_BITS_PRICED = 8


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
    sqnr : float
        Their squares to that error, in dB; infinite if there is none.
    recipe : Recipe
        Makes this file; its first rules name the priced tensors.
    """

    price: float
    bytes: int
    squared_error: float
    sqnr: float
    recipe: Recipe


def at_price(
    tensors: Mapping[str, Any], recipe: Any, price: float, *, profile: str = "small"
) -> Recipe:
    """A recipe in which a bit has the same price in every tensor.

    Parameters
    ----------
    tensors : mapping of str to array_like
    recipe : Recipe, Codec, dict, str or None, or a list of them
        Whose `Codebook` and `Affine` codecs, alone or in `Sparse` or `DeepCompression`,
        are priced; those with groups or scales or more than 8 bits, and all other
        codecs, stay as they are. Of several, each tensor takes the codec of least
        squared error + price * bits, by the bytes that it comes to when encoded; the
        first where they are equal. What is for all tensors is that of the first.
    price : float
        Of a bit, in squared error; 0: none.
    profile : {"small", "balanced", "fast", "fixed"}
        By which codecs are compared.

    Returns
    -------
    Recipe
        With a rule for each priced tensor before its own.

    Raises
    ------
    TypeError
        If a codec does not take a tensor that it is compared for.
    ValueError
        If the price is negative, or no recipe is given.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> tensors = {"a": np.arange(-600, 600, dtype=np.float32).reshape(2, 600)}
    >>> at_price(tensors, qcodec.Codebook(4), 1200.0).rules[0].codec.rate
    0.01...
    >>> offers = [qcodec.FixedPoint(bits) for bits in (2, 4, 8)]
    >>> [at_price(tensors, offers, price).rules[0].codec.bits for price in (10, 1e3, 1e5)]
    [8, 4, 2]
    """
    check_number("price", price, 0, np.inf)
    return _Model(tensors, recipe, profile).recipe(price)


def curve(
    tensors: Mapping[str, Any],
    recipe: Any,
    prices: Iterable[float] | None = None,
    *,
    profile: str = "small",
) -> list[Point]:
    """Files at several prices: the rate-distortion curve of a model, or of one tensor.

    Parameters
    ----------
    tensors, recipe
        As for `at_price`.
    prices : iterable of float, optional
        The default: 12 in equal ratios, from many bits to few.
    profile : {"small", "balanced", "fast", "fixed"}

    Returns
    -------
    list of Point
        In the order of the prices.

    Raises
    ------
    ValueError
        If there is nothing to price.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> tensors = {"a": np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)}
    >>> points = curve(tensors, qcodec.Codebook(5), [0.001, 0.01, 0.1])
    >>> [point.bytes for point in points] == sorted((p.bytes for p in points), reverse=True)
    True
    """
    model = _Model(tensors, recipe, profile)
    if prices is None:
        least, greatest = model.variances()
        prices = np.geomspace(_CURVE[0] * least, _CURVE[1] * greatest, _CURVE[2]).tolist()
    return [model.point(price) for price in prices]


def at_bytes(
    tensors: Mapping[str, Any],
    recipe: Any,
    budget: int,
    *,
    profile: str = "small",
    steps: int = 24,
) -> Point:
    """The file of least error that is found within a budget: the price and recipe that make it.

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
    model = _Model(tensors, recipe, profile)
    least, greatest = model.variances()
    best = model.point(_GREATEST * greatest)
    if best.bytes > budget:
        raise ValueError(
            f"budget={budget:,}: at the highest price the file has {best.bytes:,} bytes"
        )
    return _search(model, best, _LEAST * least, steps, lambda point: point.bytes <= budget)


def at_error(
    tensors: Mapping[str, Any],
    recipe: Any,
    budget: float | None = None,
    *,
    sqnr: float | None = None,
    profile: str = "small",
    steps: int = 24,
) -> Point:
    """The smallest file that is found within an error: the price and recipe that make it.

    Parameters
    ----------
    tensors, recipe
        As for `at_price`.
    budget : float, optional
        Squared error at most, summed over all elements of all tensors that are priced.
    sqnr : float, optional
        Instead of it: their signal-to-quantization-noise ratio, at least, in dB.
    profile, steps
        As for `at_bytes`.

    Returns
    -------
    Point

    Raises
    ------
    ValueError
        If not even the lowest price keeps to the error, if nothing can be priced, or
        unless one of budget and sqnr is given.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> tensors = {"a": np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)}
    >>> at_error(tensors, qcodec.Codebook(6), sqnr=20).sqnr >= 20
    True
    """
    check_integer("steps", steps, 1, 100)
    if (budget is None) == (sqnr is None):
        raise ValueError(f"budget={budget} and sqnr={sqnr}: one of them is to be given")
    model = _Model(tensors, recipe, profile)
    least, greatest = model.variances()
    if budget is None:
        assert sqnr is not None, "one of them is given"
        budget = model.signal() / 10 ** (sqnr / 10)
    best = model.point(_LEAST * least)
    if best.squared_error > budget:
        raise ValueError(
            f"a squared error of {budget:.6g}: at the lowest price it is {best.squared_error:.6g}"
        )
    return _search(
        model, best, _GREATEST * greatest, steps, lambda point: point.squared_error <= budget
    )


def _search(
    model: _Model, best: Point, beyond: float, steps: int, fits: Callable[[Point], bool]
) -> Point:
    """The point that fits whose price is nearest to `beyond`, where none does."""
    for _ in range(steps):
        middle = model.point((best.price * beyond) ** 0.5)
        if fits(middle):
            best = middle
        else:
            beyond = middle.price
    return best


@dataclass(frozen=True)
class _Offered:
    """A tensor, and the codecs of which it takes one.

    Attributes
    ----------
    given : array_like
    array : numpy.ndarray of float32
    codecs : tuple of Codec
        All different.
    """

    given: Any
    array: np.ndarray[Any, Any]
    codecs: tuple[Codec, ...]


class _Model:
    """Tensors and what may become of them, at any price."""

    def __init__(self, tensors: Mapping[str, Any], recipe: Any, profile: str) -> None:
        check_names(tensors)
        several = recipe if isinstance(recipe, list | tuple) else [recipe]
        recipes = [recipe_for(one, tensors) for one in several]
        if not recipes:
            raise ValueError("an empty list of recipes: allowed is at least one")
        self.tensors, self.original, self.profile = tensors, recipes[0], profile
        self.offered = dict(_offered(tensors, recipes))
        self._measured: dict[tuple[str, Codec], tuple[float, int]] = {}

    def recipe(self, price: float) -> Recipe:
        """The codec of least squared error + price * bits for each tensor."""
        rules = []
        for name, tensor in self.offered.items():
            with naming(name):
                rules.append(Rule(exactly(name), self._best(name, tensor, price)))
        return self.original.with_rules(rules)

    def point(self, price: float) -> Point:
        """The file at this price, written and read."""
        recipe = self.recipe(price)
        data = save(self.tensors, recipe=recipe, profile=self.profile)
        decoded = load(data, dtype="float32")
        error = sum(
            _squared_error(tensor.array, decoded[name]) for name, tensor in self.offered.items()
        )
        signal = self.signal()
        sqnr = 10 * math.log10(signal / error) if signal and error else math.inf
        return Point(price, len(data), error, sqnr, recipe)

    def signal(self) -> float:
        """The squares of all elements that are priced."""
        return sum(_squared_error(tensor.array, 0) for tensor in self.offered.values())

    def variances(self) -> tuple[float, float]:
        """The least and the greatest of a tensor, to which prices are in proportion."""
        every = []
        for name, tensor in self.offered.items():
            with naming(name):
                every += [_variance(codec, tensor.array) for codec in tensor.codecs]
        found = [variance for variance in every if variance > 0]
        if not found:
            raise ValueError(
                "no tensor has a Codebook or an Affine, or several codecs, and values that "
                "differ: nothing to price"
            )
        return min(found), max(found)

    def _best(self, name: str, tensor: _Offered, price: float) -> Codec:
        priced = [_priced(codec, tensor.array, price) for codec in tensor.codecs]
        if len(priced) == 1:
            return priced[0]

        def cost(codec: Codec) -> float:
            error, size = self._measure(name, tensor, codec)
            return error + price * 8 * size

        return min(priced, key=cost)

    @standard_float_mode()
    def _measure(self, name: str, tensor: _Offered, codec: Codec) -> tuple[float, int]:
        """Squared error and bytes; those of codecs without a price are the same at every one."""
        if (name, codec) not in self._measured:
            quantized = codec.quantize(tensor.given)
            size = len(encode_frame(quantized, profile=self.profile))
            error = _squared_error(tensor.array, quantized.dequantize("float32"))
            self._measured[name, codec] = error, size
        return self._measured[name, codec]


def _offered(tensors: Mapping[str, Any], recipes: list[Recipe]) -> Iterable[tuple[str, _Offered]]:
    """All tensors that can be priced, or have a choice."""
    for name, value in tensors.items():
        if isinstance(value, Quantized):
            continue
        with naming(name):
            array, element = as_array(value)
        if element.name not in QUANTIZABLE:
            continue
        every = [recipe.codec_for(name, array.shape, element.name) for recipe in recipes]
        codecs = tuple(dict.fromkeys(codec for codec in every if codec is not None))
        if len(codecs) > 1 or any(_parts(codec)[0] is not None for codec in codecs):
            yield name, _Offered(value, as_float32(array, element), codecs)


def _squared_error(array: np.ndarray[Any, Any], decoded: Any) -> float:
    difference = array.astype(np.float64) - decoded
    return float(np.sum(np.square(difference)))


def _parts(codec: Codec) -> tuple[Codebook | Affine | None, Sparse | None]:
    """What of a codec has a rate, if anything has, and what says where it is used."""
    if isinstance(codec, DeepCompression):
        codec = codec.parts()
    sparse = codec if isinstance(codec, Sparse) else None
    inner = codec if sparse is None else sparse.codec
    if not isinstance(inner, Codebook | Affine):
        return None, sparse
    grouped = inner.per is not None or inner.group is not None
    if grouped or inner.bits > _MAX_BITS_PRICED or getattr(inner, "scale", None) is not None:
        return None, sparse
    return inner, sparse


@standard_float_mode()
def _variance(codec: Codec, array: np.ndarray[Any, Any]) -> float:
    """Of the values that may be stored, as codecs with a rate take it."""
    _, sparse = _parts(codec)
    stored = array if sparse is None else array[sparse.mask(array)]
    return float(np.var(stored, dtype=np.float64)) if stored.size else 0.0


def _priced(codec: Codec, array: np.ndarray[Any, Any], price: float) -> Codec:
    inner, sparse = _parts(codec)
    if inner is None:
        return codec
    variance = _variance(codec, array)
    priced = replace(inner, rate=price / variance if variance > 0 else 0.0)
    return priced if sparse is None else replace(sparse, codec=priced)
