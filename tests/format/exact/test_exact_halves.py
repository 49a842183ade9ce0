"""Lossless float32 that are halves times scales take the bytes of these, and keep every bit."""

import lzma

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec import Lossless, Sparse
from qcodec._core import core
from qcodec._frame import encode as frame_encode
from qcodec._frame import exact_forms
from qcodec._frame.encode import encode_quantized
from qcodec.dtypes import element_type
from qcodec.quantized import Groups, Quantized
from tests.format.agreement import by_library, by_reference
from tests.format.exact.test_exact_forms import encode, weights
from tests.writers.strategies import seeds

HALVES = {"float16": np.float16, "bfloat16": element_type("bfloat16").carrier}
SHAPE = (128, 288)


def folded(array, axis=0, dtype="float16", low=0.1):
    """The weights of a net in 16 bits, times a factor of 24 bits per index of an axis."""
    shape = [-1 if number == axis else 1 for number in range(array.ndim)]
    count = 1 if axis is None else array.shape[axis]
    factors = low + np.random.default_rng(1).random(count, dtype=np.float32)
    scales = factors.reshape(shape) if axis is not None else factors[0]
    return array.astype(HALVES[dtype]).astype(np.float32) * np.float32(scales)


def is_scaled(data):
    return qcodec.Encoded(data).quantized().codes_dtype != ""


@pytest.mark.parametrize("profile", ["small", "balanced", "fast"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_products_take_what_their_factors_take(axis, dtype, profile):
    array = folded(weights(*SHAPE), axis, dtype)
    data = encode(array, profile=profile)
    quantized = qcodec.Encoded(data).quantized()
    assert quantized.codes_dtype == dtype
    assert len(quantized.scale.values) == (1 if axis is None else SHAPE[axis])
    halves = weights(*SHAPE).astype(HALVES[dtype])
    alone = len(qcodec.encode(halves, profile=profile))
    assert len(data) < 1.02 * alone + 4 * len(quantized.scale.values) + 16
    assert len(data) < 0.9 * len(lzma.compress(array.tobytes(), preset=9))


@pytest.mark.parametrize("shape", [(64, 16, 3, 3), (16, 64, 2, 2), (3000,), (40, 9)])
def test_windows_and_vectors_have_scales_too(shape):
    axis = 0 if len(shape) > 1 else None
    assert is_scaled(encode(folded(weights(*shape), axis), profile="small"))
    if len(shape) > 2:  # of transposed convolutions
        quantized = qcodec.Encoded(encode(folded(weights(*shape), 1), profile="small")).quantized()
        assert quantized.scale.inner == shape[2] * shape[3]


@pytest.mark.parametrize("positions", ["auto", "gaps", "mask", "bit_mask", "csr", "dense"])
@pytest.mark.parametrize("axis", [0, 1])
def test_pruned_products_keep_their_positions(positions, axis):
    array = np.where(weights(*SHAPE, seed=3) > 0.05, weights(*SHAPE), np.float32(0))
    array = folded(array + np.float32(0), axis)
    data = encode(array, Sparse(Lossless(), positions=positions), profile="small")
    assert is_scaled(data)
    assert positions in ("auto", qcodec.info(data).positions)


def test_subnormal_results_negative_zeros_and_rows_of_zeros_come_back():
    array = weights(*SHAPE)
    array[5] = 0
    array[6] = -0.0
    array[:, ::7] = -0.0
    array[7, 1:] = 0
    array = folded(array)
    array[8] = weights(*SHAPE)[8].astype(np.float16) * np.float32(0.7 * 2.0**-118)
    assert (np.abs(array[8]) < 2.0**-126).any()
    assert is_scaled(encode(array, profile="small"))


def test_halves_that_are_subnormal_keep_their_bits():
    array = np.ldexp(np.float16(1.5), np.arange(-22, 14)).astype(np.float16).astype(np.float32)
    array = np.append(array, np.float32([1.001, 3.003, 5.5, 2.0**-24] * 8)).astype(np.float16)
    array = np.tile(array.astype(np.float32), (9, 1)) * np.float32(0.3)
    encode(array, profile="small")


def test_a_wrong_bit_brings_the_floats_back():
    array = folded(weights(*SHAPE))
    small = len(encode(array))
    array.view(np.uint32)[77, 7] ^= 1
    data = encode(array)
    assert not is_scaled(data)
    assert len(data) > 1.4 * small


def test_floats_without_their_lower_bits_take_no_more_than_before(monkeypatch):
    array = weights(*SHAPE).astype(np.float16).astype(np.float32)
    data = encode(array, profile="small")
    monkeypatch.setattr(frame_encode, "exact_forms", lambda _: [])
    assert len(data) <= len(qcodec.encode(array, profile="small"))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_types_are_not_searched(monkeypatch, dtype):
    monkeypatch.setattr(core, "scaled_halves", lambda *_: pytest.fail("searched"))
    encode(folded(weights(*SHAPE)).astype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_other_weights_are_refused_by_one_look_at_the_first_elements(monkeypatch, dtype):
    for search in ("distinct", "equal_steps", "scaled_halves", "may_have_steps"):
        monkeypatch.setattr(core, search, lambda *_: pytest.fail("searched"))
    encode(weights(256, 1152).astype(element_type(dtype).carrier))


def test_other_sparse_weights_are_refused_by_the_first_elements(monkeypatch):
    looked_at = []
    search = core.may_be_scaled_halves

    def counted(values, dtype):
        looked_at.append(len(values))
        found = search(values, dtype)
        assert not found
        return found

    monkeypatch.setattr(core, "may_be_scaled_halves", counted)
    monkeypatch.setattr(core, "scaled_halves", lambda *_: pytest.fail("searched"))
    array = weights(256, 1152)
    array[:, 512:] = 0
    encode(array)
    assert looked_at == [256, 256]  # of the first row, and of the first column


def test_a_row_that_does_not_fit_is_noticed_late():
    array = folded(weights(*SHAPE))
    array[100] = weights(*SHAPE)[100]
    assert not is_scaled(encode(array))


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_is_not_finite_is_left_alone(value):
    array = folded(weights(*SHAPE))
    array[3, 3] = value
    assert not is_scaled(encode(array))


def test_a_tensor_that_another_thread_changes_is_proved_once_more(monkeypatch):
    monkeypatch.setattr(core, "halves", lambda *_: False)
    array = folded(weights(*SHAPE))
    data = encode_quantized(Lossless().quantize(array), profile="small", codings=255, effort=5)
    assert not is_scaled(data)
    assert exact_forms.exact_forms(Lossless().quantize(array)) == []


def test_unaligned_arrays_are_searched():
    array = folded(weights(*SHAPE))
    unaligned = np.frombuffer(b"x" + array.tobytes(), np.float32, offset=1).reshape(SHAPE)
    assert encode(unaligned) == encode(array)


def test_chunks_and_slices_of_scaled_elements():
    array = folded(weights(1024, 4608), dtype="bfloat16")
    encoded = qcodec.Encoded(encode(array, profile="fast"))
    assert encoded.chunks > 1
    assert np.array_equal(encoded[500:700, ::3], array[500:700, ::3])
    assert np.array_equal(encoded.decode(threads=3), array)
    assert np.array_equal(encoded.decode(dtype="float64"), array.astype(np.float64))


@pytest.mark.parametrize("density", [1, 0.5])
@pytest.mark.parametrize("inner", [4096, 1001])
def test_large_outputs_are_right_wherever_they_begin(inner, density):
    """They are stored past the caches."""
    elements = (9 << 20) + 1013
    halves = np.resize(weights(1 << 16), elements).astype(np.float16)
    places = np.flatnonzero(np.resize(weights(1 << 16, seed=1), elements) > 0)
    positions = None if density == 1 else places
    halves = halves if density == 1 else halves[places]
    groups = Groups(np.linspace(0.1, 7, -(-elements // inner), dtype=np.float32), inner)
    quantized = Quantized(
        (elements,), "float32", "bytes", halves, positions, scale=groups, codes_dtype="float16"
    )
    encoded = qcodec.Encoded(encode_quantized(quantized, profile="fast", codings=255))
    expected = quantized.dequantize()
    memory = np.empty(elements + 64, np.float32)
    for shift in (0, 1, 5):
        out = memory[-memory.ctypes.data % 64 // 4 + shift :][:elements]
        assert np.array_equal(encoded.decode(out=out), expected)
    assert np.array_equal(encoded.decode(dtype="float16"), expected.astype(np.float16))


def test_small_tensors_that_share_a_frame_keep_their_bits():
    tensors = {f"layer{i}.weight": folded(weights(8, 27, seed=i)) for i in range(9)}
    found = qcodec.load(qcodec.save(tensors, profile="small"))
    assert all(np.array_equal(found[name], array) for name, array in tensors.items())


@given(
    seeds,
    st.lists(st.integers(1, 20), min_size=1, max_size=3),
    st.sampled_from([None, 0, 1, 2]),
    st.sampled_from(["float16", "bfloat16"]),
    st.lists(st.sampled_from([0.0, -0.0, 1e-45, -1e-40, np.inf, np.nan, 0.1]), max_size=2),
    st.sampled_from([0.0, 0.5]),
    st.integers(-140, 120),
    st.sampled_from(["small", "balanced", "fast", "fixed"]),
)
def test_every_bit_comes_back(seed, shape, axis, dtype, special, zeros, power, profile):
    random = np.random.default_rng(seed)
    array = random.standard_normal(shape).astype(np.float32) * np.float32(2.0**power)
    if axis is not None and axis >= len(shape):
        axis = None
    with np.errstate(over="ignore", under="ignore"):
        array = np.where(
            random.random(shape) < zeros, np.float32(0), array / np.float32(2.0**power)
        )
        array = folded(array, axis, dtype) * np.float32(2.0**power)
    for value in special:
        array.reshape(-1)[random.integers(array.size)] = value
    data = encode(array, profile=profile)
    assert np.array_equal(qcodec.decode(data, dtype="float64"), array.astype(float), equal_nan=True)
    assert by_reference(data) == by_library(data)
