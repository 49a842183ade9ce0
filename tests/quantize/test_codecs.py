"""The promises of codecs, for every codec of the table."""

import json

import numpy as np
import pytest

import qcodec.codecs
from qcodec.codecs import (
    CODECS,
    Affine,
    Codebook,
    DeepCompression,
    Delta,
    FixedPoint,
    Levels,
    Lossless,
    Sparse,
    Ternary,
    TrainedTernary,
    Verbatim,
    from_config,
)
from qcodec.codecs.pruning import PRUNINGS, Density, NOfM, Quality, Threshold
from qcodec.quantize import sqnr

ml_dtypes = pytest.importorskip("ml_dtypes")

DENSE = [
    Verbatim(),
    Lossless(),
    Affine(1),
    Affine(4),
    Affine(12, per=0),
    Affine(4, group=10, symmetric=True),
    Affine(5, rate=0.02),
    Affine(4, symmetric=True, rate=0.1),
    FixedPoint(8),
    FixedPoint(5, "max", per=0),
    FixedPoint(4, "laplace", group=16),
    Codebook(4),
    Codebook(8, "linear"),
    Codebook(3, "k-means++", seed=5),
    Codebook(2, per=0),
    Codebook(4, scale="rms", group=20),
    Codebook(5, rate=0.02),
    Levels(group=16),
    Levels("fp4", group=32, scale_dtype="float8_e8m0fnu"),
    Levels((-2, 0, 0.5, 3), unit="mean", per=0, scale_dtype="bfloat16"),
    Ternary(),
    Ternary("twn", scales=1, per=0),
    Ternary(0.1, group=9),
    TrainedTernary(),
]
SPARSE = [
    Sparse(Verbatim()),
    Sparse(Lossless(), Density(0.3)),
    Sparse(Affine(4), Density(0.5), "mask"),
    Sparse(Affine(4, rate=0.05), Density(0.5)),
    Sparse(Affine(8, per=0, symmetric=True), Quality(1.0), "csr", gap_bits=5),
    Sparse(FixedPoint(6, per=0), Threshold(0.5), "gaps"),
    Sparse(Codebook(4)),
    Sparse(Codebook(4, rate=0.05), Quality(0.5)),
    Sparse(Codebook(3, per=0), NOfM(2, 4)),
    Sparse(Codebook(4, scale="max", group=8), Density(0.5)),
    Sparse(Levels("ternary", unit="mean"), Density(0.5)),
    Sparse(Ternary(scales=1), NOfM(1, 2)),
    DeepCompression(4),
    DeepCompression(5, Density(0.1), init="exact", gap_bits=4),
]
EVERY = DENSE + SPARSE
BIT_EXACT = [Verbatim(), Lossless(), Sparse(Verbatim()), Sparse(Lossless())]
LOSSY = [codec for codec in EVERY if codec not in BIT_EXACT]
QUANTIZABLE = ["float32", "float16", "float64", "bfloat16"]

every = pytest.mark.parametrize("codec", EVERY, ids=repr)
quantizing = pytest.mark.parametrize("codec", LOSSY, ids=repr)

WEIGHTS = np.random.default_rng(0).standard_t(4, (12, 5, 7))


def takes(codec, shape):
    """Whether a codec for axis 0 has one."""
    inner = getattr(codec, "codec", codec)
    return shape != () or getattr(inner, "per", None) is None


def decoded(codec, array):
    return codec.quantize(array).dequantize()


def test_every_row_of_the_tables_is_tested_here():
    # What Delta promises depends on its base: tests/format/test_delta.py.
    assert {type(codec) for codec in EVERY} == set(CODECS.values()) - {Delta}
    assert {type(c.prune) for c in SPARSE if c.prune is not None} == set(PRUNINGS.values())
    assert all(cls.codec_id == codec_id for codec_id, cls in CODECS.items())


# ---- configurations


@every
def test_a_configuration_goes_through_json_and_back(codec):
    config = json.loads(json.dumps(codec.get_config()))
    assert config["id"] == codec.codec_id
    assert from_config(config) == codec


@every
def test_the_repr_is_python(codec):
    names = vars(qcodec.codecs) | {cls.__name__: cls for cls in PRUNINGS.values()}
    assert eval(repr(codec), dict(names)) == codec


@every
def test_codecs_are_frozen_and_can_be_keys(codec):
    assert len({codec, from_config(codec.get_config())}) == 1
    with pytest.raises(AttributeError):
        codec.positions = "gaps"


def test_parameters_with_a_default_may_be_left_out():
    assert from_config({"id": "ternary"}) == Ternary()
    nested = {
        "id": "sparse",
        "codec": {"id": "verbatim"},
        "prune": {"id": "density", "density": 0.5},
    }
    assert from_config(nested) == Sparse(Verbatim(), Density(0.5))


@pytest.mark.parametrize(
    ("config", "error", "what"),
    [
        ({"id": "code_book", "bits": 4}, ValueError, "did you mean 'codebook'?"),
        ({"id": "zzz"}, ValueError, "known are affine, "),
        ({"id": "affine", "bit": 4}, ValueError, "no parameter 'bit'; did you mean 'bits'?"),
        ({"id": "sparse", "codec": {"id": "verbatin"}}, ValueError, "did you mean 'verbatim'?"),
        ({"id": "sparse", "codec": "verbatim"}, TypeError, "codec='verbatim'"),
        ({"id": "sparse", "codec": {"id": "density", "density": 1}}, TypeError, "codec=Density"),
        ({"id": "sparse", "codec": {"id": "verbatim"}, "prune": 0.1}, TypeError, "prune=0.1"),
        ({"id": "density", "density": 0.1}, ValueError, "as the 'prune' of a 'sparse'"),
        ({"id": "affine"}, TypeError, "bits"),
        ({"bits": 4}, TypeError, "'id'"),
        ({"id": 4}, TypeError, "'id'"),
        ("affine", TypeError, "'affine'"),
        ({"id": "sparse"}, TypeError, "sparse needs the parameter 'codec'; it has codec, prune"),
        (
            {"id": "sparse", "codec": {"id": "verbatim"}, "prune": {"density": 0.1}},
            TypeError,
            "prune of sparse: {'density': 0.1} has no 'id'; ids with these parameters: density",
        ),
        (
            {"id": "sparse", "codec": {"id": "verbatim"}, "prune": {"id": "density", "density": 2}},
            ValueError,
            "prune of sparse: density=2: allowed are 0 to 1",
        ),
    ],
)
def test_a_configuration_that_is_not_understood_says_what_was_meant(config, error, what):
    with pytest.raises(error) as caught:
        from_config(config)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Affine(0),
        lambda: Affine(1, symmetric=True),
        lambda: Affine(4, per=0, group=8),
        lambda: Affine(4, group=0),
        lambda: Affine(4, rate=-1.0),
        lambda: Affine(9, rate=0.01),
        lambda: Affine(4, per=0, rate=0.01),
        lambda: FixedPoint(1),
        lambda: FixedPoint(8, "normal"),
        lambda: Codebook(9),
        lambda: Codebook(4, "random"),
        lambda: Codebook(4, scale="std"),
        lambda: Levels("nf5"),
        lambda: Levels((1, 1)),
        lambda: Levels((1.0,)),
        lambda: Levels((0.0, 1e39)),
        lambda: Levels(unit="rms"),
        lambda: Levels(scale_dtype="float64"),
        lambda: Ternary("ttq"),
        lambda: Ternary(scales=0),
        lambda: TrainedTernary(1.0),
        lambda: Sparse(Verbatim(), positions="coo"),
        lambda: Sparse(Verbatim(), gap_bits=17),
        lambda: Sparse(Affine(4, per=0)),
        lambda: DeepCompression(4, gap_bits=0),
        lambda: DeepCompression(4, init="best"),
    ],
)
def test_parameters_out_of_range_are_refused_at_once(make):
    with pytest.raises(ValueError, match=r"allowed|symmetric=True"):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Verbatim("complex128"),
        lambda: Sparse(Sparse(Verbatim())),
        lambda: Sparse(DeepCompression(4)),
        lambda: Sparse(Verbatim(), 0.5),
        lambda: TrainedTernary("exact"),
        lambda: Affine("4"),
        lambda: Levels(4),
        lambda: Levels((0, "1")),
        lambda: Codebook(4.0),
        lambda: FixedPoint(True),
        lambda: Affine(4, per="0"),
        lambda: Affine(4, group=8.0),
        lambda: Ternary([0.5]),
        lambda: Sparse(Verbatim(), gap_bits="5"),
    ],
)
def test_parameters_of_the_wrong_type_are_refused_at_once(make):
    with pytest.raises(TypeError):
        make()


# ---- arrays


@every
@pytest.mark.parametrize("dtype", QUANTIZABLE)
@pytest.mark.parametrize("shape", [(0,), (3, 0, 2), (), (1,), (1, 1, 1), (6, 4), (2,) * 8])
def test_every_shape_and_float_type_comes_back_as_such(codec, dtype, shape):
    if not takes(codec, shape):
        with pytest.raises(ValueError, match="not an axis"):
            codec.quantize(np.ones(shape, dtype))
        return
    array = np.random.default_rng(1).normal(size=shape).astype(dtype)
    q = codec.quantize(array)
    assert q.dequantize().shape == shape
    assert q.dequantize().dtype == array.dtype
    assert q.dequantize("float32").dtype == np.float32
    assert q.mask.sum() == q.stored


@every
def test_zeros_come_back_as_zeros(codec):
    assert not decoded(codec, np.zeros((4, 6), np.float32)).any()


@every
def test_a_strided_array_is_quantized_like_its_copy(codec):
    for array in (WEIGHTS[::-2, :, ::3], WEIGHTS.T, WEIGHTS.astype(">f4")):
        plain = np.array(array, array.dtype.newbyteorder("="), order="C")
        strided, copied = codec.quantize(array), codec.quantize(plain)
        np.testing.assert_array_equal(strided.codes, copied.codes)
        np.testing.assert_array_equal(strided.dequantize(), copied.dequantize())


@every
def test_quantizing_changes_nothing_in_the_array_and_is_repeatable(codec):
    array = WEIGHTS.astype(np.float32)
    before = array.copy()
    first, again = codec.quantize(array), codec.quantize(array)
    np.testing.assert_array_equal(array, before)
    assert first.codes.tobytes() == again.codes.tobytes()


@pytest.mark.parametrize("codec", BIT_EXACT, ids=repr)
def test_raw_and_lossless_keep_every_bit(codec):
    bits = np.array([0, 1, 0x7FFF, 0x8000, 0xFC00, 0x7E01, 0x3C00], np.uint16)
    for array in (bits.view(np.float16), bits, bits.view(np.int16), bits.view("u1"), bits > 1):
        assert decoded(codec, array).tobytes() == array.tobytes()


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2", "bfloat16", "float8_e8m0fnu"])
def test_raw_and_lossless_take_bits_by_the_name_of_their_type(name):
    bits = np.arange(256).astype(f"u{ml_dtypes.finfo(name).bits // 8}")
    for codec in (Verbatim(name), Lossless(name)):
        q = codec.quantize(bits)
        assert q.dtype == name
        assert q.dequantize().tobytes() == bits.tobytes()


@quantizing
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_with_count_and_place(codec, bad):
    array = WEIGHTS.astype(np.float32)
    array[3, 2, 1] = array[4, 0, 0] = bad
    with pytest.raises(
        ValueError, match=r"2 of 420 values are NaN or infinite, first at \(3, 2, 1\)"
    ):
        codec.quantize(array)


@quantizing
@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "bool", "float8_e4m3fn"])
def test_types_that_are_not_quantized_are_refused(codec, dtype):
    with pytest.raises(TypeError, match="allowed are float32"):
        codec.quantize(np.ones((4, 4), dtype))


@quantizing
def test_negative_zero_becomes_zero(codec):
    array = np.array([[-0.0, 1.0, -2.0, 0.5]] * 4, np.float32)
    values = decoded(codec, array)
    assert not np.signbit(values[values == 0]).any()


def takes_a_mask(codec):
    return not isinstance(codec, Affine) or codec.has_common_zero


@pytest.mark.parametrize("codec", list(filter(takes_a_mask, EVERY)), ids=repr)
def test_a_mask_decides_what_is_stored(codec):
    array = WEIGHTS.astype(np.float32)
    mask = np.random.default_rng(2).random(array.shape) < 0.3
    q = codec.quantize(array, mask)
    assert not np.any(q.mask & ~mask)
    assert not q.dequantize()[~mask].any()


IDEMPOTENT = [c for c in LOSSY if isinstance(c, Ternary) and not isinstance(c.threshold, float)] + [
    Codebook(4),
    Codebook(2, per=0),
    FixedPoint(8),
    FixedPoint(5, "max", per=0),
    Sparse(Codebook(4), Density(0.2)),
    DeepCompression(5, Density(0.1), init="exact"),
    TrainedTernary(),
]


@pytest.mark.parametrize("codec", IDEMPOTENT, ids=repr)
@pytest.mark.parametrize("dtype", QUANTIZABLE)
def test_what_was_decoded_is_quantized_to_itself(codec, dtype):
    once = decoded(codec, WEIGHTS.astype(dtype))
    np.testing.assert_array_equal(decoded(codec, once), once)


@pytest.mark.parametrize("make", [Affine, FixedPoint, Codebook, lambda b: Codebook(b, "density")])
def test_more_bits_are_never_worse(make):
    quality = [sqnr(WEIGHTS, decoded(make(bits), WEIGHTS)) for bits in range(2, 9)]
    assert quality == sorted(quality)


def test_sparse_stores_what_is_not_zero_unless_told():
    array = np.array([0.0, -0.0, 2.0, np.nan])
    assert Sparse(Verbatim()).quantize(array).positions.tolist() == [1, 2, 3]
    # A masked weight that was negative is -0.0, and is as absent as the others.
    assert Sparse(Codebook(2)).quantize(array[:3]).positions.tolist() == [2]


def test_sparse_knows_the_type_of_bits_that_raw_is_told():
    bits = np.array([0, 0x3F80, 0x8000], np.uint16)
    q = Sparse(Verbatim("bfloat16")).quantize(bits)
    assert (q.dtype, q.positions.tolist()) == ("bfloat16", [1, 2])


def test_sparse_refuses_a_type_that_has_no_zero():
    bits = np.zeros(3, np.uint8)
    with pytest.raises(TypeError, match="has no zero"):
        Verbatim("float8_e8m0fnu").quantize(bits, np.zeros(3, bool))


def test_deep_compression_is_its_parts():
    codec = DeepCompression(4, Density(0.2), gap_bits=5)
    q, parts = codec.quantize(WEIGHTS), codec.parts().quantize(WEIGHTS)
    assert q.stored == 84
    np.testing.assert_array_equal(q.codes, parts.codes)
    assert codec.parts().gap_bits == 5
    assert codec.parts().codec == Codebook(4, "linear")


def test_trained_ternary_is_ternary_with_two_scales():
    ours, theirs = TrainedTernary(0.2).quantize(WEIGHTS), Ternary(0.2, scales=2).quantize(WEIGHTS)
    np.testing.assert_array_equal(ours.codes, theirs.codes)
    np.testing.assert_array_equal(ours.codebook.values, theirs.codebook.values)
