"""The tensors of a model, the codecs that each may take, and what these cost at any price."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

import numpy as np

from .._base.arrays import as_array, as_float32
from .._base.threads import in_order
from .._core import core
from .._core.float_mode import standard_float_mode
from .._file.container import Layout
from .._file.names import check_names
from ..codecs import Codec
from ..dtypes import QUANTIZABLE
from ..errors import naming
from ..quantized import Quantized
from ..recipes import Recipe, Rule, exactly, recipe_for
from ..tensor import encode_frame
from .pricing import is_priced, priced, variance_stored

Sensitivity = Mapping[str, float] | Literal["relative"] | None

# Nets of up to so many tensors are measured at these parts of a price too.
_FEW, _LOWER = 16, (0.95, 0.9, 0.8, 0.7, 0.5)


@dataclass(frozen=True)
class Offered:
    """A tensor, and the codecs from which one is chosen for it.

    Attributes
    ----------
    name : str
    variances : dict of Codec to float
        The codecs, all different, and the variance of the values that each may store.
    signal : float
        The sum of the squares of all elements.
    elements : int
    sensitivity : float
        What an error of this tensor counts, relative to those of others.
    """

    name: str
    variances: Mapping[Codec, float]
    signal: float
    elements: int
    sensitivity: float

    def at(self, price: float) -> list[Codec]:
        """Return the codecs at a price per bit."""
        price /= self.sensitivity
        return [priced(codec, variance, price) for codec, variance in self.variances.items()]


@dataclass(frozen=True)
class Choice:
    """The codecs at one price.

    Attributes
    ----------
    price : float
    codecs : dict of str to Codec
        By the names of all offered tensors.
    bytes : int
        Of their frames.
    squared_error : float
        The sum over their elements, each times the sensitivity of its tensor.
    """

    price: float
    codecs: Mapping[str, Codec]
    bytes: int
    squared_error: float


class Model:
    """Tensors and the codecs for them, for any price.

    A tensor is requested when it is measured, and not kept.

    Parameters
    ----------
    tensors : mapping of str to array_like
    recipe : Recipe, Codec, dict, str or None, or a list of them
    profile : str
    effort : int
    layout : str
        As in `save_file`.
    sensitivity : mapping of str to float, or "relative", optional
        What an error of a tensor counts; 1 for tensors that it does not name. "relative": one part
        of the mean square of the tensor.
    keep_rules : bool
        Whether tensors that a rule names keep the rule's codec.
    threads : int
        Number of tensors that are measured at the same time.
    progress : callable, optional
        Called with the name of each tensor that was measured.
    """

    def __init__(
        self,
        tensors: Mapping[str, Any],
        recipe: Any,
        profile: str,
        effort: int = 5,
        layout: Layout = "pack",
        *,
        sensitivity: Sensitivity = None,
        keep_rules: bool = False,
        threads: int = 1,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        check_names(tensors)
        several = recipe if isinstance(recipe, list | tuple) else [recipe]
        recipes = [recipe_for(one, tensors) for one in several]
        if not recipes:
            raise ValueError("an empty list of recipes: allowed is at least one")
        self.tensors, self.original = tensors, recipes[0]
        self._progress = progress
        self.profile, self.effort, self.layout, self.threads = profile, effort, layout, threads
        _check_sensitivity(sensitivity, tensors)
        self.offered = list(_offered(tensors, recipes, sensitivity, keep_rules))
        # Squared error and bytes.
        self._measured: dict[str, dict[Codec, tuple[float, int]]] = {
            tensor.name: {} for tensor in self.offered
        }
        #: What was chosen so far.
        self.chosen: list[Choice] = []

    @cached_property
    def signal(self) -> float:
        """The sum of the squares of all elements, each times the sensitivity of its tensor."""
        return sum(tensor.sensitivity * tensor.signal for tensor in self.offered)

    def prices(self) -> tuple[float, float]:
        """Return the smallest and largest variance of a tensor times its sensitivity.

        Raises
        ------
        ValueError
            If there is nothing to price.
        """
        found = [
            variance * tensor.sensitivity
            for tensor in self.offered
            for variance in tensor.variances.values()
            if variance > 0
        ]
        if not found:
            raise ValueError(
                "no tensor has a Codebook or an Affine, or several codecs, and values that "
                "differ: nothing to price"
            )
        return min(found), max(found)

    def recipe(self, price: float) -> Recipe:
        """Return the recipe with the codec of least squared error + price * bits per tensor."""
        return self.recipe_of(dict(self._each(price, measure=False)))

    def recipe_of(self, codecs: Mapping[str, Codec]) -> Recipe:
        """Return the first recipe, preceded by a rule for each of these tensors."""
        return self.original.with_rules(
            Rule(exactly(name), codec) for name, codec in codecs.items()
        )

    def choose(self, price: float) -> Choice:
        """Choose the codec of least squared error + price * bits for each tensor; measure all."""
        for known in self.chosen:
            if known.price == price:
                return known
        choice = self._choice(price, dict(self._each(price, measure=True)))
        self.chosen.append(choice)
        return choice

    def filled(self, choice: Choice, budget: int) -> Choice:
        """Spend what is left of a size: codecs of more bytes that were measured at other prices.

        Sizes are not continuous, so that a price may leave a part of the budget, above all in nets
        of few tensors, whose codecs are therefore also measured at somewhat lower prices. What
        reduces the error most is taken first.
        """
        codecs, spare = dict(choice.codecs), budget - choice.bytes
        if len(self.offered) <= _FEW:
            for tensor, part in product(self.offered, _LOWER):
                self._measure(tensor.name, tensor.at(part * choice.price))
        while True:
            best: tuple[float, int, str, Codec] | None = None
            for tensor in self.offered:
                error, size = self._measured[tensor.name][codecs[tensor.name]]
                for codec, (other, larger) in self._measured[tensor.name].items():
                    gain = tensor.sensitivity * (error - other)
                    if larger - size <= spare and gain > (best[0] if best else 0):
                        best = gain, larger - size, tensor.name, codec
            if best is None:
                return self._choice(choice.price, codecs)
            spare -= best[1]
            codecs[best[2]] = best[3]

    def _choice(self, price: float, codecs: Mapping[str, Codec]) -> Choice:
        measured = [self._measured[name][codec] for name, codec in codecs.items()]
        error = sum(
            tensor.sensitivity * error
            for tensor, (error, _) in zip(self.offered, measured, strict=True)
        )
        return Choice(price, codecs, sum(size for _, size in measured), error)

    def sqnr(self, choice: Choice) -> float:
        """Return the signal-to-quantization-noise ratio of a choice, in dB."""
        signal, noise = self.signal, choice.squared_error
        return 10 * math.log10(signal / noise) if signal and noise else math.inf

    def _each(self, price: float, measure: bool) -> Iterator[tuple[str, Codec]]:
        def best(tensor: Offered) -> Codec:
            codecs = tensor.at(price)
            if measure or len(codecs) > 1:
                self._measure(tensor.name, codecs)
            if len(codecs) == 1:
                return codecs[0]

            def cost(codec: Codec) -> float:
                error, size = self._measured[tensor.name][codec]
                return tensor.sensitivity * error + price * 8 * size

            return min(codecs, key=cost)

        with closing(in_order(best, self.offered, self.threads)) as found:
            for tensor, codec in zip(self.offered, found, strict=True):
                yield tensor.name, codec

    @standard_float_mode()
    def _measure(self, name: str, codecs: list[Codec]) -> None:
        """Measure squared error and bytes; many prices ask for the same codec."""
        missing = [codec for codec in codecs if codec not in self._measured[name]]
        if not missing:
            return
        given = self.tensors[name]
        with naming(name):
            array = as_float32(*as_array(given))
            for codec in missing:
                quantized = codec.quantize(given)
                size = len(encode_frame(quantized, profile=self.profile, effort=self.effort))
                error = _squared_error(array, quantized.dequantize("float32"))
                self._measured[name][codec] = error, size
        if self._progress is not None:
            self._progress(name)


def _offered(
    tensors: Mapping[str, Any],
    recipes: list[Recipe],
    sensitivity: Sensitivity,
    keep_rules: bool,
) -> Iterator[Offered]:
    """Yield all tensors that can be priced or have several codecs."""
    for name in tensors:
        if keep_rules and recipes[0].has_rule_for(name):
            continue
        value = tensors[name]
        if isinstance(value, Quantized):
            continue
        with naming(name):
            array, element = as_array(value)
        if element.name not in QUANTIZABLE:
            continue
        every = [recipe.codec_for(name, array.shape, element.name) for recipe in recipes]
        codecs = {codec: None for codec in every if codec is not None}
        if len(codecs) < 2 and not any(is_priced(codec) for codec in codecs):
            continue
        values = as_float32(array, element)
        if not core.all_finite(values.reshape(-1)):
            # Only what keeps every bit can store them; if nothing does, its error says so.
            codecs = {codec: None for codec in codecs if codec.is_lossless} or codecs
        with naming(name):
            variances = {codec: variance_stored(codec, values) for codec in codecs}
        signal = _squared_error(values, np.float32(0))
        factor = _factor(sensitivity, name, signal / max(values.size, 1))
        yield Offered(name, variances, signal, values.size, factor)


def _factor(sensitivity: Sensitivity, name: str, mean_square: float) -> float:
    if sensitivity == "relative":
        return 1 / mean_square if mean_square > 0 else 1.0
    assert not isinstance(sensitivity, str), "it was checked"
    return (sensitivity or {}).get(name, 1.0)


def _check_sensitivity(sensitivity: Sensitivity, tensors: Mapping[str, Any]) -> None:
    if sensitivity is None or sensitivity == "relative":
        return
    if not isinstance(sensitivity, Mapping):
        raise TypeError(f"sensitivity={sensitivity!r}: allowed are None, 'relative' and a mapping")
    for name, factor in sensitivity.items():
        if name not in tensors:
            raise ValueError(f"sensitivity: no tensor {name!r}")
        if not 0 < factor < math.inf:
            raise ValueError(f"sensitivity of {name!r} is {factor}: allowed is a number above 0")


def _squared_error(array: np.ndarray[Any, Any], decoded: Any) -> float:
    difference = array.astype(np.float64) - decoded
    return float(np.sum(np.square(difference)))
