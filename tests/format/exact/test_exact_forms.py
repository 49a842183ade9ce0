"""Lossless floats that were quantized before take the bytes of their codes, and keep every bit."""

import lzma

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec import Affine, Codebook, Delta, Lossless, Sparse, Ternary, Verbatim
from qcodec._core import core
from qcodec._frame import encode as frame_encode
from qcodec._frame.encode import encode_quantized
from tests.format.agreement import by_library, by_reference
from tests.writers.strategies import seeds

PROFILES = ("small", "balanced", "fast", "fixed")
BF16 = "bfloat16"
DTYPES = ("float32", "float16", BF16, "float64")
ALL_CODINGS = 0xFF


def bits_of(array):
    return array.view(f"u{array.itemsize}")


def encode(array, codec=None, **settings):
    """The frame of a lossless tensor, which was decoded to the same bits."""
    data = qcodec.encode(array, codec, **settings)
    found = qcodec.decode(data)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()
    return data


def kind_of(data):
    return qcodec.info(data).kind


def weights(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32) * np.float32(0.05)


def rounded(array, scales):
    """Fake quantization as it is written most often: small negative weights become -0.0."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.rint(array / scales) * scales


def row_scales(array, levels):
    return np.abs(array).max(axis=1, keepdims=True) / np.float32(levels)


def two_scales_by_row(array):
    """Ternary weights with two trained magnitudes per row, as TTQ leaves them."""
    positive = np.float32(0.9) * array.max(axis=1, keepdims=True)
    negative = np.float32(0.7) * array.min(axis=1, keepdims=True)
    zero = np.float32(0)
    return np.where(array > 0.03, positive, np.where(array < -0.04, negative, zero))


# ---- as small as the right codec ----

SHAPE = (128, 288)
RIGHT = {
    "16 levels": Codebook(4),
    "256 levels": Codebook(8),
    "ternary": Ternary(),
    "ternary, mostly zeros": Ternary(0.5),
    "steps": Affine(6, symmetric=True),
    "int8 by row": Affine(8, per=0, symmetric=True),
    "uint8 by row": Affine(8, per=0),
    "int8 by column": Affine(8, per=1, symmetric=True),
    "4 bits by block": Affine(4, group=32, symmetric=True),
    "uint4 by block": Affine(4, group=128),
    "16 levels by row": Codebook(4, per=0),
    "10 bits": Affine(10, symmetric=True),
    "16 bits by row": Affine(16, per=0, symmetric=True),
}


@pytest.mark.parametrize("profile", ["small", "balanced", "fast"])
@pytest.mark.parametrize("name", RIGHT)
def test_levels_take_what_their_codec_takes_and_less_than_xz(name, profile):
    quantized = RIGHT[name].quantize(weights(*SHAPE))
    array = quantized.dequantize()
    data = encode(array, profile=profile)
    right = qcodec.encode(quantized, profile=profile)
    assert len(data) <= 1.02 * len(right)
    assert len(data) < len(lzma.compress(array.tobytes(), preset=9))
    assert kind_of(data) == kind_of(right) or name == "steps"


#: Of 8 bits at most: codes of more would be no gain.
NARROW = ["steps", "int8 by row", "uint8 by row", "int8 by column", "4 bits by block",
          "uint4 by block"]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float16", BF16])
@pytest.mark.parametrize("name", NARROW)
def test_products_that_were_rounded_to_16_bits_take_what_their_codec_takes(name, dtype):
    pytest.importorskip("ml_dtypes")
    quantized = RIGHT[name].quantize(weights(*SHAPE).astype(dtype))
    array = quantized.dequantize()
    data = encode(array, profile="small")
    right = qcodec.encode(quantized, profile="small")
    assert len(data) <= 1.02 * len(right)
    assert len(data) < len(lzma.compress(array.tobytes(), preset=9))
    assert kind_of(data) == kind_of(right) or name == "steps"
    for output in DTYPES:
        found = qcodec.decode(data, dtype=output)
        assert found.tobytes() == array.astype(np.float32).astype(output).tobytes()


@pytest.mark.parametrize("dtype", ["float16", BF16])
@pytest.mark.parametrize("scales", ["float16", BF16])
def test_scales_of_16_bits_come_back_as_such(dtype, scales):
    pytest.importorskip("ml_dtypes")
    random = np.random.default_rng(0)
    steps = random.uniform(0.001, 0.01, 128).astype(scales).astype(np.float32)
    levels = random.integers(-127, 128, SHAPE).astype(np.float32)
    data = encode((steps[:, None] * levels).astype(dtype), profile="small")
    found = qcodec.Encoded(data).quantized()
    allowed = {"float16": ("float16",), BF16: ("float16", BF16)}[scales]
    assert found.scale_dtype in allowed


def test_two_scales_per_row_are_a_codebook_per_row():
    array = two_scales_by_row(weights(*SHAPE))
    data = encode(array, profile="small")
    assert (kind_of(data), qcodec.info(data).positions) == ("codebook", "dense")
    assert 8 * len(data) < 2 * array.size


def one_sided(array):
    """Rows of 8 bits that are positive or negative, with zeros: levels from -255 to 255."""
    array = np.where(array > 0.02, array, np.float32(0))
    array = np.rint(array / row_scales(array, 255)) * row_scales(array, 255)
    return array * np.where(np.arange(len(array)) % 2, np.float32(-1), np.float32(1))[:, None]


def uneven(array):
    """Rows of 16 values of their own, more or fewer of them negative, and zeros."""
    random = np.random.default_rng(0)
    levels = random.standard_normal((len(array), 16), dtype=np.float32)
    chosen = np.take_along_axis(levels, random.integers(0, 16, array.shape), axis=1)
    return np.where(array > 0, chosen, np.float32(0))


@pytest.mark.parametrize("make", [two_scales_by_row, one_sided, uneven])
@pytest.mark.parametrize("positions", ["auto", "gaps", "mask", "bit_mask", "csr", "dense"])
def test_a_code_for_zero_in_every_group_allows_every_form_of_positions(make, positions):
    array = make(weights(*SHAPE)) + np.float32(0)
    data = encode(array, Sparse(Lossless(), positions=positions), profile="small")
    quantized = qcodec.Encoded(data).quantized()
    assert (quantized.codebook or quantized.scale) is not None
    assert positions in ("auto", qcodec.info(data).positions)


def test_negative_zeros_of_fake_quantization_cost_little():
    array = weights(*SHAPE)
    array = rounded(array, row_scales(array, 127))
    is_negative_zero = (array == 0) & np.signbit(array)
    assert 0 < np.count_nonzero(is_negative_zero) < np.count_nonzero(array == 0)
    data = encode(array, profile="small")
    right = qcodec.encode(array, Affine(8, per=0, symmetric=True), profile="small")
    assert len(data) <= 1.02 * len(right)


@pytest.mark.parametrize("dtype", ["float16", BF16, "float64"])
def test_few_values_of_other_types_are_a_codebook(dtype):
    pytest.importorskip("ml_dtypes")
    array = Codebook(4).quantize(weights(*SHAPE)).dequantize().astype(dtype)
    data = encode(array, profile="small")
    assert kind_of(data) == "codebook"
    assert len(data) <= 1.02 * len(qcodec.encode(array, Codebook(4), profile="small"))


@pytest.mark.parametrize("arrange", [np.asfortranarray, lambda a: a[:, ::2], lambda a: a[:, ::-1]])
def test_the_layout_in_memory_does_not_matter(arrange):
    array = arrange(Affine(8, per=0).quantize(weights(*SHAPE)).dequantize())
    data = encode(array)
    assert kind_of(data) == "affine"
    assert encode(array.copy()) == data
    unaligned = np.frombuffer(b"x" + array.tobytes(), np.float32, offset=1).reshape(array.shape)
    assert not unaligned.flags.aligned
    assert encode(unaligned) == data


def test_a_scale_that_is_a_float16_is_stored_as_one():
    scale = np.linspace(0.001, 0.1, 40, dtype=np.float16).astype(np.float32)[:, None]
    levels = np.random.default_rng(0).integers(-8, 8, (40, 128)).astype(np.float32)
    levels[:, :2] = [1, -8]
    encoded = qcodec.Encoded(encode(scale * levels + np.float32(0)))
    quantized = encoded.quantized()
    assert quantized.scale_dtype == "float16"
    assert np.array_equal(quantized.scale.values, scale[:, 0].astype(np.float16))
    assert quantized.zero_point == 8


@pytest.mark.parametrize("positions", ["auto", "gaps", "mask", "bit_mask", "csr", "dense"])
def test_stored_elements_have_codes_with_every_form_of_positions(positions):
    array = Ternary(0.4).quantize(weights(*SHAPE)).dequantize()
    data = encode(array, Sparse(Lossless(), positions=positions), profile="small")
    assert kind_of(data) == "codebook"
    if positions != "auto":
        assert qcodec.info(data).positions == positions


@pytest.mark.parametrize("groups", [{"group": 64}, {"per": 0}, {"per": 1}])
@pytest.mark.parametrize("positions", ["auto", "mask"])
def test_steps_by_group_keep_positions(groups, positions):
    array = weights(64, 512)
    array[:, ::2] = 0
    array = Affine(8, symmetric=True, **groups).quantize(array).dequantize()
    data = encode(array, Sparse(Lossless(), positions=positions), profile="small")
    assert (kind_of(data), qcodec.info(data).code_bits) == ("affine", 8)
    assert positions in ("auto", qcodec.info(data).positions)


def test_narrow_codes_by_row_win_over_wide_codes():
    """Steps that are powers of two have a common divisor."""
    steps = np.float32(2) ** -(np.arange(128, dtype=np.float32) % 9 + 4)
    array = np.rint(weights(*SHAPE) * 500) * steps[:, None] + np.float32(0)
    data = encode(array, profile="small")
    assert qcodec.info(data).code_bits == 8
    assert qcodec.Encoded(data).quantized().scale.inner == SHAPE[1]


def test_few_rows_with_codebooks_of_their_own_do_not_share_one():
    array = Codebook(4, per=0).quantize(weights(16, 2000)).dequantize()
    assert len(np.unique(array)) == 256
    assert qcodec.info(encode(array, profile="small")).code_bits == 4


# ---- and else nothing changes ----


def real(name):
    array = weights(*SHAPE)
    return {
        "normal": array,
        "one row": array[:1],
        "few": array[0, :40],
        "steps but for one": np.where(np.arange(288) == 7, array, rounded(array, 0.01)),
        "sparse": np.where(array > 0.03, array, np.float32(0)),
        "float16": array.astype(np.float16),
        BF16: array.astype(BF16),
        "float64": array.astype(np.float64) * 0.1,
        "long rows": array.reshape(8, -1),
        "narrow": np.float32(1) + array[0],
        "one": array[0, 0],
        "empty": array[:0],
        "integers": np.arange(100),
    }[name]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "name",
    ["normal", "one row", "few", "sparse", "float16", BF16, "float64", "long rows", "narrow", "one",
     "empty", "integers"],
)  # fmt: skip
def test_weights_that_were_not_quantized_keep_their_bytes(monkeypatch, name, profile):
    array = real(name)
    data = encode(array, profile=profile)
    monkeypatch.setattr(frame_encode, "exact_forms", lambda _: [])
    assert qcodec.encode(array, profile=profile) == data


@pytest.mark.parametrize("codec", [Verbatim(), Lossless()])
def test_the_fixed_profile_keeps_bytes_in_place(codec):
    array = Codebook(4).quantize(weights(*SHAPE)).dequantize()
    assert kind_of(encode(array, codec, profile="fixed")) == "bytes"
    assert kind_of(encode(array, Verbatim(), profile="small")) == "bytes"


def test_a_value_that_fits_nowhere_comes_back():
    array = rounded(weights(*SHAPE), np.float32(0.01))
    quantized = len(encode(array))
    array[77, 7] = np.nextafter(array[77, 7], np.float32(1))
    assert len(encode(array)) > quantized


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_nan_is_left_alone_as_the_format_does_not_promise_its_bits(dtype):
    array = Codebook(4).quantize(weights(*SHAPE)).dequantize().astype(dtype)
    bits_of(array)[5, 5] = bits_of(np.array(np.nan, dtype)) | 1
    assert kind_of(encode(array)) not in ("codebook", "affine")


def test_float64_that_float32_does_not_hold_is_left_alone():
    array = Codebook(4).quantize(weights(*SHAPE)).dequantize().astype(np.float64) / 3
    assert kind_of(encode(array)) not in ("codebook", "affine")


def test_a_base_is_used_if_that_is_smaller():
    array = Codebook(8).quantize(weights(*SHAPE)).dequantize()
    assert kind_of(qcodec.encode(array, Delta(array))) == "delta"
    assert kind_of(encode(array, Delta(weights(*SHAPE, seed=1)))) == "codebook"


@pytest.mark.parametrize("dtype", ["float16", BF16])
def test_a_wider_output_type_gets_the_stored_values(dtype):
    """A product is rounded to the narrow type before it is given in a wide one."""
    pytest.importorskip("ml_dtypes")
    array = Affine(8, per=0, symmetric=True).quantize(weights(*SHAPE)).dequantize().astype(dtype)
    data = encode(array, profile="small")
    assert np.array_equal(qcodec.decode(data, dtype="float32"), array.astype(np.float32))


# ---- every bit, whatever comes ----


def by_tensor(random, array):
    return rounded(array, np.float32(random.choice([0.001, 0.01, 1 / 64, 1e-40])))


def by_row(random, array):
    levels = random.choice([1, 7, 127, 2000])
    scales = np.abs(array).reshape(len(array), -1).max(axis=1).astype(np.float32)
    scales = scales.reshape(-1, *[1] * (array.ndim - 1)) / np.float32(levels)
    return rounded(array, np.where(scales > 0, scales, np.float32(1)))


def by_column(random, array):
    scales = np.abs(array).max(axis=tuple(range(array.ndim - 1)), initial=1e-9)
    return rounded(array, (scales / np.float32(31)).astype(np.float32))


def by_block(random, array):
    flat = array.reshape(-1).copy()
    block = int(random.choice([32, 64, 128]))
    for start in range(0, len(flat), block):
        part = flat[start : start + block]
        part[:] = rounded(part, np.float32(np.abs(part).max() / np.float32(15) or 1))
    return flat.reshape(array.shape)


def few(random, array):
    levels = random.standard_normal(int(random.integers(1, 300))).astype(np.float32)
    return levels[random.integers(0, len(levels), array.shape)]


def few_by_row(random, array):
    levels = random.standard_normal((len(array), 16)).astype(np.float32)
    return np.take_along_axis(
        levels, random.integers(0, 16, (len(array), array[0].size)), axis=1
    ).reshape(array.shape)


SPECIAL = (0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -1e-40, 3.4e38, 0.1234567)
MAKERS = (by_tensor, by_row, by_column, by_block, few, few_by_row, lambda _, array: array)


@given(
    seeds,
    st.lists(st.integers(1, 20), min_size=1, max_size=3),
    st.sampled_from(MAKERS),
    st.sampled_from(DTYPES),
    st.lists(st.sampled_from(SPECIAL), max_size=3),
    st.sampled_from([0.0, 0.3, 0.8]),
    st.sampled_from(PROFILES),
)
def test_every_bit_comes_back(seed, shape, make, dtype, special, zeros, profile):
    if dtype == BF16:
        pytest.importorskip("ml_dtypes")
    random = np.random.default_rng(seed)
    array = make(random, random.standard_normal(shape).astype(np.float32))
    array = np.where(random.random(shape) < zeros, np.float32(0), array)
    with np.errstate(over="ignore"):
        array = array.astype(np.float32).astype(dtype)
        for value in special:
            array.reshape(-1)[random.integers(array.size)] = value
    data = encode(array, profile=profile)
    for other in ("float32", "float64"):
        found = qcodec.decode(data, dtype=other)
        assert np.array_equal(found, array.astype(other), equal_nan=True)
    assert by_reference(data) == by_library(data)


def test_a_search_stops_at_another_thread_that_changes_the_elements(monkeypatch):
    """Codes are proved once more when they are written."""
    array = Affine(8, per=0).quantize(weights(*SHAPE)).dequantize()
    monkeypatch.setattr(core, "step_codes", lambda *_: False)
    data = encode_quantized(
        Lossless().quantize(array), profile="small", codings=ALL_CODINGS, effort=5
    )
    assert kind_of(data) != "affine"
