"""One price per bit for all tensors of a model: trades the bytes of a file against its error.

`Codebook` and `Affine` with a `rate` trade squared error against bits, for each tensor relative
to its own variance. A common price, in squared error per bit, spends the bits of a file where
they reduce the error most (Shoham and Gersho 1988). The same price lets each tensor choose among
several codecs.
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
from ._file.names import check_names
from .codecs import Affine, Codebook, Codec, DeepCompression, Sparse
from .dtypes import QUANTIZABLE
from .errors import naming
from .files import load, save
from .quantized import Quantized
from .recipes import Recipe, Rule, exactly, recipe_for
from .tensor import encode_frame

# In variances: below the one and above the other price, no file changes any more.
_MIN, _MAX = 1e-9, 1e3
# The first and last price of a curve, in variances, and their number.
_CURVE = (1e-5, 1.0, 12)
_MAX_BITS_PRICED = 8


@dataclass(frozen=True)
class Point:
    """A file at one price.

    Attributes
    ----------
    price : float
        The price of a bit, in squared error.
    bytes : int
        The size of the whole file.
    squared_error : float
        The sum over all elements of all priced tensors.
    sqnr : float
        The signal-to-quantization-noise ratio of the priced tensors, in dB; infinite if the
        error is 0.
    recipe : Recipe
        The recipe that makes this file; its first rules name the priced tensors.
    """

    price: float
    bytes: int
    squared_error: float
    sqnr: float
    recipe: Recipe


def at_price(
    tensors: Mapping[str, Any], recipe: Any, price: float, *, profile: str = "small"
) -> Recipe:
    """Return a recipe in which a bit has the same price in every tensor.

    Parameters
    ----------
    tensors : mapping of str to array_like
    recipe : Recipe, Codec, dict, str or None, or a list of them
        Its `Codebook` and `Affine` codecs, alone or in `Sparse` or `DeepCompression`, are
        priced. Codecs with groups, scales or more than 8 bits, and all other codecs, stay
        unchanged. With several recipes, each tensor takes the codec of least squared error
        + price * bits, where bits are counted after encoding; of equal ones the first. The
        rules and defaults of the result are those of the first recipe.
    price : float
        The price of a bit, in squared error; at 0 bits cost nothing.
    profile : {"small", "balanced", "fast", "fixed"}
        The profile with which codecs are compared.

    Returns
    -------
    Recipe
        The (first) recipe, preceded by a rule for each priced tensor.

    Raises
    ------
    TypeError
        If one of the compared codecs does not take a tensor.
    ValueError
        If the price is negative, or no recipe is given.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> tensors = {"a": np.arange(-600, 600, dtype=np.float32).reshape(2, 600)}
    >>> at_price(tensors, qcodec.Codebook(4), 1200.0).rules[0].codec.rate
    0.01...
    >>> tensors = {"a": np.random.default_rng(0).normal(size=(2, 600))}
    >>> offers = [qcodec.FixedPoint(bits) for bits in (2, 4, 8)]
    >>> [at_price(tensors, offers, price).rules[0].codec.bits for price in (1e-4, 0.01, 1)]
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
    """Make files at several prices: the rate-distortion curve of a model, or of one tensor.

    Parameters
    ----------
    tensors, recipe
        As for `at_price`.
    prices : iterable of float, optional
        The default: 12 prices in a geometric series, from many bits to few.
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
        minimum, maximum = model.variances()
        prices = np.geomspace(_CURVE[0] * minimum, _CURVE[1] * maximum, _CURVE[2]).tolist()
    return [model.point(price) for price in prices]


def at_bytes(
    tensors: Mapping[str, Any],
    recipe: Any,
    budget: int,
    *,
    profile: str = "small",
    steps: int = 24,
) -> Point:
    """Search for the price and recipe of least error whose file stays within a size.

    Parameters
    ----------
    tensors, recipe
        As for `at_price`.
    budget : int
        The largest size of the whole file, in bytes.
    profile : {"small", "balanced", "fast", "fixed"}
    steps : int
        Steps of the search; each makes a file and halves the interval of log(price).

    Returns
    -------
    Point

    Raises
    ------
    ValueError
        If even at the highest price the file is larger than the budget, or nothing can be
        priced.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> tensors = {"a": np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)}
    >>> at_bytes(tensors, qcodec.Codebook(5), 1500).bytes <= 1500
    True
    """
    check_integer("steps", steps, 1, 100)
    model = _Model(tensors, recipe, profile)
    minimum, maximum = model.variances()
    best = model.point(_MAX * maximum)
    if best.bytes > budget:
        raise ValueError(
            f"budget={budget:,}: at the highest price the file has {best.bytes:,} bytes"
        )
    return _search(model, best, _MIN * minimum, steps, lambda point: point.bytes <= budget)


def at_error(
    tensors: Mapping[str, Any],
    recipe: Any,
    budget: float | None = None,
    *,
    sqnr: float | None = None,
    profile: str = "small",
    steps: int = 24,
) -> Point:
    """Search for the price and recipe of the smallest file that stays within an error.

    Parameters
    ----------
    tensors, recipe
        As for `at_price`.
    budget : float, optional
        The largest squared error, summed over all elements of all priced tensors.
    sqnr : float, optional
        Alternatively, the lowest signal-to-quantization-noise ratio of the priced tensors,
        in dB.
    profile, steps
        As for `at_bytes`.

    Returns
    -------
    Point

    Raises
    ------
    ValueError
        If even at the lowest price the error is larger, if nothing can be priced, or
        unless exactly one of `budget` and `sqnr` is given.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> tensors = {"a": np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)}
    >>> at_error(tensors, qcodec.Codebook(6), sqnr=20).sqnr >= 20
    True
    """
    check_integer("steps", steps, 1, 100)
    if (budget is None) == (sqnr is None):
        raise ValueError(f"budget={budget} and sqnr={sqnr}: give exactly one of them")
    model = _Model(tensors, recipe, profile)
    minimum, maximum = model.variances()
    if budget is None:
        assert sqnr is not None, "one of them is given"
        budget = model.signal() / 10 ** (sqnr / 10)
    best = model.point(_MIN * minimum)
    if best.squared_error > budget:
        raise ValueError(
            f"a squared error of {budget:.6g}: at the lowest price it is {best.squared_error:.6g}"
        )
    return _search(model, best, _MAX * maximum, steps, lambda point: point.squared_error <= budget)


def _search(
    model: _Model, best: Point, beyond: float, steps: int, fits: Callable[[Point], bool]
) -> Point:
    """Search by bisection for the point that fits whose price is nearest to `beyond`.

    `best` fits, and a point at the price `beyond` need not.
    """
    for _ in range(steps):
        middle = model.point((best.price * beyond) ** 0.5)
        if fits(middle):
            best = middle
        else:
            beyond = middle.price
    return best


@dataclass(frozen=True)
class _Offered:
    """A tensor, and the codecs from which one is chosen for it.

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
    """Tensors and the codecs for them, for any price."""

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
        """Return the recipe with the codec of least squared error + price * bits per tensor."""
        rules = []
        for name, tensor in self.offered.items():
            with naming(name):
                rules.append(Rule(exactly(name), self._best(name, tensor, price)))
        return self.original.with_rules(rules)

    def point(self, price: float) -> Point:
        """Write and read the file at this price."""
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
        """Return the sum of the squares of all priced elements."""
        return sum(_squared_error(tensor.array, 0) for tensor in self.offered.values())

    def variances(self) -> tuple[float, float]:
        """Return the smallest and largest variance of a tensor; prices are relative to them."""
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
        """Return squared error and bytes, cached, because many prices ask for the same codec."""
        if (name, codec) not in self._measured:
            quantized = codec.quantize(tensor.given)
            size = len(encode_frame(quantized, profile=self.profile))
            error = _squared_error(tensor.array, quantized.dequantize("float32"))
            self._measured[name, codec] = error, size
        return self._measured[name, codec]


def _offered(tensors: Mapping[str, Any], recipes: list[Recipe]) -> Iterable[tuple[str, _Offered]]:
    """Yield all tensors that can be priced or have several codecs."""
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
    """Return the codec that takes a rate, or None, and the `Sparse` around it, or None."""
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
    """Return the variance of the values that may be stored, as codecs with a rate use it."""
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
