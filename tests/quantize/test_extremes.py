"""Weights at the ends of their type: finite ones stay finite, at about the usual error."""

import numpy as np
import pytest

import qcodec
from qcodec._base.arrays import as_array, cast
from qcodec.dtypes import BY_NAME
from qcodec.quantize import quantize_affine, sqnr

DTYPES = ("float16", "bfloat16", "float32", "float64")
#: The greatest number of each that can be quantized, the least, and the least normal one.
LARGEST = {
    "float16": 65504.0,
    "bfloat16": float.fromhex("0x1.fep127"),
    "float32": float(np.finfo(np.float32).max),
    "float64": float(np.finfo(np.float32).max),
}
SMALLEST = {"float16": 2.0**-24, "bfloat16": 2.0**-133, "float32": 2.0**-149, "float64": 2.0**-149}
NORMAL = {"float16": 2.0**-14, "bfloat16": 2.0**-126, "float32": 2.0**-126, "float64": 2.0**-126}

CODECS = [
    qcodec.Affine(1),
    qcodec.Affine(8),
    qcodec.Affine(16, symmetric=True),
    qcodec.Affine(4, group=16),
    qcodec.Affine(4, rate=0.01),
    qcodec.Affine(3, rate=0.1, symmetric=True),
    *(qcodec.FixedPoint(bits, step) for bits in (2, 3, 8, 16) for step in ("max", "mse")),
    qcodec.FixedPoint(4, "gauss"),
    qcodec.FixedPoint(3, "mse", per=0),
    qcodec.FixedPoint(8, "max", group=16),
    *(qcodec.Codebook(3, init) for init in ("exact", "fast", "linear", "density", "k-means++")),
    qcodec.Codebook(2, per=1),
    qcodec.Codebook(4, rate=0.01),
    qcodec.Codebook(3, scale="max", per=0),
    qcodec.Levels(group=16),
    qcodec.Levels("fp4", group=32, scale_dtype="float8_e8m0fnu"),
    qcodec.Ternary(),
    qcodec.Ternary("twn", scales=1, per=0),
    qcodec.TrainedTernary(),
    qcodec.Sparse(qcodec.FixedPoint(8, "max"), qcodec.Density(0.5)),
    qcodec.Sparse(qcodec.Codebook(3, scale="max", group=16), qcodec.Density(0.5)),
    qcodec.DeepCompression(3, qcodec.Quality(0.1)),
]
BY_MEAN = [
    qcodec.Levels("ternary", unit="mean", per=0),
    qcodec.Codebook(4, scale="rms", per=0),
    qcodec.Codebook(3, scale="rms", group=32),
    qcodec.Codebook(2, scale="rms", per=0),
    qcodec.Codebook(4, scale="rms", group=32, rate=0.01),
    qcodec.Sparse(qcodec.Codebook(3, scale="rms", per=0), qcodec.Density(0.5)),
    qcodec.Sparse(qcodec.Codebook(3, scale="rms", per=0, rate=0.01), qcodec.Density(0.5)),
]

SHAPE = (24, 64)


def of_type(values, dtype):
    """Float64 values in an element type, rounded, no further than its greatest number."""
    clipped = np.clip(values, -LARGEST[dtype], LARGEST[dtype])
    return cast(clipped, BY_NAME["float64"], BY_NAME[dtype])


def extremes(dtype):
    """Arrays by name, as float64; not all of them are of any use, but all are finite."""
    random = np.random.default_rng(1)
    top, normal = LARGEST[dtype], random.standard_normal(SHAPE)
    signs, uniform = np.sign(normal), random.uniform(-1, 1, SHAPE)
    one = normal.copy()
    one[3, 5] = top
    below = normal.copy()
    below[7, 1] = -top
    rows = normal.copy()
    rows[0], rows[1], rows[2], rows[3:6] = top, -top, signs[2] * top, uniform[3:6] * top
    yield "greatest", np.full(SHAPE, top)
    yield "one greatest", one
    yield "one least", below
    yield "both ends", signs * top
    yield "up to both ends", uniform * top
    yield "nearly at the end", signs * top * (1 - 2.0**-6 * np.abs(uniform))
    yield "normal up to the end", normal / np.abs(normal).max() * top
    yield "positive", np.abs(uniform) * top
    yield "rows at the end", rows
    yield "ends and nothing", np.where(normal > 2, signs * top, 0)


def tiny(dtype):
    random = np.random.default_rng(2)
    normal, minimum = random.standard_normal(SHAPE), SMALLEST[dtype]
    yield "least", np.full(SHAPE, minimum)
    yield "a few times the least", np.rint(normal * 3) * minimum
    yield "subnormal", normal * NORMAL[dtype] / 8
    yield "about the least normal", normal * NORMAL[dtype]
    yield "one normal number among zeros", np.where(normal > 3, NORMAL[dtype], -0.0)
    yield "great and tiny", np.where(normal > 1, LARGEST[dtype], normal * minimum * 5)


def values_of(array):
    given, element = as_array(array)
    return cast(given, element, BY_NAME["float64"])


def decoded_of(weights, codec, dtype):
    """What a reader gets, as float64; the weights as a type that carries `dtype`."""
    if as_array(weights)[1].name != dtype:  # the integers that carry bfloat16 without ml_dtypes
        pytest.skip("needs ml_dtypes")
    data = qcodec.encode(weights, codec)
    decoded = qcodec.decode(data)
    assert decoded.tobytes() == codec.quantize(weights).dequantize().tobytes()
    return values_of(decoded)


def clipped(values, codec, dtype):
    """What a type without an end would give, clipped where this one ends."""
    scale = 2.0**-8  # exact, and no codec cares for it
    quantized = codec.quantize((values * scale).astype(np.float32))
    end = LARGEST[dtype]
    if quantized.scale_dtype == "float8_e8m0fnu":  # multiples of a power of two and nothing else
        powers = quantized.scale.values.view("u1").astype("f8") - 127
        steps = 2.0 ** powers[quantized.scale.of(np.arange(values.size))].reshape(SHAPE) / scale
        end = np.floor(end / steps) * steps
    return np.clip(quantized.dequantize("float64") / scale, -end, end)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("codec", CODECS + BY_MEAN, ids=repr)
def test_weights_at_the_end_of_their_type_are_about_as_good_as_clipped_ones(codec, dtype):
    """No code gives exactly what clipping gives: by less than this a codec may be worse, in dB."""
    allowed = 1.5 if codec in BY_MEAN else 0.6
    for name, values in extremes(dtype):
        weights = of_type(values, dtype)
        values = values_of(weights)
        decoded = decoded_of(weights, codec, dtype)
        assert np.isfinite(decoded).all(), name
        limit = sqnr(values, values_of(of_type(clipped(values, codec, dtype), dtype)))
        assert sqnr(values, decoded) >= min(limit - allowed, 60), name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("codec", CODECS + BY_MEAN, ids=repr)
def test_the_least_weights_stay_finite(codec, dtype):
    for name, values in tiny(dtype):
        weights = of_type(values, dtype)
        decoded = decoded_of(weights, codec, dtype)
        assert np.isfinite(decoded).all(), name
        max_value = np.abs(values_of(weights)).max()
        assert np.abs(decoded).max() <= 2 * max(max_value, SMALLEST[dtype]), name


@pytest.mark.parametrize("groups", [{}, {"per": 0}, {"group": 5}], ids=repr)
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("bits", [2, 8, 16])
@pytest.mark.parametrize("scale", [1.0, 1e-36, 1e-38, 1e-40, 1e-43, 1e-45])
def test_affine_steps_reach_the_extremes_however_small(scale, bits, symmetric, groups):
    for seed in range(20):
        normal = np.random.default_rng(seed).standard_normal((4, 10))
        weights = (normal * scale).astype("f4").astype("f8")
        found = quantize_affine(weights, bits, symmetric=symmetric, **groups)
        errors = np.abs(weights - found.dequantize())
        steps = found.scale.values.astype("f8")
        steps = steps[found.scale.of(np.arange(40))].reshape(4, 10)
        assert np.all(errors <= 0.51 * steps)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_a_symmetric_zero_point_is_in_the_middle_at_the_end_of_a_type_too(bits, dtype):
    for _, values in extremes(dtype):
        weights = of_type(values, dtype)
        for groups in ({}, {"per": 0}, {"group": 7}):
            for mask in (None, weights > 1):
                found = quantize_affine(weights, bits, symmetric=True, mask=mask, **groups)
                assert found.zero_point == 1 << (bits - 1)
                largest = np.abs(np.where(True if mask is None else mask, weights, 0)).max()
                reached = np.abs(found.dequantize("float64")).max()
                assert reached == pytest.approx(float(largest), rel=1e-3)


@pytest.mark.parametrize("scale", [1e-30, 1e-38, 1e-40])
def test_equal_steps_by_rate_do_not_depend_on_how_small_the_weights_are(scale):
    normal = np.random.default_rng(0).standard_normal(5000)
    codec = qcodec.Affine(6, rate=0.001)
    usual = sqnr(normal, codec.quantize(normal).dequantize())
    weights = (normal * scale).astype("f4")
    assert sqnr(weights, codec.quantize(weights).dequantize()) > usual - 0.2


@pytest.mark.parametrize("bits", [2, 3, 4, 8, 12, 16])
@pytest.mark.parametrize("step", ["max", "mse"])
@pytest.mark.parametrize("top", [65504.0, 65472.0, 65000.0, 49152.0, -65504.0, -65000.0])
def test_fixed_point_finds_the_best_multiple_that_float16_holds(bits, step, top):
    weights = np.zeros(100, np.float16)
    weights[0] = top
    top = float(weights[0])
    found = float(qcodec.FixedPoint(bits, step).quantize(weights).dequantize()[0])
    codes = np.arange(-(1 << (bits - 1)), 1 << (bits - 1))
    multiples = np.concatenate([codes * 2.0**power for power in range(-24, 17)])
    multiples = multiples[np.abs(multiples) <= 65504]
    if step == "mse":
        assert abs(top - found) == np.abs(top - multiples).min()
    else:  # the least power that clips nothing is not always the one of least error
        power = float(qcodec.FixedPoint(bits, "max").quantize(weights).scale.values.view("u1")[0])
        assert abs(top - found) <= 2.0 ** (power - 127)


def test_a_codebook_that_stores_nothing_has_no_end_to_reach():
    codec = qcodec.Sparse(qcodec.Codebook(3, scale="rms", per=0, rate=1e6), qcodec.Density(0.1))
    for _, values in extremes("float16"):
        found = codec.quantize(of_type(values, "float16"))
        assert np.isfinite(found.dequantize()).all()


def test_decoding_as_a_narrower_type_rounds_as_a_cast_does():
    values = np.array([65504.0, 65519.0, 65520.0, -1e9, 1e39, 1e-9, 3e38], np.float64)
    data = qcodec.encode(values)
    with np.errstate(over="ignore"):
        for dtype in ("float16", "float32"):
            assert np.array_equal(qcodec.decode(data, dtype=dtype), values.astype(dtype))
