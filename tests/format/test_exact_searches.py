"""The core's searches for exact forms of floats: distinct patterns, equal steps, scaled halves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core
from qcodec.dtypes import element_type
from tests.writers.strategies import seeds

HALF_CODES = np.zeros(300, np.uint16)


def ends_of(*sizes):
    return np.cumsum(sizes).astype(np.uintp)


@given(seeds, st.integers(1, 65535), st.floats(2.0**-140, 2.0**100, width=32))
def test_steps_are_found_wherever_levels_are_few_apart(seed, max_level, scale):
    random = np.random.default_rng(seed)
    levels = random.integers(-max_level, max_level + 1, 300)
    levels[:2] = [1, 0]
    values = np.float32(scale) * levels.astype(np.float32)
    scales, found, done = core.equal_steps(values, ends_of(300), max_level)
    assert done == 1
    assert np.array_equal(scales[0] * np.rint(values / scales[0]), values)
    # Another scale may do, of a step that is a multiple or of fewer bits, but none that is smaller.
    assert scales[0] >= np.float32(scale) * (1 - 2**-22)
    assert 0 <= found[0, 1] - found[0, 0] <= levels.max() - min(levels.min(), 0)


@pytest.mark.parametrize(
    "values", [[1, np.pi], [1, np.inf], [1, np.nan], [1, 70000], [1, 1 + 2**-23], [3e38, 1e-38]]
)
def test_steps_are_refused_where_there_are_none(values):
    group = np.array(values, np.float32)
    assert core.equal_steps(group, ends_of(len(group)), core.MAX_LEVEL)[2] == 0


def test_groups_of_zeros_have_any_scale():
    values = np.array([0.0, -0.0, 3.0], np.float32)
    scales, levels, done = core.equal_steps(values, ends_of(1, 1, 1), 255)
    assert (done, scales.tolist()) == (3, [0, 0, 3])
    assert levels.tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_a_value_without_a_code_is_noticed():
    one = (np.ones(1, np.float32), np.full(1, 3, np.int32))
    codes = np.zeros(2, np.uint8)
    for value, allowed in ((1, True), (252, True), (253, False), (-4, False), (0.5, False)):
        values = np.array([0, value], np.float32)
        assert core.step_codes(values, ends_of(2), *one, False, codes) is allowed
    for value in (np.inf, np.nan, 1e30):
        values = np.array([0, value], np.float32)
        assert not core.step_codes(values, ends_of(2), *one, False, codes)


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


@given(seeds, st.sampled_from([2, 4, 8]), st.integers(1, 256), st.integers(1, 400))
def test_distinct_patterns_are_numbered(seed, size, limit, count):
    random = np.random.default_rng(seed)
    values = random.integers(0, 1 << 62, limit).astype(f"u{size}")
    items = values[random.integers(0, limit, count)]
    cut = count // 3
    codes = np.zeros(count, np.uint8)
    ends = ends_of(cut, count - cut)
    patterns, counts, done = core.distinct(items.view(np.uint8), size, ends, limit, codes)
    assert done == 2
    for group, part in enumerate((slice(0, cut), slice(cut, count))):
        assert np.array_equal(patterns[group][codes[part]], items[part])
        assert counts[group] == len(np.unique(items[part]))


def test_one_pattern_too_many_ends_the_search():
    items, codes = np.arange(257, dtype=np.uint32), np.zeros(257, np.uint8)
    assert core.distinct(items.view(np.uint8), 4, ends_of(256, 1), 256, codes)[2] == 2
    assert core.distinct(items.view(np.uint8), 4, ends_of(257), 256, codes)[2] == 0


@pytest.mark.parametrize("ends", [(3, 2), (2,), (2, 5)])
def test_groups_that_do_not_fit_the_items_are_refused(ends):
    values, ends, codes = np.ones(4, np.float32), np.array(ends, np.uintp), np.zeros(4, np.uint8)
    scales, zeros = np.ones(len(ends), np.float32), np.zeros(len(ends), np.int32)
    tables = np.zeros((len(ends), 1), np.uint8)
    for call in (
        lambda: core.distinct(values.view(np.uint8), 4, ends, 9, codes),
        lambda: core.renumber(codes, ends, tables),
        lambda: core.equal_steps(values, ends, 9),
        lambda: core.step_codes(values, ends, scales, zeros, False, codes),
        lambda: core.scaled_halves(values, ends, F16),
        lambda: core.halves(values, ends, scales, F16, HALF_CODES[:4]),
    ):
        with pytest.raises(ValueError, match=r"group"):
            call()


ONE, CODES, FOUR = ends_of(4), np.zeros(4, np.uint8), np.ones(4, np.float32)
ZERO = np.ones(1, np.int32)
REFUSED = {
    "16 bytes and 4 codes": lambda: core.distinct(FOUR.view(np.uint8), 3, ONE, 9, CODES),
    "16 bytes and 4 codes ": lambda: core.distinct(FOUR.view(np.uint8), 0, ONE, 9, CODES),
    "item size": lambda: core.distinct(CODES, 1, ONE, 9, CODES.copy()),
    "0 patterns": lambda: core.distinct(FOUR.view(np.uint8), 4, ONE, 0, CODES),
    "257 patterns": lambda: core.distinct(FOUR.view(np.uint8), 4, ONE, 257, CODES),
    "2 tables of 1 groups": lambda: core.renumber(CODES, ONE, np.zeros((2, 1), np.uint8)),
    "levels up to 0": lambda: core.equal_steps(FOUR, ONE, 0),
    "levels up to 65,536": lambda: core.equal_steps(FOUR, ONE, 65536),
    "4 scales, 1 zeros": lambda: core.step_codes(FOUR, ONE, FOUR, ZERO, False, CODES),
    "dtype of halves": lambda: core.scaled_halves(FOUR, ONE, 0),
    "4 scales of 1 groups": lambda: core.halves(FOUR, ONE, FOUR, F16, HALF_CODES[:4]),
    "1 groups, 300 halves": lambda: core.halves(FOUR, ONE, FOUR[:1], F16, HALF_CODES),
    "3 bytes for 4 codes": lambda: core.step_codes(FOUR, ONE, FOUR[:1], ZERO, False, CODES[:3]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_other_sizes_are_refused(message):
    with pytest.raises(ValueError, match=message.strip()):
        REFUSED[message]()
