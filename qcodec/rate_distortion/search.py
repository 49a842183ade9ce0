"""Searches for the price at which a file has a wanted size or error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._base.checks import check_integer, check_number
from .._file.container import Layout
from ..files import save_file
from ..recipes import Recipe
from .model import Choice, Model, Sensitivity

# In variances: below the one and above the other price, no file changes any more.
_MIN, _MAX = 1e-9, 1e3
# The first and last price of a curve, in variances, and their number.
_CURVE = (1e-5, 1.0, 12)
# A search for a size ends when this part of the budget is left. Errors may hardly change with the
# price, if most of the error is that of pruned weights: a search for one ends when logarithms of
# the two prices that enclose the best one differ by less than the second number.
_TOLERANCE, _NARROW = 0.002, 0.01
# How often a file is encoded to see its size, if that of its frames was not enough to know.
_MAX_FILES = 4
# The name of a file that is never written.
_SAFETENSORS = "model.safetensors"


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
        The sum over all elements of all priced tensors, each times the sensitivity of its tensor.
    sqnr : float
        The signal-to-quantization-noise ratio of the priced tensors, in dB; infinite if the
        error is 0. Signal and noise of a tensor count by its sensitivity.
    recipe : Recipe
        The recipe that makes this file; its first rules name the priced tensors.
    tried : tuple of (int, float)
        Sizes of files and SQNRs at the other prices that a search tried, by size; the sizes are
        those of the frames, and of what this file has beside its frames.
    """

    price: float
    bytes: int
    squared_error: float
    sqnr: float
    recipe: Recipe
    tried: tuple[tuple[int, float], ...] = ()


def at_price(
    tensors: Mapping[str, Any],
    recipe: Any,
    price: float,
    *,
    profile: str = "small",
    effort: int = 5,
    layout: Layout = "pack",
    sensitivity: Sensitivity = None,
    keep_rules: bool = False,
    threads: int = 1,
    progress: Callable[[str], None] | None = None,
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
    effort : int
    layout : {"pack", "entries"}
        As in `save_file`: codecs are compared with this profile and effort.
    sensitivity : mapping of str to float, or "relative", optional
        What an error in a tensor counts; the default is 1. So a price is that of a bit in the
        tensors of sensitivity 1. With "relative", an error counts as a part of the mean square of
        its tensor: the scales of layers are arbitrary, so that errors in one do not compare with
        errors in another.
    keep_rules : bool
        Whether tensors that a rule of the first recipe names keep the rule's codec, unpriced.
    threads : int
        Number of tensors that are measured at the same time.
    progress : callable, optional
        Called with the name of each tensor that was measured; a tensor is measured several times.

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
    return Model(
        tensors, recipe, profile, effort, layout,
        sensitivity=sensitivity, keep_rules=keep_rules, threads=threads, progress=progress,
    ).recipe(price)  # fmt: skip


def curve(
    tensors: Mapping[str, Any],
    recipe: Any,
    prices: Iterable[float] | None = None,
    *,
    profile: str = "small",
    effort: int = 5,
    layout: Layout = "pack",
    sensitivity: Sensitivity = None,
    keep_rules: bool = False,
    threads: int = 1,
    progress: Callable[[str], None] | None = None,
) -> list[Point]:
    """Make files at several prices: the rate-distortion curve of a model, or of one tensor.

    Parameters
    ----------
    tensors, recipe
        As for `at_price`.
    prices : iterable of float, optional
        The default: 12 prices in a geometric series, from many bits to few.
    profile, effort, layout, sensitivity, keep_rules, threads, progress
        As for `at_price`.

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
    model = Model(
        tensors, recipe, profile, effort, layout,
        sensitivity=sensitivity, keep_rules=keep_rules, threads=threads, progress=progress,
    )  # fmt: skip
    if prices is None:
        minimum, maximum = model.prices()
        prices = np.geomspace(_CURVE[0] * minimum, _CURVE[1] * maximum, _CURVE[2]).tolist()
    return [_point(model, model.choose(price)) for price in prices]


def at_bytes(
    tensors: Mapping[str, Any],
    recipe: Any,
    budget: int,
    *,
    profile: str = "small",
    steps: int = 24,
    effort: int = 5,
    layout: Layout = "pack",
    sensitivity: Sensitivity = None,
    keep_rules: bool = False,
    threads: int = 1,
    progress: Callable[[str], None] | None = None,
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
        The most prices that are tried; each encodes every tensor. The search ends earlier if
        less than a thousandth of the budget is left.
    effort, layout, sensitivity, keep_rules, threads, progress
        As for `at_price`.

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
    model = Model(
        tensors, recipe, profile, effort, layout,
        sensitivity=sensitivity, keep_rules=keep_rules, threads=threads, progress=progress,
    )  # fmt: skip
    minimum, maximum = model.prices()
    best = _point(model, model.choose(_MAX * maximum))
    if best.bytes > budget:
        raise ValueError(
            f"budget={budget:,}: at the highest price the file has {best.bytes:,} bytes"
        )
    sizes = _Measure(lambda price: model.choose(price).bytes)
    # Names, checksums and what tensors share are not in the sizes of frames.
    beside = best.bytes - int(sizes(best.price))
    for _ in range(_MAX_FILES):
        left = budget - beside
        price = sizes.last_within(left, best.price, _MIN * minimum, steps, _TOLERANCE)
        choice = model.filled(model.choose(price), left)
        found = _point(model, choice)
        if found.bytes > budget:
            beside += found.bytes - budget
            continue
        if found.squared_error <= best.squared_error:
            best = found
        before, beside = beside, found.bytes - choice.bytes
        if beside >= before or found.bytes >= budget * (1 - _TOLERANCE):
            break
    return best


def at_error(
    tensors: Mapping[str, Any],
    recipe: Any,
    budget: float | None = None,
    *,
    sqnr: float | None = None,
    profile: str = "small",
    steps: int = 24,
    effort: int = 5,
    layout: Layout = "pack",
    sensitivity: Sensitivity = None,
    keep_rules: bool = False,
    threads: int = 1,
    progress: Callable[[str], None] | None = None,
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
    profile, steps, effort, layout, sensitivity, keep_rules, threads, progress
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
    model = Model(
        tensors, recipe, profile, effort, layout,
        sensitivity=sensitivity, keep_rules=keep_rules, threads=threads, progress=progress,
    )  # fmt: skip
    minimum, maximum = model.prices()
    if budget is None:
        assert sqnr is not None, "one of them is given"
        budget = model.signal / 10 ** (sqnr / 10)
    lowest, errors = _MIN * minimum, _Measure(lambda price: model.choose(price).squared_error)
    least = errors(lowest)
    if least > budget:
        raise ValueError(f"a squared error of {budget:.6g}: at the lowest price it is {least:.6g}")
    price = errors.last_within(budget, lowest, _MAX * maximum, steps, -1)
    return _point(model, model.choose(price))


def _point(model: Model, choice: Choice) -> Point:
    """Encode the file of a choice, to see its size."""
    recipe = model.recipe_of(choice.codecs)
    size = save_file(
        model.tensors, _SAFETENSORS, recipe=recipe, profile=model.profile, effort=model.effort,
        layout=model.layout, threads=model.threads, dry_run=True,
    )  # fmt: skip
    beside = size - choice.bytes
    tried = {one.bytes + beside: model.sqnr(one) for one in model.chosen if one is not choice}
    return Point(
        choice.price,
        size,
        choice.squared_error,
        model.sqnr(choice),
        recipe,
        tuple(sorted(tried.items())),
    )


class _Measure:
    """A size or an error that is a monotone function of the price; values are kept."""

    def __init__(self, function: Callable[[float], float]) -> None:
        self._function = function
        self._known: dict[float, float] = {}

    def __call__(self, price: float) -> float:
        if price not in self._known:
            self._known[price] = self._function(price)
        return self._known[price]

    def last_within(
        self, budget: float, within: float, beyond: float, steps: int, tolerance: float
    ) -> float:
        """Search for the price nearest to `beyond` at which the value is at most the budget.

        At `within` it is, and towards `beyond` it never falls. The logarithm of the value is nearly
        linear in that of the price, so that a line through the ends of the interval comes near in
        few steps. An end that stays counts half the next time (the Illinois method), and every
        fourth step halves the interval: a value may have jumps.
        """
        if self(beyond) <= budget:
            return beyond
        best, end = self._known_ends(budget, within, beyond)
        low, high = math.log(best), math.log(end)
        at_low, at_high = self._excess(best, budget), self._excess(end, budget)
        left, last = -at_low, 0.0
        for step in range(1, steps + 1):
            width = abs(high - low)
            if width < _NARROW or left <= tolerance:
                break
            place = 0.5 if step % 4 == 0 or math.isinf(at_low) else at_low / (at_low - at_high)
            middle = low + (high - low) * min(max(place, 0.02), 0.98)
            price = math.exp(middle)
            found = self._excess(price, budget)
            if found <= 0:
                best, low, at_low, left = price, middle, found, -found
                at_high /= 2 if last < 0 else 1
            else:
                high, at_high = middle, found
                at_low /= 2 if last > 0 else 1
            last = found
        return best

    def _excess(self, price: float, budget: float) -> float:
        value = self(price)
        return math.log(value / budget) if value > 0 else -math.inf

    def _known_ends(self, budget: float, within: float, beyond: float) -> tuple[float, float]:
        """Return the nearest known prices between which the value passes the budget."""
        falling = beyond < within
        prices = sorted(self._known, reverse=falling)
        last = max(at for at, price in enumerate(prices) if self._known[price] <= budget)
        return (prices[last], prices[last + 1]) if last + 1 < len(prices) else (within, beyond)
