"""Affine quantization."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qcodec._core import core
from qcodec.quantize import density_mask, quantize_affine, sqnr
from tests.format.cpu_paths import PATHS, on_path

GREATEST = float(np.finfo(np.float32).max)
finite = st.floats(-GREATEST, GREATEST, width=32)
arrays = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=1, max_dims=3, max_side=6), elements=finite
)


@given(arrays, st.integers(1, 16), st.booleans())
def test_no_value_is_farther_off_than_half_a_step_or_infinite(array, bits, symmetric):
    bits = max(bits, 2) if symmetric else bits
    q = quantize_affine(array, bits, symmetric=symmetric)
    decoded = q.dequantize().astype(np.float64)
    assert np.isfinite(decoded).all()
    step = float(q.scale.values[0])
    # The zero point is rounded too, so that an end of the range can be half a step outside; near
    # the greatest float32 the last code is not used, lest it overflow.
    leeway = 1.001 if np.max(np.abs(array)) < GREATEST / 4 else 2
    assert np.all(np.abs(decoded - array) <= leeway * step + 1e-37)


@given(arrays, st.integers(2, 12))
def test_zero_stays_zero(array, bits):
    array[..., 0] = 0
    for symmetric in (False, True):
        decoded = quantize_affine(array, bits, symmetric=symmetric).dequantize()
        assert not np.any(decoded[..., 0])
        assert not np.any(np.signbit(decoded) & (decoded == 0))


@pytest.mark.parametrize("bits", [4, 6, 8, 11, 16])
def test_each_bit_more_is_six_decibels(bits):
    x = np.random.default_rng(0).uniform(-1, 1, 20_000).astype(np.float32)
    assert sqnr(x, quantize_affine(x, bits).dequantize()) == pytest.approx(6.02 * bits, abs=1.5)


def test_codes_wider_than_a_byte_are_uint16():
    x = np.linspace(-1, 1, 1000, dtype=np.float32)
    assert quantize_affine(x, 8).codes.dtype == np.uint8
    q = quantize_affine(x, 9)
    assert q.codes.dtype == np.uint16
    assert q.codes.max() == 511


def test_the_range_is_used_from_end_to_end():
    q = quantize_affine(np.array([-1, 0, 3], np.float32), 8)
    assert (q.codes.min(), q.codes.max()) == (0, 255)
    q = quantize_affine(np.array([-3, 0, 1], np.float32), 8, symmetric=True)
    assert (q.codes.tolist(), q.zero_point) == ([1, 128, 170], 128)


@pytest.mark.parametrize("value", [5.0, -0.1, 1e-45, 3.4e38, -3.4e38])
@pytest.mark.parametrize("bits", [1, 3, 8, 16])
def test_a_constant_keeps_its_value(value, bits):
    x = np.full(7, value, np.float32)
    np.testing.assert_allclose(quantize_affine(x, bits).dequantize(), x, rtol=2e-7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_an_end_that_rounds_outward_does_not_overflow_a_narrow_type(dtype):
    """The step that reaches -65504 from a rounded zero point overshoots float16."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    max_value = ml_dtypes.finfo(dtype).max
    x = np.array([-1, 1, 0.3], dtype) * max_value
    for bits in range(1, 17):
        assert np.isfinite(quantize_affine(x, bits).dequantize().astype(np.float32)).all()


def test_groups_have_their_own_scale_and_zero_point():
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(6, 4, 10)) * np.array([1, 10, 100, 1e-3])[:, None] + 1).astype(np.float32)
    for arguments in ({"per": 1}, {"per": -2}, {"group": 10}):
        q = quantize_affine(x, 6, **arguments)
        alone = np.empty_like(x)
        for i in range(4):
            rows = [x[:, i]] if "per" in arguments else list(x[:, i])
            done = [quantize_affine(row, 6).dequantize() for row in rows]
            alone[:, i] = done[0] if "per" in arguments else np.stack(done)
        np.testing.assert_array_equal(q.dequantize(), alone)


def test_a_last_block_that_is_short():
    x = np.arange(10, dtype=np.float32)
    q = quantize_affine(x, 8, group=4)
    assert len(q.scale.values) == 3
    np.testing.assert_array_equal(q.dequantize()[8:], quantize_affine(x[8:], 8).dequantize())


def test_stored_elements_quantize_as_if_the_others_were_zero():
    x = np.random.default_rng(2).normal(size=(20, 30)).astype(np.float32)
    mask = density_mask(x, 0.3)
    for arguments in ({}, {"per": 0, "symmetric": True}, {"group": 25, "symmetric": True}):
        sparse = quantize_affine(x, 5, mask=mask, **arguments)
        dense = quantize_affine(np.where(mask, x, 0), 5, **arguments)
        np.testing.assert_array_equal(sparse.dequantize(), dense.dequantize())
        assert np.all(sparse.codes != sparse.zero_point)


def test_float64_is_rounded_to_float32_first_and_refused_beyond_it():
    q = quantize_affine(np.array([0.1, 1.0]), 8)
    assert (q.dtype, q.dequantize().dtype) == ("float64", np.float64)
    with pytest.raises(ValueError, match="1 of 2 values is beyond the range of float32"):
        quantize_affine(np.array([1e39, 1.0]), 8)


def test_finite_values_whose_sum_overflows_are_not_refused():
    x = np.full(10, GREATEST, np.float32)
    assert np.isfinite(quantize_affine(x, 8).dequantize()).all()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"bits": 0}, "bits=0: allowed are 1 to 16"),
        ({"bits": 17}, "bits=17"),
        ({"bits": 1, "symmetric": True}, "allowed are 2 to 16"),
        ({"bits": 4, "per": 2}, r"per=2 is not an axis of an array of shape \(2, 3\)"),
        ({"bits": 4, "per": 0, "group": 4}, "one of them"),
        ({"bits": 4, "group": 0}, "group=0: allowed is 1 and more"),
        ({"bits": 4, "per": 0, "mask": np.ones((2, 3), bool)}, "symmetric=True"),
        ({"bits": 4, "mask": np.ones(6, bool)}, r"mask of shape \(6,\)"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, what):
    with pytest.raises(ValueError, match=what):
        quantize_affine(np.zeros((2, 3), np.float32), **arguments)


def test_a_mask_of_numbers_is_refused():
    with pytest.raises(TypeError, match="mask of dtype int64"):
        quantize_affine(np.zeros(2, np.float32), 4, mask=np.array([0, 1]))


def _close_to_middles(step: float, rng: np.random.Generator) -> np.ndarray:
    """Values a few units in the last place from the middle of two multiples, and others."""
    with np.errstate(all="ignore"):
        middles = np.float32((rng.integers(-300, 300, 4000) + 0.5) * step)
        anywhere = np.float32(rng.standard_normal(40_000) * 60 * step)
    near = (middles.view(np.int32) + rng.integers(-3, 4, 4000, dtype=np.int32)).view(np.float32)
    edges = np.array([0, -0.0, 1e-45, -1e-40, np.inf, -np.inf, np.nan, 3e38], np.float32)
    values = np.concatenate([anywhere, near, np.tile(edges, 100)])
    return rng.permutation(values)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "step", [1.0, 0.013, 1e-45, 3e-39, 2.0**-126, 2.0**-100, 2.0**100, 1.1e31, 2.0**126, 3e38]
)
@pytest.mark.parametrize("inner", [1, 7, 1000, 1 << 20])
def test_codes_are_those_of_exact_quotients(path, step, inner):
    values = _close_to_middles(step, np.random.default_rng(5))
    one, other = (step, -128, 127, 128), (step * 1.5, -3, 4, 3)
    steps = np.array([one, other], np.float64)
    group = np.arange(len(values)) // inner % 2
    by, low, high, zero = steps[group].T
    with np.errstate(all="ignore"):
        quotients = values.astype(np.float64) / by
    # NaN is not promised anything, but what it becomes does not depend on the machine.
    levels = np.rint(np.clip(np.where(np.isnan(quotients), low, quotients), low, high))
    with on_path(path):
        codes = core.affine_codes(values, inner, steps, 1)
    assert np.array_equal(codes, (levels + zero).astype(np.uint8))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("per", [None, 0, 1])
def test_the_one_value_that_is_not_finite_is_found_wherever_it_is(path, per):
    for bad in (np.inf, -np.inf, np.nan, -np.nan):
        for place in (0, 5, 77, 349):
            array = np.linspace(-1, 1, 350, dtype=np.float32)
            array[place] = bad
            array = array.reshape(5, 70)
            where = rf"1 of 350 values is NaN or infinite, first at \({place // 70}, {place % 70}\)"
            with on_path(path), pytest.raises(ValueError, match=where):
                quantize_affine(array, 8, per=per)
