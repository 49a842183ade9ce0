"""Entropy-constrained codebooks: less error than k-means in fewer bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._core import core
from qcodec.quantize import quantize_codebook
from qcodec.quantize.entropy_descent import Ordered, descend, means

GAUSS = np.random.default_rng(0).normal(scale=0.02, size=200_000).astype(np.float32)


def error(x, q):
    """In variances of the values."""
    return float(np.mean(np.square(x - q.dequantize(), dtype=np.float64)) / x.var(dtype=np.float64))


def entropy(codes):
    sizes = np.bincount(codes)
    shares = sizes[sizes > 0] / len(codes)
    return float(-np.sum(shares * np.log2(shares)))


def cost(x, entries, codes, rate):
    squares = np.square(x - entries.astype(np.float64)[codes])
    return float(np.mean(squares) + rate * x.var(dtype=np.float64) * entropy(codes))


@pytest.mark.parametrize(("draw", "rate"), [("normal", 0.042), ("laplace", 0.052)])
def test_it_has_less_error_than_k_means_in_fewer_bytes(draw, rate):
    x = getattr(np.random.default_rng(1), draw)(size=(400, 500)).astype(np.float32)
    k_means, traded = qcodec.Codebook(3), qcodec.Codebook(5, rate=rate)
    sizes = [len(qcodec.encode(x, codec, profile="small")) for codec in (k_means, traded)]
    errors = [error(x, codec.quantize(x)) for codec in (k_means, traded)]
    assert sizes[1] < sizes[0]
    assert errors[1] < 0.9 * errors[0]


def test_the_errors_are_those_of_the_documentation():
    for rate, expected in ((0.04, 0.03), (0.001, 0.0007)):
        assert error(GAUSS, quantize_codebook(GAUSS, 8, rate=rate)) == pytest.approx(
            expected, rel=0.1
        )


def test_a_higher_rate_gives_less_entropy_and_more_error():
    found = [quantize_codebook(GAUSS, 6, rate=rate) for rate in (0, 0.001, 0.01, 0.1, 1)]
    entropies, errors = [entropy(q.codes) for q in found], [error(GAUSS, q) for q in found]
    assert np.all(np.diff(entropies) < 0)
    assert np.all(np.diff(errors) > 0)


def test_no_rate_is_k_means():
    plain, none = quantize_codebook(GAUSS, 4), quantize_codebook(GAUSS, 4, rate=0)
    np.testing.assert_array_equal(plain.codes, none.codes)
    np.testing.assert_array_equal(plain.codebook.values, none.codebook.values)


def test_every_weight_has_the_cheapest_entry_and_entries_are_means():
    rate = 0.02
    q = quantize_codebook(GAUSS, 5, rate=rate)
    entries, sizes = q.codebook.values[0], np.bincount(q.codes)
    bits = -np.log2(sizes / len(GAUSS))
    costs = rate * GAUSS.var(dtype=np.float64) * bits
    cheapest = core.assign_by_cost(GAUSS, entries, costs)
    assert np.count_nonzero(cheapest != q.codes) < 1e-4 * len(GAUSS)
    means = np.bincount(q.codes, GAUSS) / sizes
    np.testing.assert_allclose(entries, means, atol=1e-3 * GAUSS.std())


@given(
    st.lists(st.integers(-20, 20) | st.floats(-30, 30, width=16), min_size=1, max_size=40),
    st.integers(1, 4),
    st.sampled_from([1e-4, 0.01, 0.1, 1, 100]),
)
def test_it_never_costs_more_than_its_start(values, bits, rate):
    x = np.array(values, np.float32)
    start = quantize_codebook(x, bits)
    found = quantize_codebook(x, bits, rate=rate)
    before, after = (cost(x, q.codebook.values[0], q.codes, rate) for q in (start, found))
    assert after <= before * (1 + 1e-5) + 1e-9
    assert len(np.unique(found.codebook.values)) == found.codebook.values.shape[1] <= 1 << bits


def test_an_outlier_spoils_no_sum_but_its_own():
    outlier = np.float32(1e15)
    start = np.linspace(-0.1, 0.1, 20).astype(np.float32)
    price = 0.01 * GAUSS.var(dtype=np.float64)
    alone, beside = (
        descend(Ordered(x), entries, price, None, means)[1]
        for x, entries in ((GAUSS, start), (np.append(GAUSS, outlier), np.append(start, outlier)))
    )
    assert beside.values[-1] == outlier
    np.testing.assert_allclose(beside.values[:-1], alone.values, atol=1e-4 * GAUSS.std())


@pytest.mark.parametrize("x", [[], [2.5], [0.0, 0.0], [1.0, -1.0]])
def test_few_values(x):
    x = np.array(x, np.float32)
    np.testing.assert_array_equal(quantize_codebook(x, 2, rate=0.01).dequantize(), x)


def test_with_a_mask_what_is_not_worth_its_bits_is_not_stored():
    rate, mask = 0.3, np.abs(GAUSS) > 0.01
    q = quantize_codebook(GAUSS, 4, rate=rate, mask=mask)
    assert q.codebook.values[0, 0] == 0
    assert q.codes.min() == 1
    stored = len(q.codes)
    assert 0 < stored < 0.9 * np.count_nonzero(mask)
    bits = -np.log2(np.bincount(q.codes)[1:] / stored) + np.log2(len(GAUSS) / stored - 1)
    price = rate * GAUSS[mask].var(dtype=np.float64)
    candidates = GAUSS[mask].astype(np.float64)
    kept = np.min(
        (candidates[:, None] - q.codebook.values[0, 1:]) ** 2 + price * np.maximum(bits, 0), axis=1
    )
    is_stored = np.isin(np.flatnonzero(mask), q.positions)
    assert np.mean((kept < candidates**2) == is_stored) > 0.9999


@pytest.mark.parametrize("rate", [0.01, 1e9])
def test_with_a_mask_nothing_outside_it_is_stored_and_perhaps_nothing_at_all(rate):
    mask = np.arange(len(GAUSS)) % 3 == 0
    q = quantize_codebook(GAUSS, 4, rate=rate, mask=mask)
    assert mask[q.positions].all()
    assert len(q.positions) == len(q.codes) == (0 if rate > 1 else len(q.codes))
    assert not q.dequantize()[~mask].any()


def test_groups_share_one_codebook_and_need_a_scale():
    x = GAUSS.reshape(100, -1) * np.geomspace(1, 1000, 100, dtype=np.float32)[:, None]
    q = quantize_codebook(x, 5, scale="rms", per=0, rate=0.02)
    assert q.codebook.values.shape[0] == 1
    assert q.scale.values.shape == (100,)
    assert entropy(q.codes) < entropy(quantize_codebook(x, 5, scale="rms", per=0).codes) - 0.5
    for groups in ({"per": 0}, {"group": 32}):
        with pytest.raises(ValueError, match="needs a scale"):
            quantize_codebook(x, 5, rate=0.02, **groups)
        with pytest.raises(ValueError, match="needs a scale"):
            qcodec.Codebook(5, rate=0.02, **groups)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(ValueError, match="allowed is at least 0"):
        quantize_codebook(GAUSS, 2, rate=rate)
    with pytest.raises(ValueError, match="allowed is at least 0"):
        qcodec.Codebook(2, rate=rate)


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 129, 1000, 70_001])
def test_sums_between_cuts_are_those_of_all_values_added_from_the_median(count):
    ordered = Ordered(np.random.default_rng(count).standard_cauchy(count).astype(np.float32))
    deviations = ordered.values.astype(np.float64) - ordered.centre
    middle = count // 2
    below = -np.cumsum(deviations[:middle][::-1])[::-1]
    before = np.concatenate([below, [0], np.cumsum(deviations[middle:])])
    cuts = np.unique(
        np.append(np.random.default_rng(1).integers(0, count + 1, 99), [0, middle, count])
    )
    assert np.array_equal(ordered.deviations(cuts), np.diff(before[cuts]))
    assert ordered.mean == ordered.centre + (before[-1] - before[0]) / count


def test_cuts_and_sums_that_do_not_fit_are_refused():
    values = np.arange(200, dtype=np.float32)
    above, below = core.kept_deviation_sums(values)
    with pytest.raises(ValueError, match="cut"):
        core.deviation_sums(values, above, below, np.array([0, 201]))
    for short in ((above[1:], below), (above, below[1:])):
        with pytest.raises(ValueError, match="sums of 200 values"):
            core.deviation_sums(values, *short, np.array([0, 200]))
    with pytest.raises(ValueError, match="no values"):
        core.kept_deviation_sums(values[:0])
