"""One price for all tensors: bytes against squared error."""

import itertools
import math

import numpy as np
import pytest

import qcodec
from qcodec import Affine, Codebook, DeepCompression, Density, FixedPoint, Recipe, Sparse, Ternary
from qcodec.rate_distortion import at_bytes, at_error, at_price, curve
from qcodec.recipes import Rule, exactly

RNG = np.random.default_rng(0)
TENSORS = {
    "small.weight": RNG.normal(scale=0.01, size=(40, 100)).astype(np.float32),
    "large.weight": RNG.laplace(size=(40, 100)).astype(np.float32),
    "bias": RNG.normal(size=40).astype(np.float32),
}
RECIPE = Recipe(
    [Rule("^small", Codebook(5)), Rule("^large", Sparse(Codebook(5), Density(0.3)))],
    others=FixedPoint(8),
)


def variance_stored(name):
    array = TENSORS[name]
    if name.startswith("large"):
        array = array[Density(0.3).mask(array)]
    return array.var(dtype=np.float64)


def test_a_price_is_a_rate_in_the_variances_of_each_tensor():
    priced = at_price(TENSORS, RECIPE, 1e-5)
    found = {name: priced.codec_for(name, (2, 2), "float32") for name in TENSORS}
    assert found["small.weight"].rate == pytest.approx(1e-5 / variance_stored("small.weight"))
    assert found["large.weight"].codec.rate == pytest.approx(1e-5 / variance_stored("large.weight"))
    assert found["bias"] == FixedPoint(8)


def test_deep_compression_is_priced_too_and_names_are_taken_literally():
    tensors = {"a.b": TENSORS["small.weight"], "axb": TENSORS["small.weight"].copy()}
    recipe = Recipe([Rule(r"^a\.b$", DeepCompression(4))])
    priced = at_price(tensors, recipe, 1e-6)
    assert priced.codec_for("a.b", (40, 100), "float32").codec.rate > 0
    assert priced.codec_for("axb", (40, 100), "float32") == recipe.weights


def test_a_name_with_a_line_break_after_it_is_another_name():
    tensors = {"a": TENSORS["small.weight"], "a\n": TENSORS["large.weight"], "b": np.arange(9)}
    priced = at_price({**tensors, "b\n": TENSORS["large.weight"]}, Codebook(4), 1e-4)
    small, large = (priced.codec_for(name, (40, 100), "float32").rate for name in ("a", "a\n"))
    assert small > 10 * large > 0
    swapped = {"b": TENSORS["small.weight"], "b\n": np.arange(9)}
    priced = at_price(swapped, Codebook(4), 1e-4)
    assert priced.codec_for("b\n", (9,), "int64") == priced.others


@pytest.mark.parametrize("codec", [Codebook(4, per=0), Codebook(4, scale="rms", group=10)])
def test_codebooks_with_groups_or_scales_stay_as_they_are(codec):
    recipe = Recipe([Rule("^small", codec), Rule("^large", Codebook(5))])
    priced = at_price(TENSORS, recipe, 1e-5)
    assert priced.codec_for("small.weight", (40, 100), "float32") == codec
    assert priced.codec_for("large.weight", (40, 100), "float32").rate > 0


@pytest.mark.parametrize(
    "codec",
    [Affine(5), Affine(4, symmetric=True), Sparse(Affine(5), Density(0.3))],
    ids=repr,
)
def test_equal_steps_are_priced_too(codec):
    array = TENSORS["large.weight"]
    stored = array[Density(0.3).mask(array)] if isinstance(codec, Sparse) else array
    priced = at_price(TENSORS, Recipe([Rule("^large", codec)]), 1e-3)
    found = priced.codec_for("large.weight", (40, 100), "float32")
    found = found.codec if isinstance(codec, Sparse) else found
    assert found.rate == pytest.approx(1e-3 / stored.var(dtype=np.float64))


@pytest.mark.parametrize("codec", [Affine(9), Affine(4, per=0), Affine(4, group=10)], ids=repr)
def test_equal_steps_with_groups_or_many_bits_stay_as_they_are(codec):
    priced = at_price(TENSORS, Recipe([Rule("^large", codec)]), 1e-3)
    assert priced.codec_for("large.weight", (40, 100), "float32") == codec


def test_a_higher_price_gives_fewer_bytes_and_more_error():
    points = curve(TENSORS, RECIPE, [1e-7, 1e-5, 1e-3, 0.1])
    assert np.all(np.diff([point.bytes for point in points]) < 0)
    assert np.all(np.diff([point.squared_error for point in points]) > 0)


def test_a_point_is_what_its_recipe_makes():
    (point,) = curve(TENSORS, RECIPE, [1e-4])
    data = qcodec.save(TENSORS, recipe=point.recipe, profile="small")
    assert len(data) == point.bytes
    error = sum(
        np.sum(np.square(TENSORS[name] - array, dtype=np.float64))
        for name, array in qcodec.load(data).items()
        if name != "bias"
    )
    assert point.squared_error == pytest.approx(error, rel=1e-5)


def test_one_price_beats_equal_rates_at_as_many_bytes():
    def equal(rate):
        return Recipe(
            [
                Rule("^small", Codebook(5, rate=rate)),
                Rule("^large", Sparse(Codebook(5, rate=rate), Density(0.3))),
            ],
            others=FixedPoint(8),
        )

    data = qcodec.save(TENSORS, recipe=equal(0.05), profile="small")
    error = sum(
        np.sum(np.square(TENSORS[name] - array, dtype=np.float64))
        for name, array in qcodec.load(data).items()
        if name != "bias"
    )
    assert at_bytes(TENSORS, RECIPE, len(data)).squared_error < error


@pytest.mark.parametrize("budget", [2500, 4000])
def test_a_budget_is_kept_and_nearly_used(budget):
    point = at_bytes(TENSORS, RECIPE, budget)
    assert 0.97 * budget < point.bytes <= budget


def test_impossible_budgets_prices_and_recipes_are_refused():
    with pytest.raises(ValueError, match="highest price"):
        at_bytes(TENSORS, RECIPE, 100)
    with pytest.raises(ValueError, match="nothing to price"):
        at_bytes(TENSORS, FixedPoint(8), 10_000)
    with pytest.raises(ValueError, match="price"):
        at_price(TENSORS, RECIPE, -1.0)
    with pytest.raises(ValueError, match="lowest price"):
        at_error(TENSORS, RECIPE, 1e-9)
    with pytest.raises(ValueError, match="one of them"):
        at_error(TENSORS, RECIPE)
    with pytest.raises(ValueError, match="one of them"):
        at_error(TENSORS, RECIPE, 1.0, sqnr=20)
    with pytest.raises(ValueError, match="at least one"):
        at_price(TENSORS, [], 1.0)


# ---- an error budget


def test_an_error_budget_is_kept_and_nearly_used():
    fine, coarse = curve(TENSORS, RECIPE, [1e-6, 1e-2])
    budget = 0.3 * fine.squared_error + 0.7 * coarse.squared_error
    point = at_error(TENSORS, RECIPE, budget)
    assert 0.97 * budget < point.squared_error <= budget
    assert coarse.bytes < point.bytes < fine.bytes


def test_a_ratio_in_decibels_is_that_of_all_priced_tensors():
    point = at_error(TENSORS, RECIPE, sqnr=8)
    decoded = qcodec.load(qcodec.save(TENSORS, recipe=point.recipe, profile="small"))
    names = ["small.weight", "large.weight"]
    signal = sum(np.sum(np.square(TENSORS[name], dtype=np.float64)) for name in names)
    noise = sum(
        np.sum(np.square(TENSORS[name] - decoded[name], dtype=np.float64)) for name in names
    )
    assert point.sqnr == pytest.approx(10 * math.log10(signal / noise))
    assert 8 <= point.sqnr < 8.1
    assert at_error(TENSORS, RECIPE, signal / 10**0.8).bytes == point.bytes


def test_the_budget_that_a_point_uses_finds_a_point_as_good():
    point = at_bytes(TENSORS, RECIPE, 3500)
    again = at_error(TENSORS, RECIPE, point.squared_error * 1.001)
    assert again.bytes <= point.bytes * 1.005


# ---- the curve


def test_each_point_is_the_cheapest_at_its_own_price():
    """So the curve is convex: every point lies on a line below all others."""
    offers = [Recipe(weights=Codebook(bits)) for bits in (2, 3, 5)]
    points = curve(TENSORS, offers)
    assert len(points) == 12
    assert points[0].bytes > 2 * points[-1].bytes
    for one, other in itertools.permutations(points, 2):
        price = 8 * one.price
        mine = one.squared_error + price * one.bytes
        assert mine <= (other.squared_error + price * other.bytes) * 1.01


# ---- several codecs for each tensor


OFFERS = [FixedPoint(2), FixedPoint(3), FixedPoint(5), Ternary(), Affine(4, per=0)]
TINY = {
    name: np.random.default_rng(seed).laplace(size=(12, 20)).astype(np.float32) * scale
    for seed, (name, scale) in enumerate([("a", 0.1), ("b", 1.0), ("c", 3.0)])
}


def every_combination():
    """(codecs, bytes of frames, squared error) of all choices for TINY."""
    measured = {}
    for (name, array), codec in itertools.product(TINY.items(), OFFERS):
        data = qcodec.encode(array, codec, profile="small")
        error = np.sum(np.square(array - qcodec.decode(data), dtype=np.float64))
        measured[name, codec] = len(data), float(error)
    for codecs in itertools.product(OFFERS, repeat=len(TINY)):
        parts = [measured[key] for key in zip(TINY, codecs, strict=True)]
        yield codecs, sum(size for size, _ in parts), sum(error for _, error in parts)


def offers():
    return [Recipe([Rule(".", codec)]) for codec in OFFERS]


@pytest.mark.parametrize("price", [0, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1, 10])
def test_the_choice_is_the_best_of_all_combinations(price):
    best = min(error + 8 * price * size for _, size, error in every_combination())
    recipe = at_price(TINY, offers(), price)
    chosen = tuple(recipe.codec_for(name, (12, 20), "float32") for name in TINY)
    costs = {codecs: error + 8 * price * size for codecs, size, error in every_combination()}
    assert costs[chosen] == pytest.approx(best, rel=1e-6)


def test_budgets_find_the_corners_of_the_convex_hull(monkeypatch):
    # Tensors that share a frame have no size of their own.
    monkeypatch.setattr("qcodec._file.saving.may_join", lambda *_: False)
    combinations = [(size, error) for _, size, error in every_combination()]
    found = set()
    for price in np.geomspace(1e-5, 100, 200):
        size, error = min(combinations, key=lambda one: one[1] + 8 * price * one[0])
        found.add((size, round(error, 6)))
    assert len(found) > 4, "a hull with corners"
    overhead = at_bytes(TINY, offers(), 10**6).bytes - max(size for size, _ in found)
    for size, error in found:
        by_bytes = at_bytes(TINY, offers(), size + overhead)
        by_error = at_error(TINY, offers(), error * 1.00001)
        assert by_bytes.squared_error == pytest.approx(error, rel=1e-4)
        assert by_error.bytes == by_bytes.bytes


def test_bits_are_chosen_for_the_price():
    """Too few bits clip what is worth its bits, and too many buy entries that nobody takes."""
    array = {"w": np.random.default_rng(3).normal(size=(60, 100)).astype(np.float32)}
    offers = [Codebook(bits) for bits in (2, 3, 4, 5, 6)]
    bits = [at_price(array, offers, price).rules[0].codec.bits for price in (0.05, 0.02, 0.002)]
    assert bits == sorted(bits)
    assert bits[0] < bits[-1]


def test_choices_have_less_error_than_any_one_of_them():
    offers = [Codebook(2), Codebook(4), Affine(5)]
    point = at_bytes(TENSORS, offers, 3000)
    for codec in offers:
        assert point.squared_error <= at_bytes(TENSORS, codec, 3000).squared_error * 1.01


def test_tensors_without_a_choice_are_as_in_the_first_recipe():
    tensors = dict(TENSORS, steps=np.arange(10))
    first, second = (Recipe(weights=Codebook(bits), others=FixedPoint(8)) for bits in (3, 4))
    recipe = at_price(tensors, [first, second], 1e-4)
    assert [rule.pattern for rule in recipe.rules] == [
        exactly("small.weight"),
        exactly("large.weight"),
    ]
    assert recipe.others == FixedPoint(8)


def test_bfloat16_and_float64_are_measured_as_numbers():
    bfloat16 = (TENSORS["large.weight"].view(np.uint32) >> 16).astype(np.uint16)
    given = pytest.importorskip("ml_dtypes").bfloat16
    tensors = {"a": bfloat16.view(given), "b": TENSORS["large.weight"].astype(np.float64)}
    (point,) = curve(tensors, Codebook(5), [0.01])
    (alone,) = curve({"b": tensors["b"]}, Codebook(5), [0.01])
    assert point.squared_error == pytest.approx(2 * alone.squared_error, rel=0.05)
