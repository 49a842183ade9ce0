"""Fixed levels times a scale: those of other programs, to the bit, and at the ends of the range."""

import numpy as np
import pytest

import qcodec
from qcodec import Levels, sqnr
from qcodec.quantize import quantize_levels
from qcodec.quantize.levels import TABLES
from qcodec.recipes import READY_MADE, parse_recipe

ml_dtypes = pytest.importorskip("ml_dtypes")

WEIGHTS = np.random.default_rng(0).standard_t(5, (48, 96)).astype(np.float32)


def test_fp4_and_its_scales_are_those_of_the_microscaling_formats():
    """ml_dtypes rounds to E2M1; the scale is two powers below that of the largest magnitude."""
    blocks = WEIGHTS.reshape(-1, 32)
    scales = np.exp2(np.floor(np.log2(np.abs(blocks).max(axis=1))) - 2)[:, None]
    expected = (blocks / scales).astype(ml_dtypes.float4_e2m1fn).astype(np.float32) * scales
    found = Levels("fp4", group=32, scale_dtype="float8_e8m0fnu").quantize(WEIGHTS)
    assert found.scale.values.dtype == ml_dtypes.float8_e8m0fnu
    np.testing.assert_array_equal(found.dequantize().reshape(-1, 32), expected)


def test_nf4_levels_are_the_quantiles_of_a_normal_distribution():
    """QLoRA, appendix E: means of neighbouring quantiles of each half, the largest being 1."""
    from scipy.stats import norm

    offset = 0.9677083
    positive = norm.ppf(np.linspace(offset, 0.5, 9)[:-1])
    negative = -norm.ppf(np.linspace(offset, 0.5, 8)[:-1])
    levels = np.sort(np.concatenate([positive, [0.0], negative]))
    np.testing.assert_allclose(TABLES["nf4"], levels / levels.max(), atol=2e-6)


def test_bitnet_rounds_and_clips_in_units_of_the_mean_magnitude():
    """BitNet b1.58, equations 1 to 3."""
    mean = np.mean(np.abs(WEIGHTS), dtype=np.float64)
    expected = np.clip(np.rint(WEIGHTS / mean), -1, 1) * np.float32(mean)
    found = READY_MADE["bitnet"].weights.quantize(WEIGHTS).dequantize()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e8m0fnu"])
def test_a_smaller_type_of_scales_makes_a_smaller_tensor(dtype):
    whole = qcodec.encode(WEIGHTS, Levels(group=16))
    small = qcodec.encode(WEIGHTS, Levels(group=16, scale_dtype=dtype))
    assert len(small) < len(whole) - 1.5 * WEIGHTS.size / 16
    np.testing.assert_allclose(
        qcodec.decode(small), qcodec.decode(whole), atol=np.abs(WEIGHTS).max()
    )


@pytest.mark.parametrize("levels", ["nf4", "fp4", (-3.0, -1.0, 0.5, 2.0)])
@pytest.mark.parametrize("grouping", [{}, {"per": 0}, {"per": 1}, {"group": 20}], ids=str)
def test_each_element_gets_its_nearest_level(levels, grouping):
    table = np.array(TABLES.get(levels, levels) if isinstance(levels, str) else levels, np.float32)
    found = quantize_levels(WEIGHTS, levels, **grouping)
    scales = found.scale.values[found.scale.of(np.arange(WEIGHTS.size))]
    values = table[None] * scales[:, None].astype(np.float64)
    errors = np.abs(values - WEIGHTS.reshape(-1, 1))
    taken = errors[np.arange(WEIGHTS.size), found.codes]
    assert np.all(taken <= errors.min(axis=1) * (1 + 1e-5) + 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("scale_dtype", ["float32", "float16", "bfloat16", "float8_e8m0fnu"])
@pytest.mark.parametrize("magnitude", [1e-38, 1e-7, 1.0, 6e4])
def test_every_type_of_scale_holds_any_magnitude_that_it_reaches(dtype, scale_dtype, magnitude):
    given = np.linspace(-magnitude, magnitude, 64)
    array = given.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    found = quantize_levels(array, scale_dtype=scale_dtype).dequantize("float32")
    assert np.all(np.isfinite(found))
    if magnitude >= 1.0:
        assert sqnr(array.astype(np.float32), found) > 9


def test_a_scale_beyond_its_type_is_an_error_that_says_which_types_reach_it():
    with pytest.raises(ValueError, match=r"scale_dtype='float16': a scale is 1e\+06.*bfloat16"):
        quantize_levels(np.array([1e6, -3.0], np.float32), scale_dtype="float16")


def test_a_mask_needs_a_level_of_zero():
    with pytest.raises(ValueError, match="none is 0"):
        quantize_levels(WEIGHTS, (-1.0, 1.0), mask=np.ones(WEIGHTS.shape, np.bool_))


# ---- recipes by name


@pytest.mark.parametrize("name", READY_MADE)
def test_every_recipe_by_name_makes_a_file_that_decodes(name):
    data = qcodec.save({"fc.weight": WEIGHTS, "fc.bias": WEIGHTS[0]}, recipe=name)
    again = qcodec.load(data)
    np.testing.assert_array_equal(again["fc.bias"], WEIGHTS[0])
    assert sqnr(WEIGHTS, again["fc.weight"]) > 4


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("nf4(group=32)", Levels("nf4", group=32)),
        ("codebook(bits=3)", qcodec.Codebook(3)),
        ("deep-compression(density=0.1)", qcodec.DeepCompression(5, qcodec.Density(0.1))),
        (
            "int8(density=0.5)",
            qcodec.Sparse(qcodec.Affine(8, per=0, symmetric=True), qcodec.Density(0.5)),
        ),
        ('levels({"levels": [-1, 0, 1], "per": 0})', Levels((-1, 0, 1), per=0)),
    ],
)
def test_arguments_after_a_name_change_the_codec_of_the_weights(text, codec):
    assert parse_recipe(text).weights == codec
    assert qcodec.save({"w": WEIGHTS}, recipe=text) == qcodec.save({"w": WEIGHTS}, recipe=codec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nf5", "the nearest is 'nf4'"),
        ("nf4(grup=3)", "did you mean 'group'"),
        ("lossless(bits=3)", "no codec that could be changed"),
        ("nf4(group=)", "neither TOML nor JSON"),
        ("deep-compression(density=2)", "density=2: allowed"),
        ("nf4(group=8", "is not a ready-made recipe or a codec"),
    ],
)
def test_a_recipe_that_does_not_exist_is_one_clear_line(text, message):
    with pytest.raises(ValueError, match=message):
        parse_recipe(text)
