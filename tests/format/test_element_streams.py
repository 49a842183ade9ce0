"""Integers and bytes as the encoder stores them: rows, filters and blocks of bytes have routers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._frame.encode import encode_quantized
from tests.format.agreement import by_library, by_reference

ALL_CODINGS = 0b1111111
WITHOUT_ROUTERS = 1  # an effort
ml_dtypes = pytest.importorskip("ml_dtypes")


def without_routers(array, profile="small"):
    quantized = qcodec.Lossless().quantize(array)
    return encode_quantized(quantized, profile=profile, codings=ALL_CODINGS, effort=WITHOUT_ROUTERS)


def routed(data):
    return {"split", "contexts"} & set(qcodec.info(data).codings)


def assert_smaller_by_a_router(array, profile="small", saved=0.02):
    data = qcodec.encode(array, profile=profile)
    assert routed(data)
    assert len(data) < (1 - saved) * len(without_routers(array, profile))
    np.testing.assert_array_equal(qcodec.decode(data).view(np.uint8), array.view(np.uint8))
    assert by_library(data) == by_reference(data)


def rows_of_scales(shape, dtype):
    random = np.random.default_rng(0)
    scales = np.resize([30, 4, 12], shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    return (random.standard_normal(shape) * scales).round().astype(dtype)


@pytest.mark.parametrize("profile", ["balanced", "small"])
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, ml_dtypes.float8_e4m3fn])
def test_rows_of_different_scales_have_tables_of_their_own(dtype, profile):
    assert_smaller_by_a_router(rows_of_scales((60, 150), dtype), profile)


def test_large_rows_of_bytes_have_classes_in_balanced():
    array = rows_of_scales((600, 512), np.int8)
    data = qcodec.encode(array)
    assert routed(data) == {"split"}
    assert len(data) < 0.98 * len(without_routers(array, "balanced"))
    np.testing.assert_array_equal(qcodec.decode(data), array)


def test_neighbours_in_a_filter_predict_each_other():
    random = np.random.default_rng(1)
    filters = random.normal(0, 20, (400, 3, 1, 1)) + random.normal(0, 3, (400, 3, 3, 3))
    assert_smaller_by_a_router(filters.round().astype(np.int8), saved=0.1)


@pytest.mark.parametrize(("period", "scale_bytes"), [(34, 2), (18, 2), (16, 4)])
def test_blocks_of_bytes_are_found_by_their_period(period, scale_bytes):
    random = np.random.default_rng(2)
    blocks = random.integers(0, 256, (2000, period), np.uint8)
    blocks[:, :scale_bytes] = random.binomial(40, 0.5, (2000, scale_bytes))
    assert_smaller_by_a_router(blocks.reshape(-1))


def test_packed_codes_in_wider_integers_have_columns():
    random = np.random.default_rng(3)
    codes = np.clip(random.normal(8, np.resize([1, 3], 64), (400, 8, 64)).round(), 0, 15)
    shifts = 4 * np.arange(8, dtype=np.uint32)[:, None]
    packed = (codes.astype(np.uint32) << shifts).sum(axis=1, dtype=np.uint32).view(np.int32)
    assert_smaller_by_a_router(packed)


def test_noise_has_no_router():
    noise = np.random.default_rng(4).integers(0, 256, 20_000, np.uint8)
    assert not routed(qcodec.encode(noise, profile="small"))


@pytest.mark.parametrize("profile", ["fast", "fixed"])
def test_fast_profiles_have_no_router(profile):
    assert not routed(qcodec.encode(rows_of_scales((60, 150), np.int8), profile=profile))


@given(
    st.sampled_from([np.bool_, np.uint8, np.int8, np.uint16, np.int32, np.uint64]),
    st.sampled_from([(0,), (1,), (700,), (40, 17), (9, 4, 3, 3), (6, 5, 7), (2, 6_000)]),
    st.sampled_from(["fast", "balanced", "small"]),
    st.integers(1, 5) | st.none(),
    st.integers(0, 2**32 - 1),
)
def test_integers_of_any_shape_come_back(dtype, shape, profile, rows, seed):
    random = np.random.default_rng(seed)
    array = random.normal(0, 10.0 ** random.integers(0, 4), shape).astype(np.int64).astype(dtype)
    chunk = None if rows is None else max(rows * int(np.prod(shape[1:])), 256)
    data = qcodec.encode(array, profile=profile, chunk=chunk)
    np.testing.assert_array_equal(qcodec.decode(data), array)
    assert by_library(data) == by_reference(data)
