"""Kind planes of floats as the encoder makes it: exponents with their top mantissa bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec import Lossless
from qcodec._frame.encode import encode_quantized
from qcodec._frame.encoded import Encoded
from tests.format.agreement import by_library, by_reference

ml_dtypes = pytest.importorskip("ml_dtypes")

DTYPES = (np.float32, ml_dtypes.bfloat16, np.float64)
WITHOUT_SPLIT = 0b0111111


def weights(shape=(96, 256), dtype=np.float32, scales=(0.02,), seed=0):
    """Gaussian rows of some scales in turn."""
    random = np.random.default_rng(seed)
    scale = np.resize(scales, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    return (random.standard_normal(shape) * scale).astype(dtype)


def kind_of(data):
    return qcodec.info(data).kind


def assert_bits(data, array):
    found = qcodec.decode(data)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_gaussian_weights_are_stored_as_planes_and_near_their_entropy(dtype):
    array = weights((512, 1024), dtype)
    data = qcodec.encode(array)
    assert_bits(data, array)
    assert kind_of(data) == "planes"
    bits = 8 * array.itemsize
    mantissa = {16: 7, 32: 23, 64: 52}[bits]
    word = array.view(f"u{array.itemsize}").astype(np.uint64) >> np.uint64(mantissa - 1)
    counts = np.unique(word & np.uint64((1 << bits - mantissa) - 1), return_counts=True)[1]
    # Exponents with one mantissa bit, and all others as they are.
    entropy = np.log2(counts.sum()) - (counts * np.log2(counts)).sum() / counts.sum() + mantissa
    assert 8 * len(data) / array.size < 1.012 * entropy


@pytest.mark.parametrize("profile", ["fast", "balanced", "small"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_exponents_far_from_the_others_come_back(dtype, profile):
    array = weights((64, 300), dtype)
    special = [0, -0.0, np.inf, -np.inf, np.nan, 3e38, 1e-38]
    array.reshape(-1)[: 40 * len(special) : 40] = np.array(special, dtype)
    data = qcodec.encode(array, profile=profile)
    assert kind_of(data) == "planes"
    assert {section.name for section in qcodec.info(data).sections} >= {"escapes", "exponents"}
    assert_bits(data, array)
    assert by_library(data) == by_reference(data)


@pytest.mark.parametrize("count", [4000, 20_000])
def test_ranges_after_escapes_decode_alone(count):
    array = weights((count,), np.float64)
    array[::3] = 0  # more escapes than a block of them
    array[1::7] = 1e300
    data = qcodec.encode(array, Lossless())
    assert kind_of(data) == "planes"
    encoded = Encoded(data)
    for first, last in ((0, 1), (255, 258), (2048, 2050), (2999, 4000), (count - 5, count)):
        np.testing.assert_array_equal(encoded[first:last], array[first:last])


@pytest.mark.parametrize("positions", ["mask", "gaps", "csr"])
def test_sparse_floats_may_be_planes(positions):
    array = weights((128, 256), ml_dtypes.bfloat16)
    array[np.random.default_rng(1).random(array.shape) < 0.5] = 0
    array[3, :5] = [1e30, -1e30, 1e-30, np.inf, np.nan]
    data = qcodec.encode(array, qcodec.Sparse(Lossless(), positions=positions))
    assert kind_of(data) == "planes"
    assert_bits(data, array)
    np.testing.assert_array_equal(Encoded(data)[100:], array[100:])


@pytest.mark.parametrize("target", [np.float16, np.float32, np.float64])
def test_planes_are_given_in_other_float_types(target):
    array = weights((96, 256), ml_dtypes.bfloat16)
    found = Encoded(qcodec.encode(array)).decode(dtype=target)
    np.testing.assert_array_equal(found, array.astype(target))


def test_quantized_are_the_elements():
    array = weights()
    quantized = Encoded(qcodec.encode(array)).quantized()
    assert quantized.kind == "bytes"
    np.testing.assert_array_equal(quantized.codes, array.reshape(-1))


# ---- rows ----


def split_in(data):
    return "split" in qcodec.info(data).codings


@pytest.mark.parametrize("dtype", [*DTYPES, np.float16])
@pytest.mark.parametrize("scales", [(1, 0.02), (1, 0.1, 0.01), (1, 0.2, 0.04, 0.008, 0.001)])
def test_rows_of_different_scales_have_tables_of_their_own(dtype, scales):
    array = weights((400, 384), dtype, scales)
    data = qcodec.encode(array)
    assert split_in(data)
    quantized = Lossless().quantize(array)
    without = encode_quantized(quantized, profile="balanced", codings=WITHOUT_SPLIT)
    assert not split_in(without)
    assert len(data) < len(without)
    assert_bits(data, array)


@pytest.mark.parametrize("profile", ["fast", "fixed"])
def test_fast_profiles_do_not_split_rows(profile):
    assert not split_in(qcodec.encode(weights((400, 384), scales=(1, 0.02)), profile=profile))


def test_rows_that_are_alike_are_not_split():
    assert not split_in(qcodec.encode(weights((400, 384))))


def codings_of_exponents(data):
    sections = {section.name: section.coding for section in qcodec.info(data).sections}
    return set(sections["exponents"].split("+"))


def alike(shape, axis, apart=1, dtype=np.float32):
    """Weights whose magnitudes are nearly those of their neighbours along an axis."""
    random = np.random.default_rng(0)
    logarithms = np.moveaxis(random.standard_normal(shape), axis, 0)
    for i in range(apart, len(logarithms)):
        logarithms[i] = logarithms[i - apart] + 0.2 * random.standard_normal(logarithms[i].shape)
    signs = random.choice([-1, 1], shape)
    return (np.exp2(np.moveaxis(logarithms, 0, axis)) * signs).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "axis", "apart"),
    [((300, 160), 0, 1), ((300, 160), 0, 3), ((300, 160), 1, 1), ((60, 8, 10, 10), 3, 1)],
)
def test_exponents_like_their_neighbours_are_known_by_them_in_small(shape, axis, apart, dtype):
    array = alike(shape, axis, apart, dtype)
    small, balanced = (qcodec.encode(array, profile=profile) for profile in ("small", "balanced"))
    assert codings_of_exponents(small) == {"contexts"}
    assert "contexts" not in codings_of_exponents(balanced)  # as fast to decode as others
    assert len(balanced) - len(small) > array.size // 16
    assert_bits(small, array)
    assert by_reference(small) == by_library(small)


def test_exponents_unlike_their_neighbours_decode_fast_in_small():
    assert "contexts" not in codings_of_exponents(qcodec.encode(weights(), profile="small"))


@pytest.mark.parametrize("shape", [(4000, 100), (150_000,)])
def test_short_rows_are_not_split(shape):
    assert not split_in(qcodec.encode(weights(shape, scales=(1, 0.02))))


@given(
    st.sampled_from([(40, 128), (7, 1000), (3, 4, 200), (140, 129), (1, 5000)]),
    st.sampled_from(DTYPES),
    st.lists(st.floats(1e-30, 1e30), min_size=1, max_size=6),
    st.sampled_from(["fast", "balanced", "small"]),
    st.none() | st.integers(1, 8),
    st.integers(0, 2**32 - 1),
)
def test_rows_of_any_scales_come_back(shape, dtype, scales, profile, rows, seed):
    array = weights(shape, dtype, scales, seed)
    row = int(np.prod(shape[1:]))
    data = qcodec.encode(
        array, profile=profile, chunk=None if rows is None else max(rows * row, 256)
    )
    assert_bits(data, array)
    assert by_library(data) == by_reference(data)
    first = seed % shape[0]
    np.testing.assert_array_equal(Encoded(data)[first:], array[first:])


# ---- one byte ----


@pytest.mark.parametrize("dtype", [ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2])
@pytest.mark.parametrize("profile", ["fast", "balanced", "small"])
def test_float8_with_its_sign_below_is_near_its_entropy(dtype, profile):
    array = weights((512, 1024), dtype, scales=(20,))
    data = qcodec.encode(array, profile=profile)
    assert_bits(data, array)
    assert kind_of(data) == "planes"
    counts = np.unique(array.view(np.uint8), return_counts=True)[1]
    entropy = np.log2(counts.sum()) - (counts * np.log2(counts)).sum() / counts.sum()
    assert 8 * len(data) / array.size < (1.04 if profile == "fast" else 1.03) * entropy


def test_signed_bytes_are_near_their_entropy():
    array = np.random.default_rng(0).normal(0, 8, (256, 1024)).round().astype(np.int8)
    data = qcodec.encode(array)
    assert_bits(data, array)
    assert kind_of(data) == "planes"
    counts = np.unique(array, return_counts=True)[1]
    entropy = np.log2(counts.sum()) - (counts * np.log2(counts)).sum() / counts.sum()
    assert 8 * len(data) / array.size < 1.02 * entropy
