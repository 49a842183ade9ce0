"""Conversions between float types: exact, or rounded once to nearest even."""

import math

import numpy as np
import pytest

from qcodec._base.arrays import as_array, cast
from qcodec.dtypes import BY_ID, BY_NAME, element_type
from reference import values as reference_values
from reference.element_types import BY_NAME as REFERENCE_TYPES
from reference.element_types import float_of
from tests.writers.frame_writer import DTYPES, ITEM_SIZES

ml_dtypes = pytest.importorskip("ml_dtypes")

FLOATS = ("float32", "float16", "bfloat16", "float64")
#: Float types whose NaNs have a payload.
WITH_PAYLOAD = ("f32", "f16", "bf16", "f64", "f8e5m2")
SMALL = ("float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu")


def every_pattern(name):
    """All values of a type of at most two bytes."""
    element = BY_NAME[name]
    bits = np.arange(1 << (8 * element.itemsize)).astype(f"u{element.itemsize}")
    return bits.view(element.carrier)


def convert(values, source, to):
    return cast(np.ascontiguousarray(values), BY_NAME[source], BY_NAME[to])


def assert_same_values(found, expected):
    """Equal bit for bit, but for the payload of a NaN."""
    bits = f"u{found.dtype.itemsize}"
    found_nan, expected_nan = np.isnan(found), np.isnan(expected)
    np.testing.assert_array_equal(found_nan, expected_nan)
    np.testing.assert_array_equal(found.view(bits)[~found_nan], expected.view(bits)[~expected_nan])


@pytest.mark.parametrize("to", ["float32", "float64"])
@pytest.mark.parametrize("source", ["float16", "bfloat16", *SMALL])
def test_every_pattern_of_a_small_type_widens_exactly(source, to):
    values = every_pattern(source)
    with np.errstate(invalid="ignore"):
        expected = values.astype(BY_NAME[to].carrier)
    assert_same_values(convert(values, source, to), expected)


@pytest.mark.parametrize(("source", "to"), [("float16", "bfloat16"), ("bfloat16", "float16")])
def test_every_pattern_converts_between_the_16_bit_types(source, to):
    values = every_pattern(source)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = values.astype(np.float32).astype(BY_NAME[to].carrier)
    assert_same_values(convert(values, source, to), expected)


@pytest.mark.parametrize("name", FLOATS)
def test_a_type_to_itself_keeps_every_bit(name):
    values = np.frombuffer(np.random.default_rng(1).bytes(8 * 1000), BY_NAME[name].carrier)
    assert convert(values, name, name).tobytes() == values.tobytes()


@pytest.mark.parametrize("to", ["float16", "bfloat16"])
def test_random_float32_patterns_round_as_numpy_rounds(to):
    bits = np.random.default_rng(2).integers(0, 1 << 32, 300_000, np.uint32)
    values = bits.view(np.float32)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        expected = values.astype(BY_NAME[to].carrier)
    assert_same_values(convert(values, "float32", to), expected)


@pytest.mark.parametrize("source", ["float32", "float64"])
@pytest.mark.parametrize("to", ["float16", "bfloat16"])
def test_ties_round_to_even_and_doubles_only_once(source, to):
    """A double whose last place tips the balance is rounded wrongly by way of float32."""
    element = BY_NAME[to]
    finite = every_pattern(to)[: int(np.argmax(np.isinf(every_pattern(to).astype(np.float32))))]
    low, high = finite[:-1].astype(np.float64), finite[1:].astype(np.float64)
    middle = ((low + high) / 2).astype(source)
    exact = middle.astype(np.float64) == (low + high) / 2
    assert np.count_nonzero(exact) > 30_000
    even = np.where(finite[:-1].view("u2") % 2 == 0, finite[:-1], finite[1:]).astype(np.float64)
    zero, infinity = np.array(0, source), np.array(np.inf, source)
    for sign in (1, -1):
        for values, expected in (
            (middle, even),
            (np.nextafter(middle, zero), low),
            (np.nextafter(middle, infinity), high),
        ):
            found = convert(sign * values[exact], source, to)
            with np.errstate(over="ignore"):
                assert_same_values(found, (sign * expected[exact]).astype(element.carrier))


@pytest.mark.parametrize("to", ["float16", "bfloat16"])
def test_overflow_begins_exactly_where_rounding_says(to):
    max_value = float(ml_dtypes.finfo(BY_NAME[to].carrier).max)
    last_place = max_value - float(np.nextafter(BY_NAME[to].carrier.type(max_value), 0))
    limit = np.float64(max_value + last_place / 2)
    found = convert(np.array([np.nextafter(limit, 0), limit, np.inf]), "float64", to)
    assert found.astype(np.float64).tolist() == [max_value, np.inf, np.inf]


def test_float64_to_float32_rounds_once():
    values = np.random.default_rng(3).normal(size=10_000) * 10.0 ** np.arange(-50, 50).repeat(100)
    with np.errstate(over="ignore", under="ignore"):
        assert_same_values(convert(values, "float64", "float32"), values.astype(np.float32))


def test_subnormal_doubles_vanish_with_their_sign():
    found = convert(np.array([5e-324, -5e-324]), "float64", "float16")
    assert found.view("u2").tolist() == [0x0000, 0x8000]


@pytest.mark.parametrize("name", [*FLOATS, *SMALL])
def test_nan_stays_nan_and_infinity_infinity(name):
    special = np.array([np.nan, -np.nan, np.inf, -np.inf]).astype(BY_NAME[name].carrier)
    for to in FLOATS:
        assert_same_values(convert(special, name, to), special.astype(BY_NAME[to].carrier))


def test_a_nan_with_a_small_payload_does_not_become_infinite():
    quiet = np.array([0x7F800001, 0xFF800001], np.uint32).view(np.float32)
    assert np.isnan(convert(quiet, "float32", "bfloat16").astype(np.float32)).all()
    assert np.isnan(convert(quiet, "float32", "float16")).all()


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 1000])
def test_lengths_around_the_block_size(count):
    values = np.random.default_rng(4).normal(size=count).astype(np.float32)
    assert_same_values(convert(values, "float32", "float16"), values.astype(np.float16))


def test_integers_are_not_converted():
    array, element = as_array(np.arange(4))
    with pytest.raises(ValueError, match="no conversion"):
        cast(array, element, BY_NAME["float32"])


def test_an_output_of_the_wrong_size_is_refused():
    from qcodec._core import core

    with pytest.raises(ValueError, match="out has 7 bytes, needed are 8"):
        core.convert(np.zeros(8, np.uint8), 0, np.zeros(7, np.uint8), 0)
    with pytest.raises(ValueError, match="whole number"):
        core.convert(np.zeros(7, np.uint8), 0, np.zeros(8, np.uint8), 0)
    with pytest.raises(ValueError, match="whole number"):
        core.convert(np.zeros(8, np.uint8), 99, np.zeros(8, np.uint8), 0)


@pytest.mark.parametrize("target", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize("source", ["f16", "bf16", "f8e4m3", "f8e5m2", "e8m0", "f32", "f64"])
def test_every_nan_is_quiet_and_the_same_on_every_way(source, target):
    size = ITEM_SIZES[source]
    if size <= 2:
        patterns = range(1 << 8 * size)
    else:
        top = 0x7F8 << 20 if source == "f32" else 0x7FF << 52
        payloads = [1, 1 << 22, 1 << 13, 0x2AAAAA, (1 << 22) + 5, 1 << 30, 1 << 51, (1 << 52) - 1]
        patterns = [top | payload % (top & -top) for payload in payloads]
        patterns += [pattern | 1 << 8 * size - 1 for pattern in patterns]
    elements = [pattern.to_bytes(size, "little") for pattern in patterns]
    element, to = BY_ID[DTYPES.index(source)], element_type(target)
    if element == to:
        return
    array = np.frombuffer(b"".join(elements), element.carrier)
    found = cast(array, element, to)
    name = DTYPES[to.id]
    expected = b"".join(converted(bits, source, name) for bits in elements)
    assert found.tobytes() == expected


def converted(bits, source, to):
    """As in the reference; but the format leaves open what is left of a NaN. Here its sign and the
    upper bits of its payload are, the latter not in float16; and the NaN is quiet."""
    number = reference_values.convert(bits, source, to)
    if source not in WITH_PAYLOAD or to == "f16" or not math.isnan(float_of(bits, source)):
        return number
    mantissa_bits, target_bits = (REFERENCE_TYPES[name].mantissa_bits for name in (source, to))
    payload = int.from_bytes(bits, "little") % (1 << mantissa_bits)
    kept = payload << target_bits >> mantissa_bits
    return (int.from_bytes(number, "little") | kept).to_bytes(len(number), "little")
