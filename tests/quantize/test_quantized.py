"""`Quantized`: its arithmetic, and the refusal of attributes that do not fit."""

import math

import numpy as np
import pytest

from qcodec._base.delta_base import Base
from qcodec._frame.encode import encode_quantized
from qcodec._frame.encoded import Encoded
from qcodec.dtypes import BY_NAME, element_type
from qcodec.quantize import Groups, Quantized, sqnr

F32 = np.float32
BFLOAT16 = element_type("bfloat16")
BOOK = Groups(np.array([[-1.0, 0.0, 0.5]], F32))
CODES = np.array([0, 1, 2, 2], np.uint8)


def codebook(**changes):
    parts = {"shape": (4,), "dtype": "float32", "kind": "codebook", "codes": CODES, "bits": 2}
    return Quantized(**(parts | {"codebook": BOOK} | changes))


def affine(**changes):
    parts = {"shape": (4,), "dtype": "float32", "kind": "affine", "codes": CODES, "bits": 2}
    return Quantized(**(parts | changes))


def verbatim(**changes):
    parts = {"shape": (4,), "dtype": "float32", "kind": "bytes", "codes": np.arange(4, dtype=F32)}
    return Quantized(**(parts | changes))


def scaled(**changes):
    parts = {"codes": np.arange(4, dtype=np.float16), "codes_dtype": "float16"}
    return verbatim(**(parts | {"scale": Groups(np.array([0.5, 3], F32), 2)} | changes))


def test_a_value_is_one_float32_product_rounded_to_the_type():
    """0.1f * 3 is not 0.3f, and a wider product would round to it."""
    scale = Groups(np.array([0.1], F32))
    q = affine(codes=np.array([3, 0, 1, 2], np.uint8), scale=scale, zero_point=0)
    expected = np.array([3, 0, 1, 2], F32) * F32(0.1)
    assert q.dequantize().tobytes() == expected.tobytes()
    assert q.dequantize("float16").tobytes() == expected.astype(np.float16).tobytes()
    assert q.dequantize("float64").tobytes() == expected.astype(np.float64).tobytes()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e4m3fn", "float8_e8m0fnu"])
def test_scales_of_every_type_are_taken_exactly(dtype):
    carried = np.array([2.0, 0.25]).astype(element_type(dtype).carrier)
    q = codebook(scale=Groups(carried, 2), scale_dtype=dtype)
    assert q.dequantize().tolist() == [-2, 0, 0.125, 0.125]


def test_groups_repeat_after_the_last():
    scale = Groups(np.array([1, 10, 100], F32), inner=2)
    q = affine(
        shape=(14,),
        codes=np.ones(14, np.uint8),
        scale=scale,
        zero_point=np.array([0, 2, 0], np.uint16),
    )
    assert q.dequantize().tolist() == [1, 1, -10, -10, 100, 100] * 2 + [1, 1]


def test_stored_elements_take_the_group_of_their_place():
    q = codebook(
        shape=(2, 4),
        positions=np.array([1, 3, 4, 7]),
        codebook=Groups(np.array([[1, 2, 3], [4, 5, 6]], F32), inner=4),
    )
    assert q.dequantize().tolist() == [[0, 1, 0, 2], [6, 0, 0, 6]]
    assert q.mask.tolist() == [[False, True, False, True], [True, False, False, True]]
    assert (q.stored, q.density) == (4, 0.5)


def test_verbatim_elements_come_back_bit_for_bit():
    codes = np.array([0x7FC00001, 0xFF800000, 0x80000000, 1], np.uint32).view(F32)
    assert verbatim(codes=codes).dequantize().tobytes() == codes.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_scaled_elements_are_one_product_each(dtype):
    scale = Groups(np.array([0.1, -1e-40, np.inf], F32), 2)
    codes = np.array([3, -0.0, 1e-7, 65504, 1, np.inf], np.float16)
    q = scaled(shape=(6,), dtype=dtype, codes=codes, scale=scale)
    expected = codes.astype(F32) * np.repeat(scale.values, 2)
    with np.errstate(over="ignore"):
        assert q.dequantize().tobytes() == expected.astype(q.dequantize().dtype).tobytes()
    assert q.stored_type.name == "float16"
    assert Encoded(encode_quantized(q, profile="small", codings=255)).decode().tobytes() == (
        q.dequantize().tobytes()
    )


@pytest.mark.parametrize("profile", ["small", "balanced", "fast", "fixed"])
@pytest.mark.parametrize("positions", ["dense", "mask", "bit_mask", "gaps", "csr"])
def test_scaled_elements_are_stored_in_every_form(positions, profile):
    places = np.array([3, 4, 19, 290, 299])
    scale = Groups(np.array([0.1, 7], F32), lengths=np.array([19, 281]))
    codes = np.array([1, 0, -3, 0.1, 2]).astype(BFLOAT16.carrier)
    q = scaled(shape=(3, 100), positions=places, codes=codes, scale=scale, codes_dtype="bfloat16")
    data = encode_quantized(q, profile=profile, codings=255, positions=positions, chunk=300)
    encoded = Encoded(data)
    assert (encoded.kind, encoded.positions) == ("planes", positions)
    assert encoded.decode().tobytes() == q.dequantize().tobytes()
    assert encoded.quantized().dequantize().tobytes() == q.dequantize().tobytes()
    assert encoded.info().kind == "planes"
    assert "scales" in [section.name for section in encoded.info().sections]
    encoded.verify()


def test_negative_scales_have_no_fillers():
    places = np.array([0, 299])
    scale = Groups(np.array([-1], F32))
    q = scaled(shape=(300,), positions=places, codes=np.ones(2, np.float16), scale=scale)
    for form in ("auto", "mask", "gaps"):
        data = encode_quantized(q, profile="small", codings=255, positions=form)
        assert Encoded(data).decode().tobytes() == q.dequantize().tobytes()
    for refused in ({"positions": "dense"}, {"positions": "gaps", "gap_bits": 2}):
        with pytest.raises(ValueError, match="zero"):
            encode_quantized(q, profile="small", codings=255, **refused)


def test_a_tensor_of_no_elements_is_all_there():
    q = verbatim(shape=(0, 3), codes=np.zeros(0, F32))
    assert q.dequantize().shape == (0, 3)
    assert (q.stored, q.density, q.mask.shape) == (0, 1.0, (0, 3))


def test_integers_are_not_given_as_floats():
    q = verbatim(dtype="int8", codes=np.zeros(4, np.int8))
    with pytest.raises(ValueError, match="no conversion"):
        q.dequantize("float32")


POSITIONS = np.array([0, 2, 5, 9])
SCALE = Groups(np.ones(2, F32), 2)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: verbatim(shape=(1,) * 9), "9 dimensions"),
        (lambda: verbatim(shape=(-4,)), "negative"),
        (lambda: verbatim(kind="planes"), "kind"),
        (lambda: verbatim(shape=(5,)), "codes: found 4, allowed 5"),
        (lambda: verbatim(codes=np.zeros((2, 2), F32)), "codes: found 2 dimensions"),
        (lambda: verbatim(bits=8), "bits of kind bytes"),
        (lambda: verbatim(codebook=BOOK), "codebook of kind bytes"),
        (lambda: verbatim(scale=SCALE), "codes_dtype: found , allowed"),
        (lambda: verbatim(codes_dtype="float16"), "codes_dtype without a scale"),
        (lambda: affine(scale=SCALE, codes_dtype="float16"), "codes_dtype of kind affine"),
        (lambda: scaled(codes_dtype="float32"), "codes_dtype"),
        (lambda: scaled(dtype="int16"), "dtype"),
        (lambda: scaled(base=Base.of(np.zeros(4, F32))), "base of scaled elements"),
        (lambda: scaled(codebook=BOOK), "codebook of kind bytes"),
        (lambda: scaled(scale_dtype="float64"), "scale_dtype"),
        (lambda: verbatim(shape=(10,), positions=POSITIONS[::-1].copy()), "strictly ascending"),
        (lambda: verbatim(shape=(10,), positions=np.array([0, 0, 1, 2])), "strictly ascending"),
        (lambda: verbatim(shape=(9,), positions=POSITIONS), "positions: found 9, allowed below 9"),
        (lambda: verbatim(shape=(9,), positions=POSITIONS - 1), "at least 0"),
        (lambda: verbatim(shape=(10,), positions=POSITIONS[:3]), "codes: found 4, allowed 3"),
        (lambda: affine(dtype="int8"), "dtype"),
        (lambda: affine(bits=0), "bits"),
        (lambda: affine(bits=17, codes=CODES.astype(np.uint16)), "bits"),
        (lambda: affine(bits=1), "codes: found 2, allowed below 2"),
        (lambda: affine(codebook=BOOK), "codebook of kind affine"),
        (lambda: affine(zero_point=1 << 16), "zero_point"),
        (lambda: affine(zero_point=-1), "zero_point"),
        (lambda: affine(zero_point=np.zeros(1, np.uint16)), "zero_point"),
        (lambda: affine(zero_point=np.zeros(3, np.uint16), scale=SCALE), "zero_point"),
        (lambda: affine(scale=Groups(np.ones((1, 1), F32))), "scale"),
        (lambda: affine(scale=SCALE, scale_dtype="float64"), "scale_dtype"),
        (lambda: codebook(codebook=None), "needs a codebook"),
        (lambda: codebook(codebook_dtype="float64"), "codebook_dtype"),
        (lambda: codebook(codebook=Groups(np.ones(3, F32))), "books, entries"),
        (lambda: codebook(codebook=Groups(np.ones((1, 0), F32))), "codebook entries"),
        (lambda: codebook(codebook=Groups(np.ones((1, 257), F32))), "codebook entries"),
        (lambda: codebook(bits=3), "bits of 3 entries: found 3, allowed 2"),
        (lambda: codebook(codes=CODES + np.uint8(1)), "codes: found 3, allowed below 3"),
        (lambda: Groups(np.zeros(0, F32)), "0 groups"),
        (lambda: Groups(np.zeros(1, F32), 0), "inner=0"),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(make, what):
    with pytest.raises(ValueError, match=what):
        make()


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: verbatim(codes=np.zeros(4)), "codes: found dtype float64, allowed float32"),
        (lambda: verbatim(shape=(10,), positions=POSITIONS.astype(np.int32)), "positions"),
        (lambda: affine(codes=CODES.astype(np.uint16)), "codes"),
        (lambda: affine(bits=9), "codes"),
        (lambda: affine(scale=Groups(np.ones(1))), "scale"),
        (lambda: affine(scale=SCALE, zero_point=np.zeros(2, np.int32)), "zero_point"),
        (lambda: codebook(codebook=Groups(np.ones((1, 3)))), "codebook"),
        (lambda: verbatim(dtype="complex64"), "complex64"),
        (lambda: scaled(codes=np.zeros(4, F32)), "codes: found dtype float32, allowed float16"),
        (lambda: scaled(scale=Groups(np.ones(1))), "scale"),
    ],
)
def test_arrays_of_another_type_are_refused_by_name(make, what):
    with pytest.raises(TypeError, match=what):
        make()


def test_sqnr_is_in_decibels_and_the_same_for_every_float_type():
    x = np.array([3.0, -4.0, 0.0])
    y = np.array([3.0, -3.5, 0.0])
    for name in ("float16", "float32", "float64", "bfloat16"):
        carrier = BY_NAME[name].carrier
        assert sqnr(x.astype(carrier), y.astype(carrier)) == pytest.approx(20)
    assert sqnr(x, x) == math.inf
    assert sqnr(np.zeros(2), np.ones(2)) == -math.inf
    with pytest.raises(ValueError, match="shapes differ"):
        sqnr(x, x[:2])


@pytest.mark.parametrize("second", [0.0123, -2.0, 0.0, 3.4e38, 1e-40, np.inf])
def test_a_second_scale_multiplies_each_scale_once(second):
    second = float(np.float32(second))
    random = np.random.default_rng(0)
    scales = random.integers(0, 0x7F, 24, np.uint8).view(element_type("float8_e4m3fn").carrier)
    e2m1 = np.array([[0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6]], "f4")
    quantized = Quantized(
        shape=(12, 32),
        dtype="float32",
        kind="codebook",
        codes=random.integers(0, 16, 384).astype(np.uint8),
        bits=4,
        codebook=Groups(e2m1),
        scale=Groups(scales, inner=16, second=second),
        scale_dtype="float8_e4m3fn",
    )
    data = encode_quantized(quantized, profile="small", codings=0xFF)
    back = Encoded(data).quantized()
    assert back.scale.second == second
    assert back.scale.values.tobytes() == scales.tobytes()
    with np.errstate(all="ignore"):
        step = np.float32(second) * scales.astype(np.float32)
        expected = step.repeat(16) * e2m1[0][quantized.codes]
    for found in (quantized.dequantize(), back.dequantize(), Encoded(data).decode()):
        np.testing.assert_array_equal(found.reshape(-1), expected)
    assert encode_quantized(back, profile="small", codings=0xFF) == data


def test_codebooks_have_no_second_scale():
    with pytest.raises(ValueError, match="codebook: found second=2"):
        Quantized((1,), "float32", "codebook", np.zeros(1, "u1"), bits=1,
                  codebook=Groups(np.zeros((1, 2), "f4"), second=2))  # fmt: skip
