"""Ternary weights."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec.quantize import density_mask, quantize_ternary

RULES = ["exact", "twn", 0.0, 0.05, 0.5]
GAUSS = np.random.default_rng(0).normal(size=(30, 40)).astype(np.float32)

few = st.lists(st.integers(-6, 6).map(float) | st.floats(-9, 9, width=16), min_size=1, max_size=7)


def squared_error(x, decoded):
    return float(np.sum((x.astype(np.float64) - decoded) ** 2))


def least_error(x, scales):
    """Over every way of giving each weight a trit, the scales being the means."""
    trits = np.array(list(itertools.product((-1, 0, 1), repeat=len(x))))
    signs = [trits] if scales == 1 else [np.maximum(trits, 0), np.minimum(trits, 0)]
    decoded = np.zeros(trits.shape)
    for t in signs:
        means = np.sum(x * t, axis=1) / np.maximum(np.count_nonzero(t, axis=1), 1)
        decoded += np.maximum(means, 0)[:, None] * t
    return float(np.min(np.sum((x - decoded) ** 2, axis=1)))


@pytest.mark.parametrize("scales", [1, 2])
@given(values=few)
def test_exact_has_the_least_error_of_all_assignments(scales, values):
    x = np.array(values, np.float32)
    decoded = quantize_ternary(x, scales=scales).dequantize()
    assert squared_error(x, decoded) <= least_error(x.astype(np.float64), scales) + 1e-4


def test_exact_beats_the_rules_of_the_papers():
    for scales in (1, 2):
        errors = {
            rule: squared_error(GAUSS, quantize_ternary(GAUSS, rule, scales=scales).dequantize())
            for rule in RULES
        }
        assert min(errors, key=errors.__getitem__) == "exact"


def test_the_threshold_of_a_gaussian_is_known():
    """Li and Liu 2016: 0.6 standard deviations, or 0.75 of the mean magnitude."""
    x = np.random.default_rng(1).normal(size=500_000).astype(np.float32)
    decoded = quantize_ternary(x, scales=1).dequantize()
    assert np.abs(x[decoded == 0]).max() == pytest.approx(0.612, abs=0.01)


def test_trained_ternary_quantization_s_rule():
    x = np.array([4.0, 0.5, 0.25, -0.25, -0.5, -2.0], np.float32)
    q = quantize_ternary(x, 0.0625)  # of 4.0: up to 0.25
    assert q.codes.tolist() == [2, 2, 1, 1, 0, 0]
    assert q.codebook.values.tolist() == [[-1.25, 0, 2.25]]


def test_ternary_weight_networks_rule():
    x = np.array([1.0, -0.3, 0.4, 0.1], np.float32)  # mean magnitude 0.45, threshold 0.315
    assert quantize_ternary(x, "twn").codes.tolist() == [2, 1, 2, 1]


def test_both_layouts_have_the_trit_plus_one_as_code():
    two = quantize_ternary(GAUSS, per=0)
    assert two.codebook.values.shape == (30, 3)
    assert two.scale is None
    one = quantize_ternary(GAUSS, scales=1, per=0)
    assert one.codebook.values.tolist() == [[-1, 0, 1]]
    assert one.scale.values.shape == (30,)
    for q in (two, one):
        np.testing.assert_array_equal(np.sign(q.dequantize()).ravel(), q.codes.astype(int) - 1)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scales", [1, 2])
def test_groups_are_quantized_as_if_they_were_alone(rule, scales):
    for arguments in ({"per": 0}, {"group": 40}):
        decoded = quantize_ternary(GAUSS, rule, scales=scales, **arguments).dequantize()
        alone = [quantize_ternary(row, rule, scales=scales).dequantize() for row in GAUSS]
        np.testing.assert_array_equal(decoded, np.stack(alone))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scales", [1, 2])
def test_a_short_last_block_is_not_diluted_by_its_padding(rule, scales):
    x = GAUSS.ravel()[:50]
    decoded = quantize_ternary(x, rule, scales=scales, group=40).dequantize()
    alone = quantize_ternary(x[40:], rule, scales=scales).dequantize()
    np.testing.assert_array_equal(decoded[40:], alone)


@pytest.mark.parametrize("rule", RULES)
def test_with_a_mask_only_trits_other_than_zero_are_stored(rule):
    mask = density_mask(GAUSS, 0.4)
    q = quantize_ternary(GAUSS, rule, mask=mask)
    assert set(q.codes.tolist()) == {0, 2}
    assert np.all(mask[q.mask])
    stored = quantize_ternary(GAUSS[mask], rule)
    np.testing.assert_array_equal(q.dequantize()[mask], stored.dequantize())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scales", [1, 2])
def test_what_is_ternary_already_stays_what_it_is(rule, scales):
    trits = np.random.default_rng(2).integers(-1, 2, 1000)
    x = np.where(trits < 0, -0.4 if scales == 2 else -0.7, 0.7 * trits).astype(np.float32)
    np.testing.assert_array_equal(quantize_ternary(x, rule, scales=scales).dequantize(), x)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scales", [1, 2])
@pytest.mark.parametrize("x", [[2.0, 2.0], [-2.0], [0.0, 0.0], [], [0.0, -5.0]])
def test_one_sided_constant_and_empty_arrays(rule, scales, x):
    x = np.array(x, np.float32)
    q = quantize_ternary(x, rule, scales=scales)
    np.testing.assert_array_equal(q.dequantize(), x)
    assert not np.signbit(q.codebook.values[q.codebook.values == 0]).any()


@pytest.mark.parametrize(
    "arguments",
    [{"scales": 3}, *({"threshold": wrong} for wrong in ("ttq", 1.0, -0.1, float("nan")))],
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match="allowed"):
        quantize_ternary(GAUSS, **arguments)
