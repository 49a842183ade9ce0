"""One price for all tensors: bytes against squared error."""

import numpy as np
import pytest

import qcodec
from qcodec import Affine, Codebook, DeepCompression, Density, Recipe, Sparse
from qcodec.rate_distortion import at_bytes, at_price, curve
from qcodec.recipes import Rule

RNG = np.random.default_rng(0)
TENSORS = {
    "small.weight": RNG.normal(scale=0.01, size=(40, 100)).astype(np.float32),
    "large.weight": RNG.laplace(size=(40, 100)).astype(np.float32),
    "bias": RNG.normal(size=40).astype(np.float32),
}
RECIPE = Recipe(
    [Rule("^small", Codebook(5)), Rule("^large", Sparse(Codebook(5), Density(0.3)))],
    others=Affine(8),
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
    assert found["bias"] == Affine(8)


def test_deep_compression_is_priced_too_and_names_are_taken_literally():
    tensors = {"a.b": TENSORS["small.weight"], "axb": TENSORS["small.weight"].copy()}
    recipe = Recipe([Rule(r"^a\.b$", DeepCompression(4))])
    priced = at_price(tensors, recipe, 1e-6)
    assert priced.codec_for("a.b", (40, 100), "float32").codec.rate > 0
    assert priced.codec_for("axb", (40, 100), "float32") == recipe.weights


@pytest.mark.parametrize("codec", [Codebook(4, per=0), Codebook(4, scale="rms", group=10)])
def test_codebooks_with_groups_or_scales_stay_as_they_are(codec):
    recipe = Recipe([Rule("^small", codec), Rule("^large", Codebook(5))])
    priced = at_price(TENSORS, recipe, 1e-5)
    assert priced.codec_for("small.weight", (40, 100), "float32") == codec
    assert priced.codec_for("large.weight", (40, 100), "float32").rate > 0


def test_more_for_a_bit_is_fewer_bytes_and_more_error():
    points = curve(TENSORS, RECIPE, [1e-7, 1e-5, 1e-3, 0.1])
    assert np.all(np.diff([point.bytes for point in points]) < 0)
    assert np.all(np.diff([point.squared_error for point in points]) > 0)


def test_a_point_is_what_its_recipe_makes():
    (point,) = curve(TENSORS, RECIPE, [1e-4])
    data = qcodec.save(TENSORS, point.recipe, profile="small")
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
            others=Affine(8),
        )

    data = qcodec.save(TENSORS, equal(0.05), profile="small")
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
        at_bytes(TENSORS, Affine(8), 10_000)
    with pytest.raises(ValueError, match="price"):
        at_price(TENSORS, RECIPE, -1.0)
