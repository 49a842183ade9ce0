"""The core's searches for the exact forms of floats: distinct patterns, and equal steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core
from qcodec._frame.exact_probe import probe_of
from qcodec.dtypes import BY_NAME, element_type
from tests.writers.strategies import seeds


def ends_of(*sizes):
    return np.cumsum(sizes).astype(np.uintp)


#: The types to which products are rounded. Levels of 8 bits are few apart in all of them.
DTYPES = {"float32": 65535, "float16": 127, "bfloat16": 127}


def products(scales, levels, dtype):
    """As decoders compute them: rounded to float32, then to the type; float32 again."""
    with np.errstate(over="ignore"):
        values = np.asarray(scales, np.float32) * levels.astype(np.float32)
        return values.astype(element_type(dtype).carrier).astype(np.float32)


@given(seeds, st.sampled_from(list(DTYPES)), st.data())
def test_steps_are_found_wherever_levels_are_few_apart(seed, dtype, data):
    max_level = data.draw(st.integers(1, DTYPES[dtype]))
    # All levels of float16 are normal numbers and finite.
    least, most = (2.0**-14, 2.0**8) if dtype == "float16" else (2.0**-140, 2.0**100)
    least = 2.0**-126 if dtype == "bfloat16" else least
    scale = data.draw(st.floats(least, most, width=32))
    random = np.random.default_rng(seed)
    levels = random.integers(-max_level, max_level + 1, 300)
    levels[:2] = [1, 0]
    values = products(scale, levels, dtype)
    scales, found, done = core.equal_steps(values, ends_of(300), BY_NAME[dtype].id, max_level)
    assert done == 1
    assert np.array_equal(products(scales[0], np.rint(values / scales[0]), dtype), values)
    # Another scale may do, of a step that is a multiple or of fewer bits, but none that is smaller
    # by more than the smallest value was rounded.
    assert scales[0] >= np.float32(scale) * (1 - {"float32": 2**-22}.get(dtype, 2**-7))
    assert 0 <= found[0, 1] - found[0, 0] <= levels.max() - min(levels.min(), 0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_number_of_16_bits_is_a_multiple_of_some_scale(dtype):
    patterns = np.arange(1 << 16).astype(np.uint16).view(element_type(dtype).carrier)
    values = patterns.astype(np.float32)
    values = values[np.isfinite(values)]
    ends = np.arange(1, len(values) + 1).astype(np.uintp)
    scales, levels, done = core.equal_steps(values, ends, BY_NAME[dtype].id, 255)
    assert done == len(values) > 63000
    assert np.array_equal(products(scales, np.sign(values), dtype), values)
    assert np.array_equal(levels[:, 2] == 1, (values == 0) & np.signbit(values))


@pytest.mark.parametrize(("dtype", "bits"), [("float16", 11), ("bfloat16", 8)])
def test_products_half_way_between_two_numbers_are_the_even_one(dtype, bits):
    """Scales of one bit more than the type has: every odd level is half way."""
    for low in range(1 << bits, (1 << bits) + 200):
        scale = np.float32((2 * low + 1) * 2.0**-14)
        levels = np.array([1, 1, 2, 3, 5, 6, -7])
        values = products(scale, levels, dtype)
        assert values[0] != scale
        scales, _, done = core.equal_steps(values, ends_of(7), BY_NAME[dtype].id, 7)
        assert done == 1
        zeros, codes = np.full(1, 7, np.int32), np.zeros(7, np.uint8)
        for one in (scales, np.array([scale])):
            assert core.step_codes(values, ends_of(7), BY_NAME[dtype].id, one, zeros, False, codes)
            assert np.array_equal(products(one, codes.astype(int) - 7, dtype), values)


def test_a_scale_of_few_bits_is_restored():
    """Scales of float16 and bfloat16 come back as such, though others do as well."""
    random = np.random.default_rng(0)
    for dtype, bits in (("float16", 11), ("bfloat16", 8)):
        scales = random.uniform(0.001, 0.01, 50).astype(element_type(dtype).carrier)
        levels = random.integers(-127, 128, (50, 200))
        values = products(scales.astype(np.float32)[:, None], levels, dtype)
        ends = np.arange(200, 200 * 51, 200).astype(np.uintp)
        found, _, done = core.equal_steps(values.reshape(-1), ends, BY_NAME[dtype].id, 255)
        assert done == 50
        assert not (found.view(np.uint32) & ((1 << 24 - bits) - 1)).any()


NOT_FINITE = [[1, np.inf], [1, np.nan]]
NO_STEPS = {
    "float32": [*NOT_FINITE, [1, np.pi], [1, 70000], [1, 1 + 2**-23], [3e38, 1e-38]],
    # Numbers of another type are none of this one.
    "float16": [*NOT_FINITE, [1, np.pi], [1, 1 + 2**-10], [1, 300], [60000, 2**-24], [2**-25]],
    "bfloat16": [*NOT_FINITE, [1, np.pi], [0.5, 0.5 + 2**-8, 2 - 2**-7], [1, 300], [1 + 2**-8]],
}


@pytest.mark.parametrize(
    ("dtype", "values"), [(dtype, values) for dtype in NO_STEPS for values in NO_STEPS[dtype]]
)
def test_steps_are_refused_where_there_are_none(dtype, values):
    group = np.array(values, np.float32)
    max_level = core.MAX_LEVEL if dtype == "float32" else core.MAX_NARROW_LEVEL
    assert core.equal_steps(group, ends_of(len(group)), BY_NAME[dtype].id, max_level)[2] == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_all_levels_of_both_signs_fit_a_group_and_all_numbers_do_not(dtype):
    levels = np.append(np.arange(-255, 256), -0.0).astype(np.float32)
    _, found, done = core.equal_steps(levels, ends_of(512), BY_NAME[dtype].id, 255)
    assert (done, found.tolist()) == (1, [[-255, 255, 1]])
    numbers = np.arange(1 << 16).astype(np.uint16).view(element_type(dtype).carrier)
    numbers = numbers.astype(np.float32)
    numbers = numbers[np.isfinite(numbers)]
    assert core.equal_steps(numbers, ends_of(len(numbers)), BY_NAME[dtype].id, 255)[2] == 0


def test_groups_of_zeros_have_any_scale():
    values = np.array([0.0, -0.0, 3.0], np.float32)
    scales, levels, done = core.equal_steps(values, ends_of(1, 1, 1), 0, 255)
    assert (done, scales.tolist()) == (3, [0, 0, 3])
    assert levels.tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_value_without_a_code_is_noticed(dtype):
    one = (np.ones(1, np.float32), np.full(1, 3, np.int32))
    codes = np.zeros(2, np.uint8)
    for value, allowed in ((1, True), (252, True), (253, False), (-4, False), (0.5, False)):
        values = np.array([0, value], np.float32)
        found = core.step_codes(values, ends_of(2), BY_NAME[dtype].id, *one, False, codes)
        assert found is allowed
    for value in (np.inf, np.nan, 1e30):
        values = np.array([0, value], np.float32)
        assert not core.step_codes(values, ends_of(2), BY_NAME[dtype].id, *one, False, codes)


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
        lambda: core.equal_steps(values, ends, 0, 9),
        lambda: core.step_codes(values, ends, 0, scales, zeros, False, codes),
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
    "levels up to 0": lambda: core.equal_steps(FOUR, ONE, 0, 0),
    "levels up to 65,536": lambda: core.equal_steps(FOUR, ONE, 0, 65536),
    "levels up to 256": lambda: core.equal_steps(FOUR, ONE, 1, 256),
    "steps of dtype 3": lambda: core.equal_steps(FOUR, ONE, 3, 9),
    "steps of dtype -1": lambda: core.step_codes(FOUR, ONE, -1, FOUR[:1], ZERO, False, CODES),
    "4 scales, 1 zeros": lambda: core.step_codes(FOUR, ONE, 0, FOUR, ZERO, False, CODES),
    "3 axes": lambda: core.ExactProbe(0, 4, 1, 2, 1, 2, 2, 9, False, [(1, 1, 1)] * 3),
    "rows of 5 of 4": lambda: core.ExactProbe(0, 4, 1, 5, 1, 2, 2, 9, False, []),
    "rows of 2 of 4": lambda: core.ExactProbe(0, 4, 1, 2, 1, 5, 2, 9, False, []),
    "2 times 3 of 4": lambda: core.ExactProbe(0, 4, 1, 2, 1, 2, 2, 9, False, [(2, 3, 1)]),
    "1 times 1 of 4": lambda: core.ExactProbe(0, 4, 1, 2, 1, 2, 2, 9, False, [(1, 1, 2)]),
    "probed elements: 4 bytes": lambda: probe_of((4,), "float32").finds(CODES),
    "type of probed": lambda: core.ExactProbe(4, 4, 1, 2, 1, 2, 2, 9, False, []).finds(CODES),
    "3 bytes for 4 codes": lambda: core.step_codes(FOUR, ONE, 0, FOUR[:1], ZERO, False, CODES[:3]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_other_sizes_are_refused(message):
    with pytest.raises(ValueError, match=message.strip()):
        REFUSED[message]()
