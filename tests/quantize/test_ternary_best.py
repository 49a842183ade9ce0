"""The best ternary threshold by a histogram: the same optimum as by sorting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core
from qcodec.quantize import quantize_ternary, ternary_best
from qcodec.quantize.groups import Grouping

GREATEST = float(np.finfo(np.float32).max)
N = 300_000

finite = st.floats(-GREATEST, GREATEST, width=32) | st.integers(-3, 3).map(float)


def gain(magnitudes, threshold):
    """What storing those above the threshold takes off the squared error."""
    stored = magnitudes[magnitudes > threshold].astype(np.float64)
    return stored.sum() ** 2 / max(len(stored), 1)


def greatest_gain(magnitudes):
    descending = np.sort(magnitudes)[::-1].astype(np.float64)
    return float(np.max(np.cumsum(descending) ** 2 / np.arange(1, len(descending) + 1)))


def sides_of(x, sides):
    return [np.abs(x)] if sides == 1 else [np.maximum(x, 0), np.maximum(-x, 0)]


def distributions():
    rng = np.random.default_rng(0)
    yield "gauss", rng.normal(scale=0.02, size=N)
    yield "laplace", rng.laplace(size=N)
    yield "uniform", rng.random(N) - 0.3
    yield "mostly zero", np.where(rng.random(N) < 0.9, 0, rng.normal(size=N))
    yield "student", rng.standard_t(3, N)
    yield "cauchy", rng.standard_cauchy(N)
    yield "log-normal", np.exp(3 * rng.normal(size=N))
    yield "integers", rng.integers(-30, 30, N)
    yield "two groups", np.where(rng.random(N) < 0.5, 1, 1.001) * rng.choice([-1, 1], N)
    yield "outliers", np.append(rng.normal(size=N), [1e30, -GREATEST])
    yield "subnormal", 1e-42 * rng.normal(size=N)
    yield "zeros", np.zeros(N)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("values", [pytest.param(x, id=name) for name, x in distributions()])
def test_no_threshold_is_better(values, sides):
    x = values.astype(np.float32)
    thresholds, means, coarse = core.ternary_best(x, sides)
    assert not coarse
    for magnitudes, threshold, mean in zip(sides_of(x, sides), thresholds, means, strict=True):
        best = greatest_gain(magnitudes)
        assert gain(magnitudes, threshold) >= best * (1 - 1e-12)
        stored = magnitudes[magnitudes > threshold].astype(np.float64)
        assert mean == (np.float32(stored.mean()) if best > 0 else 0)


@pytest.mark.parametrize("sides", [1, 2])
@given(values=st.lists(finite, min_size=1, max_size=30))
def test_no_threshold_is_better_for_few_values_of_any_size(sides, values):
    x = np.array(values, np.float32)
    thresholds, _, coarse = core.ternary_best(x, sides)
    for magnitudes, threshold in zip(sides_of(x, sides), thresholds, strict=True):
        slack = 0.01 if coarse else 1e-12
        assert gain(magnitudes, threshold) >= greatest_gain(magnitudes) * (1 - slack)


def flat():
    """Magnitudes for which each threshold is as good as another, but for rounding."""
    return (np.sqrt(np.arange(1, N + 1)) - np.sqrt(np.arange(N))).astype(np.float32)


def test_sorting_takes_over_where_the_histogram_is_too_coarse():
    x = flat()
    assert core.ternary_best(x, 1)[2]
    layout = Grouping(len(x), 1)
    found = ternary_best.best_ternary(x, layout, 1)
    np.testing.assert_array_equal(found, ternary_best._by_sorting(x, layout, 1))


@pytest.mark.parametrize("scales", [1, 2])
def test_large_tensors_and_groups_are_quantized_as_by_sorting(scales, monkeypatch):
    x = np.random.default_rng(2).laplace(size=(2, ternary_best._MIN_COUNTED)).astype(np.float32)
    counted = [quantize_ternary(x, scales=scales, per=per) for per in (None, 0)]
    monkeypatch.setattr(ternary_best, "_MIN_COUNTED", x.size + 1)
    for q, per in zip(counted, (None, 0), strict=True):
        by_sorting = quantize_ternary(x, scales=scales, per=per)
        np.testing.assert_array_equal(q.codes, by_sorting.codes)
        np.testing.assert_allclose(q.codebook.values, by_sorting.codebook.values, rtol=2e-7)


def test_the_order_of_values_does_not_matter():
    x = np.random.default_rng(3).normal(size=N).astype(np.float32)
    found = [core.ternary_best(y, 2) for y in (x, np.sort(x), x[::-1].copy())]
    for thresholds, means, _ in found[1:]:
        np.testing.assert_array_equal(thresholds, found[0][0])
        np.testing.assert_array_equal(means, found[0][1])


def test_counts_do_not_overflow():
    """A counter of 24 bits would overflow: 2^24 equal values are one more than it holds."""
    x = np.full((1 << 25) + 3, np.float32(1.25))
    x[-1] = 100
    thresholds, means, _ = core.ternary_best(x, 1)
    assert thresholds[0] < 1.25
    assert means[0] == np.float32((1.25 * (len(x) - 1) + 100) / len(x))


@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    x = np.linspace(-1, 1, 500, dtype=np.float32)
    x[123] = bad
    for sides in (1, 2):
        with pytest.raises(ValueError, match="not finite"):
            core.ternary_best(x, sides)


@pytest.mark.parametrize("count", [500, ternary_best._MIN_COUNTED])
@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_the_quantizer_says_which_values_are_not_finite(bad, count):
    x = np.ones((2, count), np.float32)
    x[1, 30] = bad
    for groups in ({}, {"per": 0}, {"mask": np.ones(x.shape, np.bool_)}):
        with pytest.raises(ValueError, match=r"1 of .* values is NaN .* first at \(1, 30\)"):
            quantize_ternary(x, **groups)


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="no values"):
        core.ternary_best(np.zeros(0, np.float32), 1)
    with pytest.raises(ValueError, match="sides"):
        core.ternary_best(np.zeros(1, np.float32), 3)


@pytest.mark.parametrize("threshold", ["exact", "twn", 0.3, 1 / 3])
@given(values=st.lists(finite, min_size=1, max_size=30))
def test_one_group_has_the_trits_that_a_row_of_several_has(threshold, values):
    x = np.array(values, np.float32)
    alone = quantize_ternary(x, threshold)
    rows = quantize_ternary(np.stack([x, x]), threshold, per=0)
    np.testing.assert_array_equal(rows.codes.reshape(2, -1), np.stack([alone.codes] * 2))


@given(
    st.lists(finite, max_size=40),
    st.lists(finite, max_size=255).map(sorted),
)
def test_the_code_is_the_number_of_thresholds_below(values, thresholds):
    x, at = np.array(values, np.float32), np.array(thresholds, np.float32)
    np.testing.assert_array_equal(
        core.assign_by_thresholds(x, at), np.searchsorted(at, x, side="left")
    )


def test_more_thresholds_than_codes_are_refused():
    with pytest.raises(ValueError, match="allowed are 0 to 255"):
        core.assign_by_thresholds(np.zeros(1, np.float32), np.zeros(256, np.float32))


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("inner", [1, 3, 70, 200, 1000])
@pytest.mark.parametrize("groups", [1, 7])
def test_thresholds_of_groups_have_the_greatest_gain(inner, groups, sides):
    x = np.random.default_rng(inner).laplace(size=3333).astype(np.float32)
    x[::5] = np.round(x[::5])  # equal values, and zeros
    layout = Grouping(inner, groups)
    thresholds, means = ternary_best.best_ternary(x, layout, sides)
    group_of = layout.of(np.arange(len(x)))
    for group in range(groups):
        members = sides_of(x[group_of == group], sides)
        for of_side, threshold, mean in zip(members, thresholds[group], means[group], strict=True):
            best = greatest_gain(of_side) if len(of_side) else 0
            assert gain(of_side, threshold) >= best * (1 - 1e-12)
            stored = of_side[of_side > threshold].astype(np.float64)
            assert mean == (np.float32(stored.mean()) if len(stored) else 0)


def test_thresholds_and_sums_of_other_shapes_are_refused():
    x, wrong = np.ones(4, np.float32), np.zeros((1, 3), np.float32)
    for inner, groups, sides in ((0, 1, 1), (1, 0, 1), (1, 1, 3)):
        with pytest.raises(ValueError, match="sides of"):
            core.ternary_thresholds(x, inner, groups, sides)
    for function in (core.sums_beyond, core.ternary_codes):
        with pytest.raises(ValueError, match="allowed is"):
            function(x, 1, wrong)
        with pytest.raises(ValueError, match="consecutive"):
            function(x, 0, np.zeros((1, 2), np.float32))
