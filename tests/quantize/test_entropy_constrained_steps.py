"""Entropy-constrained equal steps: less error than plain ones in fewer bytes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec import Affine, Codebook, Density, Sparse
from qcodec._core import core
from qcodec.quantize import quantize_affine
from qcodec.quantize.entropy_constrained_steps import EqualSteps

GAUSS = np.random.default_rng(0).normal(scale=0.02, size=200_000).astype(np.float32)
LAPLACE = np.random.default_rng(1).laplace(size=(400, 500)).astype(np.float32)


def error(x, q):
    """In variances of the values."""
    return float(np.mean(np.square(x - q.dequantize(), dtype=np.float64)) / x.var(dtype=np.float64))


def entropy(codes):
    sizes = np.bincount(codes)
    shares = sizes[sizes > 0] / len(codes)
    return float(-np.sum(shares * np.log2(shares)))


def cost(x, q, rate):
    return error(x, q) + rate * entropy(q.codes)


def with_step(x, step, levels, rate):
    """The least cost that the best assignment finds with this step, by its own rounds."""
    numbers = np.arange(-(levels // 2) + 1, levels // 2 + 1)
    variance = x.var(dtype=np.float64)
    entries, costs = (numbers * step).astype(np.float32), np.zeros(levels)
    for _ in range(30):
        codes = core.assign_by_cost(x, entries, costs)
        sizes = np.bincount(codes, minlength=levels)
        with np.errstate(divide="ignore"):
            costs = -rate * variance * np.log2(sizes / len(x))
    squares = np.mean(np.square(x - entries.astype(np.float64)[codes]))
    return float(squares / variance + rate * entropy(codes))


@pytest.mark.parametrize(
    ("x", "rate"), [(GAUSS, 0.04), (GAUSS, 0.005), (LAPLACE.ravel(), 0.05), (LAPLACE.ravel(), 0.3)]
)
def test_no_other_step_is_cheaper(x, rate):
    found = cost(x, quantize_affine(x, 5, rate=rate), rate)
    others = [with_step(x, step * x.std(), 32, rate) for step in np.geomspace(0.1, 4, 40)]
    assert found <= min(others) * 1.001
    assert found > min(others) * 0.98, "the search of this test is no search"


def test_too_few_levels_are_placed_where_they_cost_least():
    for bits, rate in ((2, 0.01), (3, 0.02)):
        found = cost(GAUSS, quantize_affine(GAUSS, bits, rate=rate), rate)
        steps = np.geomspace(0.1, 4, 40) * GAUSS.std()
        assert found <= min(with_step(GAUSS, step, 1 << bits, rate) for step in steps) * 1.001


@pytest.mark.parametrize(("x", "rate"), [(GAUSS.reshape(400, 500), 0.18), (LAPLACE, 0.4)])
def test_it_has_less_error_than_plain_steps_in_fewer_bytes(x, rate):
    plain, traded = Affine(3), Affine(6, rate=rate)
    sizes = [len(qcodec.encode(x, codec, profile="small")) for codec in (plain, traded)]
    assert sizes[1] < sizes[0]
    assert error(x, traded.quantize(x)) < 0.95 * error(x, plain.quantize(x))


def test_codebooks_are_hardly_cheaper_with_enough_levels():
    for x, rate in ((GAUSS, 0.02), (LAPLACE, 0.02)):
        steps, free = Affine(6, rate=rate).quantize(x), Codebook(6, rate=rate).quantize(x)
        assert cost(x, steps, rate) < 1.005 * cost(x, free, rate)


def test_a_higher_rate_gives_less_entropy_and_more_error():
    found = [quantize_affine(GAUSS, 8, rate=rate) for rate in (0.001, 0.01, 0.1, 1)]
    assert np.all(np.diff([entropy(q.codes) for q in found]) < 0)
    assert np.all(np.diff([error(GAUSS, q) for q in found]) > 0)


def test_every_weight_has_the_cheapest_level_and_the_step_fits():
    rate = 0.02
    q = quantize_affine(GAUSS, 5, rate=rate)
    sizes = np.bincount(q.codes)
    numbers = np.arange(len(sizes)) - q.zero_point
    step = q.scale.values[0]
    with np.errstate(divide="ignore"):
        costs = -rate * GAUSS.var(dtype=np.float64) * np.log2(sizes / len(GAUSS))
    cheapest = core.assign_by_cost(GAUSS, numbers.astype(np.float32) * step, costs)
    assert np.count_nonzero(cheapest != q.codes) < 1e-4 * len(GAUSS)
    taken = numbers[q.codes]
    assert step == pytest.approx(np.sum(taken * GAUSS.astype(float)) / np.sum(taken**2), rel=1e-4)


@given(
    st.lists(st.integers(-20, 20) | st.floats(-30, 30, width=16), min_size=2, max_size=40),
    st.integers(1, 5),
    st.sampled_from([1e-4, 0.01, 0.1, 1, 100]),
    st.booleans(),
    st.sampled_from(["float32", "float16", "float64"]),
)
def test_codes_are_in_range_and_zero_is_among_the_levels(values, bits, rate, symmetric, dtype):
    bits = max(bits, 2)
    x = np.array(values, dtype)
    q = quantize_affine(x, bits, rate=rate, symmetric=symmetric)
    assert q.bits <= bits
    assert 0 <= q.zero_point < 1 << q.bits
    if np.any(x != x[0]) and symmetric:
        assert q.zero_point == 1 << (bits - 1)
    decoded = qcodec.decode(qcodec.encode(q))
    assert decoded.dtype == x.dtype
    np.testing.assert_array_equal(decoded, q.dequantize())


@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=30),
    st.integers(1, 8),
    st.sampled_from([1e-9, 0.01, 1, 1e6]),
)
def test_extreme_values_stay_finite(values, bits, rate):
    x = np.array(values, np.float32)
    with np.errstate(all="ignore"):
        q = quantize_affine(x, bits, rate=rate)
    assert np.isfinite(q.dequantize()).all()


def test_float16_does_not_overflow():
    x = np.array([65504, -65504, 30000, 100, -7, 0.5] * 50, np.float16)
    for rate in (0.001, 0.05, 0.5):
        assert np.isfinite(quantize_affine(x, 3, rate=rate).dequantize()).all()


@pytest.mark.parametrize("x", [[], [2.5], [0.0, 0.0], [1.0, -1.0], [3.0, 3.0, 3.0]])
def test_few_values(x):
    x = np.array(x, np.float32)
    np.testing.assert_array_equal(quantize_affine(x, 2, rate=0.01).dequantize(), x)


def test_values_far_from_zero_are_one_level_at_a_high_price():
    x = np.random.default_rng(3).normal(50, 1, 1000).astype(np.float32)
    q = quantize_affine(x, 4, rate=1000)
    assert len(np.unique(q.codes)) == 1
    np.testing.assert_allclose(q.dequantize(), x.mean(), rtol=1e-5)


def test_with_a_mask_what_is_not_worth_its_bits_is_not_stored():
    mask = np.abs(GAUSS) > 0.01
    stored = []
    for rate in (0.001, 0.1, 0.3, 1e6):
        q = quantize_affine(GAUSS, 4, rate=rate, mask=mask)
        assert mask[q.positions].all()
        assert not np.any(q.codes == q.zero_point), "a stored zero is a wasted position"
        stored.append(q.stored)
    assert stored[0] > 0.95 * np.count_nonzero(mask)
    assert np.all(np.diff(stored) < 0)
    assert stored[-1] == 0


def test_sparse_steps_beat_plain_steps_of_the_same_mask():
    plain, traded = (Sparse(codec, Density(0.2)) for codec in (Affine(4), Affine(5, rate=0.02)))
    sizes = [len(qcodec.encode(LAPLACE, codec, profile="small")) for codec in (plain, traded)]
    assert sizes[1] < sizes[0]
    assert error(LAPLACE, traded.quantize(LAPLACE)) < error(LAPLACE, plain.quantize(LAPLACE))


def test_no_rate_is_the_plain_quantizer():
    plain, none = quantize_affine(GAUSS, 4), quantize_affine(GAUSS, 4, rate=0)
    np.testing.assert_array_equal(plain.codes, none.codes)
    assert plain.scale.values == none.scale.values


@pytest.mark.parametrize("groups", [{"per": 0}, {"group": 32}])
def test_groups_are_refused(groups):
    with pytest.raises(ValueError, match="rate with per or group"):
        quantize_affine(GAUSS.reshape(400, 500), 4, rate=0.02, symmetric=True, **groups)
    assert qcodec.Affine(4, **groups).rate == 0


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(ValueError, match="allowed is at least 0"):
        quantize_affine(GAUSS, 2, rate=rate)


def test_more_than_eight_bits_are_refused():
    with pytest.raises(ValueError, match="bits=9"):
        quantize_affine(GAUSS, 9, rate=0.01)


def test_a_step_stays_within_reach():
    fit = EqualSteps(100.0, 1000.0)
    entries = fit(np.array([-900, 900], np.float32), np.array([1, 1]), np.array([-1000, 1000.0]))
    assert math.isclose(fit.step, 1000 / 9, rel_tol=1e-6)
    assert np.abs(entries).max() <= 1000
