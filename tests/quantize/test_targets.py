"""Sizes and errors that are asked for: hit, never worse than equal bits, and by sensitivity."""

from collections.abc import Mapping

import numpy as np
import pytest

import qcodec
from qcodec import Affine, Lossless, Recipe
from qcodec.rate_distortion import OFFERED, at_bytes, at_error, at_price, offers, sensitivities
from qcodec.recipes import Rule

RNG = np.random.default_rng(0)
SCALES = {"first": 0.02, "second": 0.05, "third": 0.1, "last": 0.5}
#: Layers of different ranges, rows of different ranges, and what is no weight.
NET = {
    f"{name}.weight": (RNG.laplace(size=(64, 200)) * scale * RNG.uniform(0.5, 2, (64, 1))).astype(
        np.float32
    )
    for name, scale in SCALES.items()
} | {"norm.bias": RNG.normal(size=200).astype(np.float32), "steps": np.arange(50)}


def error_of(recipe, sensitivity):
    """Bytes of the file, and the squared error of the weights."""
    data = qcodec.save(NET, recipe=recipe, profile="balanced")
    again = qcodec.load(data)
    error = 0.0
    for name in NET:
        if name.endswith("weight"):
            noise = float(np.sum(np.square(NET[name] - again[name], dtype=np.float64)))
            mean_square = float(np.mean(np.square(NET[name], dtype=np.float64)))
            error += noise / mean_square if sensitivity == "relative" else noise
    return len(data), error


@pytest.mark.parametrize("sensitivity", [None, "relative"])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_the_error_is_never_above_that_of_equal_bits_at_the_same_size(bits, sensitivity):
    size, error = error_of(Affine(bits, per=0, symmetric=True), sensitivity)
    point = at_bytes(NET, offers(), size, profile="balanced", sensitivity=sensitivity)
    assert 0.98 * size < point.bytes <= size
    assert point.squared_error <= error * (1 + 1e-9)
    measured = error_of(point.recipe, sensitivity)
    assert measured == (point.bytes, pytest.approx(point.squared_error, rel=1e-5))


def test_relative_errors_do_not_depend_on_the_scale_of_a_layer():
    scaled = {**NET, "last.weight": NET["last.weight"] * np.float32(64)}
    plain, other = (
        at_bytes(net, offers(), 20_000, sensitivity="relative") for net in (NET, scaled)
    )
    assert [rule.codec.bits for rule in plain.recipe.rules] == [
        rule.codec.bits for rule in other.recipe.rules
    ]
    assert plain.bytes == pytest.approx(other.bytes, rel=0.002)
    assert plain.sqnr == pytest.approx(other.sqnr, abs=0.1)


@pytest.mark.parametrize("size", [9_000, 20_000])
def test_a_size_is_hit_within_a_hundredth(size):
    assert 0.99 * size < at_bytes(NET, offers(), size, profile="balanced").bytes <= size


def test_a_size_that_all_bits_fit_into_keeps_every_bit():
    point = at_bytes(NET, offers(), 10**6)
    assert point.squared_error == 0
    assert {rule.codec for rule in point.recipe.rules} == {Lossless()}


@pytest.mark.parametrize("decibels", [12, 40])
def test_an_error_is_hit_within_a_hundredth(decibels):
    point = at_error(NET, offers(), sqnr=decibels, profile="balanced")
    assert decibels <= point.sqnr < decibels + max(0.01 * decibels, 0.1)


def test_what_a_search_tried_is_a_curve():
    point = at_bytes(NET, offers(), 20_000)
    sizes, decibels = zip(*point.tried, strict=True)
    assert list(sizes) == sorted(sizes)
    assert list(decibels) == sorted(decibels)
    assert sizes[0] < point.bytes < sizes[-1]


# ---- what is chosen for


def test_rules_are_kept_if_that_is_asked_for():
    recipe = Recipe([Rule("^last", Affine(5, symmetric=True)), Rule("^first", None)])
    point = at_bytes(NET, offers(recipe), 60_000, keep_rules=True)
    codecs = {name: point.recipe.codec_for(name, (64, 200), "float32") for name in NET}
    assert codecs["last.weight"] == Affine(5, symmetric=True)
    assert codecs["first.weight"] is None
    priced = at_bytes(NET, offers(recipe), 90_000)
    assert priced.recipe.codec_for("last.weight", (64, 200), "float32") != Affine(5, symmetric=True)


def test_tensors_with_values_that_are_not_finite_keep_every_bit():
    broken = NET["first.weight"].copy()
    broken[3, 4] = np.nan
    point = at_bytes({**NET, "first.weight": broken}, offers(), 90_000)
    assert point.recipe.codec_for("first.weight", (64, 200), "float32") == Lossless()
    with pytest.raises(ValueError, match=r"first.weight.*NaN or infinite"):
        at_bytes({**NET, "first.weight": broken}, Affine(4), 90_000)


def test_tensors_are_read_one_at_a_time():
    alive, most = 0, 0

    class Tensor:
        def __init__(self, array):
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            self._array = array

        def __array__(self, dtype=None, copy=None):
            return self._array

        def __del__(self):
            nonlocal alive
            alive -= 1

    class OnDemand(Mapping):
        def __getitem__(self, name):
            return Tensor(NET[name])

        def __iter__(self):
            return iter(NET)

        def __len__(self):
            return len(NET)

    at_bytes(OnDemand(), offers(), 30_000, steps=3)
    assert most <= 2


# ---- sensitivity


def test_bits_go_where_an_error_counts():
    counts = {"first.weight": 1e4}
    plain, weighted = (at_price(NET, offers(), 1e-3, sensitivity=given) for given in (None, counts))
    names = list(NET)
    before, after = (
        [
            len(qcodec.encode(NET[name], recipe.codec_for(name, (64, 200), "float32")))
            for name in names[:4]
        ]
        for recipe in (plain, weighted)
    )
    assert after[0] > 1.5 * before[0]
    assert after[1:] == before[1:]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"none": 1.0}, "no tensor 'none'"),
        ({"steps": 0.0}, "'steps' is 0.0: allowed is a number"),
        ("equal", "allowed are None, 'relative' and a mapping"),
    ],
)
def test_a_sensitivity_of_no_tensor_or_of_nothing_is_refused(counts, message):
    with pytest.raises((TypeError, ValueError), match=message):
        at_price(NET, offers(), 1e-3, sensitivity=counts)


def chain(x):
    """A net of two layers, of which the second has a gain of 100."""

    def outputs(changed):
        first = changed.get("first.weight", NET["first.weight"])
        second = changed.get("second.weight", NET["second.weight"])
        return {"y": 100 * np.maximum(x @ first, 0) @ second.T, "labels": np.arange(3)}

    return outputs


def test_sensitivity_is_measured_by_the_outputs():
    x = RNG.normal(size=(50, 64))
    found = sensitivities(NET, chain(x), ["first.weight", "second.weight", "third.weight"])
    outputs = chain(x)
    power = np.sum(np.square(outputs({})["y"]))
    relative = {}
    for name in ("first.weight", "second.weight"):
        noise = RNG.normal(size=NET[name].shape) * 1e-3
        change = outputs({name: NET[name] + noise})["y"] - outputs({})["y"]
        relative[name] = np.sum(np.square(change)) / power / np.sum(np.square(noise))
    expected = relative["first.weight"] / relative["second.weight"]
    assert found["first.weight"] / found["second.weight"] == pytest.approx(expected, rel=0.4)
    assert np.prod(list(found.values())) == pytest.approx(1)
    assert found["third.weight"] == min(found.values()), "it is not used"


def test_a_measured_sensitivity_makes_the_outputs_better_at_the_same_size():
    x = RNG.normal(size=(200, 64))
    outputs = chain(x)
    names = ["first.weight", "second.weight"]
    tensors = {name: NET[name] for name in names}
    found = sensitivities(tensors, outputs)
    errors = []
    for counts in (None, found):
        point = at_bytes(tensors, offers(), 9_000, sensitivity=counts)
        again = qcodec.load(qcodec.save(tensors, recipe=point.recipe, profile="small"))
        errors.append(np.sum(np.square(outputs(again)["y"] - outputs({})["y"])))
    assert errors[1] < 0.9 * errors[0]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (lambda changed: np.full(3, np.nan), "output 0 of the net has values that are not finite"),
        (lambda changed: np.ones(3 + len(changed)), "before"),
        (lambda changed: np.ones(3), "does the net use the tensors"),
    ],
)
def test_a_net_that_cannot_be_measured_says_why(outputs, message):
    with pytest.raises(ValueError, match=message):
        sensitivities(NET, outputs, ["first.weight"])


def test_the_offers_reach_from_a_bit_to_every_bit():
    assert OFFERED[0].is_lossless
    assert OFFERED[1].rate > 0
    assert [one.weights for one in offers()] == list(OFFERED)
