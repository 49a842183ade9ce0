"""The core's search for floats of 16 bits that were multiplied by a scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core
from qcodec.dtypes import element_type
from tests.format.exact.test_exact_searches import ends_of
from tests.writers.strategies import seeds

HALF_CODES = np.zeros(300, np.uint16)
F16, BF16 = element_type("float16").id, element_type("bfloat16").id
HALVES = {F16: np.float16, BF16: element_type("bfloat16").carrier}


def products(random, scale, count, dtype, spread):
    """Halves of all significands times a scale, some of them zero."""
    halves = random.standard_normal(count) * 2.0 ** random.uniform(-spread, spread, count)
    zeros = random.choice([0.0, -0.0], count)
    halves = np.where(random.random(count) < 0.1, zeros, np.clip(halves, -6e4, 6e4))
    return np.float32(scale) * halves.astype(HALVES[dtype]).astype(np.float32)


@given(
    seeds,
    st.integers(1, 400),
    st.floats(2.0**-100, 2.0**100, width=32),
    st.sampled_from([F16, BF16]),
    st.integers(0, 6),
)
def test_halves_are_found_whatever_their_scale(seed, count, scale, dtype, spread):
    values = products(np.random.default_rng(seed), scale, count, dtype, spread)
    scales, done = core.scaled_halves(values, ends_of(count), dtype)
    assert done == 1
    scales = np.where(scales > 0, scales, np.float32(1))
    halves = np.zeros(count, np.uint16)
    assert core.halves(values, ends_of(count), scales, dtype, halves)
    found = scales[0] * halves.view(HALVES[dtype]).astype(np.float32)
    assert found.tobytes() == values.tobytes()


@given(seeds, st.integers(1, 300), st.sampled_from([F16, BF16]))
def test_halves_that_are_found_are_exact(seed, count, dtype):
    """Of results that are subnormal, and halves that may be."""
    random = np.random.default_rng(seed)
    values = products(random, 2.0 ** random.integers(-149, -110), count, dtype, 15)
    scales, done = core.scaled_halves(values, ends_of(count), dtype)
    if done == 0:
        return
    scales = np.where(scales > 0, scales, np.float32(1))
    halves = np.zeros(count, np.uint16)
    assert core.halves(values, ends_of(count), scales, dtype, halves)
    found = scales[0] * halves.view(HALVES[dtype]).astype(np.float32)
    assert found.tobytes() == values.tobytes()


def test_one_wrong_bit_refuses_a_group_and_ends_the_search():
    values = products(np.random.default_rng(0), 0.123456, 900, F16, 2)
    values[values == 0] = values[0]
    for at in (0, 299, 450):
        wrong = values.copy()
        wrong.view(np.uint32)[at] ^= 1
        assert core.scaled_halves(wrong, ends_of(300, 300, 300), F16)[1] == at // 300
    assert core.scaled_halves(values, ends_of(300, 300, 300), F16)[1] == 3


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("at", [0, 290])
def test_halves_are_finite(value, at):
    values = products(np.random.default_rng(0), 0.123456, 300, F16, 2)
    values[at] = value
    assert core.scaled_halves(values, ends_of(300), F16)[1] == 0
    assert not core.halves(values, ends_of(300), np.ones(1, np.float32), F16, HALF_CODES)


def test_few_values_have_a_scale_that_makes_halves_short():
    values = np.float32(0.1) * np.array([3, -1, 0, 2, 1] * 50, np.float32)
    (scale,), done = core.scaled_halves(values, ends_of(250), F16)
    assert done == 1
    halves = np.zeros(250, np.uint16)
    assert core.halves(values, ends_of(250), np.array([scale]), F16, halves)
    assert (halves & 0xFF == 0).all()


def test_the_exponents_of_halves_are_about_0_wherever_that_keeps_their_bits():
    random = np.random.default_rng(0)
    for scale in (2.0**-60, 1.7, 2.0**60):
        values = products(random, scale, 1000, F16, 1)
        values[values == 0] = values[0]
        scales, _ = core.scaled_halves(values, ends_of(1000), F16)
        mean = np.log2(np.abs(values / scales[0])).mean()
        assert -1 < mean < 2
    wide = np.float32(0.7) * np.float16([1, 2.0**-14, 1.001, 1.003, 1.5, 1.7] * 9).astype(
        np.float32
    )
    (scale,), done = core.scaled_halves(wide, ends_of(len(wide)), F16)
    assert done == 1
    assert np.abs(wide / scale).min() >= 2.0**-14
    too_wide = np.float32(0.7) * np.float32([1, 2.0**-40, 1.001, 1.003, 1.5])
    assert core.scaled_halves(too_wide, ends_of(5), F16)[1] == 0


FOUR, ONE = np.ones(4, np.float32), ends_of(4)
REFUSED = {
    "dtype of halves": lambda: core.scaled_halves(FOUR, ONE, 0),
    "dtype of halves ": lambda: core.scaled_halves(FOUR, ONE, 3),
    "4 scales of 1 groups": lambda: core.halves(FOUR, ONE, FOUR, F16, HALF_CODES[:4]),
    "1 groups, 300 halves": lambda: core.halves(FOUR, ONE, FOUR[:1], F16, HALF_CODES),
    "groups end at 5": lambda: core.scaled_halves(FOUR, ends_of(5), F16),
    "groups end at 2": lambda: core.halves(FOUR, ends_of(2), FOUR[:1], F16, HALF_CODES[:4]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_other_sizes_are_refused(message):
    with pytest.raises(ValueError, match=message.strip()):
        REFUSED[message]()


def test_nothing_has_any_scale():
    none = np.zeros(0, np.float32)
    scales, done = core.scaled_halves(none, ends_of(0, 0), F16)
    assert (scales.tolist(), done) == ([0, 0], 2)
    assert core.halves(none, ends_of(0, 0), scales, F16, HALF_CODES[:0])
    zeros = np.array([0.0, -0.0, 3.0], np.float32)
    scales, done = core.scaled_halves(zeros, ends_of(2, 1), F16)
    assert (scales[0], done) == (0, 2)
