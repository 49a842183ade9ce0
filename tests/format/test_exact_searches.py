"""The core's searches for the exact forms of floats: distinct patterns, and equal steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core
from tests.writers.strategies import seeds


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
    "3 bytes for 4 codes": lambda: core.step_codes(FOUR, ONE, FOUR[:1], ZERO, False, CODES[:3]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_other_sizes_are_refused(message):
    with pytest.raises(ValueError, match=message.strip()):
        REFUSED[message]()
