"""k-means by histogram: near the optimum, or reported as too coarse."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qcodec._core import core
from qcodec.quantize import quantize_codebook
from qcodec.quantize.codebook import (
    _EXACT_PER_ENTRY,
    _MAX_COARSENESS,
    _MAX_EXACT_START,
    _MAX_NEAR,
    INITS,
    _centroids,
)

GREATEST = float(np.finfo(np.float32).max)
N = 200_000


def squared_error(values, centroids):
    distinct = np.unique(centroids)
    nearest = distinct[core.assign(values, distinct)].astype(np.float64)
    return float(np.sum(np.square(values - nearest)))


def distributions():
    rng = np.random.default_rng(0)
    yield "gauss", rng.normal(scale=0.02, size=N)
    yield "laplace", rng.laplace(size=N)
    yield "uniform", rng.random(N)
    yield "near one", 1 + 0.01 * rng.normal(size=N)
    yield "mostly zero", np.where(rng.random(N) < 0.9, 0, rng.normal(size=N))
    yield "two scales", np.concatenate([rng.normal(size=N // 2), 1e4 * rng.normal(size=N // 2)])
    yield "student", rng.standard_t(3, N)
    yield "integers", rng.integers(-30, 30, N)
    yield "outliers", np.append(rng.normal(scale=0.01, size=N), [1e20, -3e8])


@pytest.mark.parametrize("k", [1, 2, 15, 16, 64, 255])
def test_the_error_is_within_a_twentieth_of_a_percent_or_the_bins_are_called_coarse(k):
    fine = 0
    for name, values in distributions():
        x = values.astype(np.float32)
        centroids, coarseness = core.kmeans_fast(x, k)
        assert np.all(centroids[1:] >= centroids[:-1]), name
        if coarseness <= _MAX_COARSENESS:
            fine += 1
            best = core.kmeans_exact(np.sort(x), k)[1]
            assert squared_error(x, centroids) <= best * 1.0005, name
    assert fine >= 7, "a method that is always coarse is of no use"


def test_narrow_groups_far_apart_are_called_coarse_and_done_exactly():
    rng = np.random.default_rng(1)
    x = np.concatenate([1000 + rng.normal(size=N), -1000 + rng.normal(size=N)]).astype(np.float32)
    x[0] = -1e6
    _, coarseness = core.kmeans_fast(x, 16)
    assert coarseness > _MAX_COARSENESS
    by_fast = quantize_codebook(x, 4, "fast").codebook.values[0]
    np.testing.assert_array_equal(by_fast, core.kmeans_exact(np.sort(x), 16)[0])


@given(
    st.lists(st.floats(-GREATEST, GREATEST, width=32), min_size=1, max_size=50),
    st.integers(1, 20),
)
@example([GREATEST, -3.3895313892515355e38], 1)  # a bin that ends beyond the largest float
@settings(deadline=None)
def test_any_finite_values_give_ascending_centroids_between_them(values, k):
    x = np.array(values, np.float32)
    centroids, coarseness = core.kmeans_fast(x, k)
    assert np.all(centroids[1:] >= centroids[:-1])
    assert x.min() <= centroids[0]
    assert centroids[-1] <= x.max()
    assert 0 <= coarseness <= 1


@pytest.mark.parametrize("value", [0.0, 0.1, -1e30, GREATEST, 1e-45])
def test_equal_values_give_that_value(value):
    centroids, coarseness = core.kmeans_fast(np.full(N, value, np.float32), 4)
    assert centroids.tolist() == [np.float32(value)] * 4
    assert coarseness in (0, 1)


def test_the_order_of_values_hardly_matters():
    x = np.random.default_rng(2).normal(size=N).astype(np.float32)
    orders = (x, np.sort(x), np.sort(x)[::-1].copy())
    errors = [squared_error(y, core.kmeans_fast(y, 16)[0]) for y in orders]
    np.testing.assert_allclose(errors, errors[0], rtol=5e-4)


@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_wherever_they_are(bad):
    for place in (0, 1, 499):
        x = np.linspace(-1, 1, 500, dtype=np.float32)
        x[place] = bad
        with pytest.raises(ValueError, match="not finite"):
            core.kmeans_fast(x, 4)


def test_values_far_out_take_more_bins_wherever_they_are():
    """What is counted in wider and wider windows, or in the end by the range of all values."""
    x = np.random.default_rng(5).normal(size=N).astype(np.float32)
    for far in (1e2, 1e4, 1e9, 1e18, 1e30):
        with_far = np.where(np.arange(N) % 50_000 == 7, np.float32(far), x)
        first, last = (core.kmeans_fast(y, 4)[0] for y in (with_far, with_far[::-1].copy()))
        np.testing.assert_allclose(first, last, atol=0.01)
        assert first[-1] == last[-1] == np.float32(far)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("init", INITS)
def test_a_codebook_says_which_values_are_not_finite(init, bad):
    x = np.linspace(-1, 1, 600, dtype=np.float32).reshape(20, 30)
    x[3, 7] = bad
    for groups in ({}, {"per": 0}, {"scale": "max"}, {"mask": np.ones(x.shape, np.bool_)}):
        with pytest.raises(ValueError, match=r"1 of 600 values is NaN .* first at \(3, 7\)"):
            quantize_codebook(x, 2, init, **groups)


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="no values"):
        core.kmeans_fast(np.zeros(0, np.float32), 4)
    for k in (0, 257):
        with pytest.raises(ValueError, match="centroids"):
            core.kmeans_fast(np.zeros(3, np.float32), k)


def near(values, k):
    return core.group_codebooks(values, None, len(values), 1, k, 1 << 30, 0, exact=False)[0][0]


METHODS = {
    "exact": lambda values, k: core.kmeans_exact(np.sort(values), k)[0],
    "near": near,
    "fast": lambda values, k: core.kmeans_fast(values, k)[0],
}


@pytest.mark.parametrize("k", [4, 16, 100])
def test_auto_is_exact_near_or_fast_by_the_number_of_values(k):
    x = np.random.default_rng(3).normal(size=_MAX_NEAR + 1).astype(np.float32)
    few = _EXACT_PER_ENTRY * k
    for count, method in ((few, "exact"), (few + 1, "near"), (_MAX_NEAR, "near"), (len(x), "fast")):
        values = x[:count]
        np.testing.assert_array_equal(_centroids(values, k, "auto", 0), METHODS[method](values, k))


def test_the_start_of_prices_of_bits_is_exact_for_longer():
    x = np.random.default_rng(5).normal(size=_MAX_EXACT_START + 1).astype(np.float32)
    for values, method in ((x[:-1], "exact"), (x, "fast")):
        found = _centroids(values, 16, "auto", 0, is_start=True)
        np.testing.assert_array_equal(found, METHODS[method](values, 16))


def pruned(rng, count):
    x = rng.normal(size=20 * count)
    return x[np.abs(x) > 1.6][:count]


DISTRIBUTIONS = {
    "Gaussian": lambda rng, count: rng.normal(size=count),
    "pruned": pruned,
    "two narrow groups": lambda rng, count: rng.normal(rng.choice([-1, 1], count), 0.05),
    "heavy tails": lambda rng, count: rng.standard_t(3, size=count),
    "few values": lambda rng, count: rng.integers(0, 40, count),
}


@pytest.mark.parametrize("count", [3_000, _MAX_NEAR + 1, 40_000])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_auto_is_near_the_optimum_where_bins_are_too_coarse_too(name, count):
    x = DISTRIBUTIONS[name](np.random.default_rng(count), count).astype(np.float32)
    for k in (4, 16, 64):
        error = squared_error(x, _centroids(x, k, "auto", 0))
        best = squared_error(x, METHODS["exact"](x, k))
        assert error <= best * 1.0008


def test_what_was_decoded_quantizes_to_itself_by_the_fast_method():
    x = np.random.default_rng(4).normal(size=N).astype(np.float32)
    once = quantize_codebook(x, 4, "fast").dequantize()
    np.testing.assert_array_equal(quantize_codebook(once, 4, "fast").dequantize(), once)
