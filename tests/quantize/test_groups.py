"""Parameters by groups: the same as for each group alone, and refused where they make no sense."""

import math

import numpy as np
import pytest

import qcodec
from qcodec.quantize import density_mask, quantize_affine, quantize_codebook, quantize_fixed_point
from qcodec.quantize.groups import GroupsError, grouping

RANDOM = np.random.default_rng(0)
SHAPES = [(40,), (7, 30), (6, 5, 3, 3), (3, 1, 50), (2, 129)]
GROUPS = [{}, {"per": 0}, {"per": 1}, {"per": -1}, {"group": 7}, {"group": 16}, {"group": 1000}]
DTYPES = ["float32", "float16", "float64"]


def arguments(shape):
    return [one for one in GROUPS if one.get("per", 0) < len(shape)]


CASES = [(shape, groups) for shape in SHAPES for groups in arguments(shape)]


def weights(shape, dtype="float32", spread=1.0):
    return (RANDOM.standard_t(3, shape) * spread).astype(dtype)


def members(array, groups):
    """The elements of each group, as a list of arrays, and the group of each element."""
    layout = grouping(array.shape, **groups)
    numbers = np.arange(array.size) // layout.inner % layout.count
    return [array.reshape(-1)[numbers == g] for g in range(layout.count)], numbers


def as_written(array, bits, groups, symmetric):
    """Codes of affine quantization, computed in float64 from the definition."""
    parts, numbers = members(array.astype(np.float32).astype(np.float64), groups)
    codes = np.zeros(array.size, np.int64)
    for number, part in enumerate(parts):
        low, high = min(part.min(initial=0), 0), max(part.max(initial=0), 0)
        levels = (1 << bits) - 1
        extent, steps = max(-low, high) if symmetric else high - low, levels
        steps = (1 << (bits - 1)) - 1 if symmetric else levels
        step = np.float64(np.float32(extent / steps)) if extent > 0 else 1.0
        zero = 1 << (bits - 1) if symmetric else int(np.clip(np.rint(-low / step), 0, levels))
        codes[numbers == number] = np.clip(np.rint(part / step), -zero, levels - zero) + zero
    return codes


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "groups"), CASES)
@pytest.mark.parametrize(("bits", "symmetric"), [(2, True), (8, True), (8, False), (13, False)])
def test_affine_codes_are_the_nearest_multiples_in_float64(shape, groups, dtype, bits, symmetric):
    array = weights(shape, dtype)
    q = quantize_affine(array, bits, symmetric=symmetric, **groups)
    assert q.codes.tolist() == as_written(array, bits, groups, symmetric).tolist()


@pytest.mark.parametrize("step", [0.25, 0.1, 1e-3])
def test_values_in_the_middle_of_two_multiples_become_the_even_one(step):
    array = (np.arange(-40, 41) / 2 * step).astype(np.float32)
    array = np.append(array, np.float32(127 * step))
    q = quantize_affine(array, 8, symmetric=True)
    exact = array.astype(np.float64) / np.float64(q.scale.values[0])
    assert (q.codes.astype(int) - 128).tolist() == np.rint(exact).tolist()


@pytest.mark.parametrize(("shape", "groups"), CASES)
@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize("init", ["auto", "exact", "fast", "linear"])
def test_a_codebook_by_group_is_that_of_the_group_alone(shape, groups, is_masked, init):
    array = weights(shape)
    array.reshape(-1)[::5] = 0.5  # equal values
    mask = density_mask(array, 0.6) if is_masked else None
    q = quantize_codebook(array, 2, init, mask=mask, **groups)
    _, numbers = members(array, groups)
    decoded, kept = q.dequantize().reshape(-1), q.mask.reshape(-1)
    assert np.array_equal(kept, np.ones(array.size, bool) if mask is None else mask.reshape(-1))
    for group in range(numbers.max() + 1):
        own = array.reshape(-1)[(numbers == group) & kept]
        every = np.ones(own.shape, bool) if is_masked else None
        alone = quantize_codebook(own, 2, init, mask=every).dequantize()
        assert decoded[(numbers == group) & kept].tolist() == alone.tolist()


def test_a_group_without_stored_elements_has_a_codebook():
    array = weights((4, 10))
    mask = np.ones(array.shape, bool)
    mask[2] = False
    q = quantize_codebook(array, 2, per=0, mask=mask)
    assert q.codebook.values[2].tolist() == [0.0] * q.codebook.values.shape[1]
    assert not q.dequantize()[2].any()


def test_values_that_are_not_finite_are_named_in_groups_too():
    array = weights((4, 10))
    array[2, 3] = np.inf
    with pytest.raises(ValueError, match=r"1 of 40 values is NaN or infinite, first at \(2, 3\)"):
        quantize_codebook(array, 2, per=0)


@pytest.mark.parametrize(("shape", "groups"), CASES)
@pytest.mark.parametrize("bits", [3, 8])
def test_the_power_of_two_of_each_group_has_the_least_error(shape, groups, bits):
    array = weights(shape, spread=37.0)
    q = quantize_fixed_point(array, bits, **groups)
    parts, _ = members(array.astype(np.float64), groups)
    maximum = 1 << (bits - 1)
    for part, step in zip(parts, q.scale.values.astype(np.float64), strict=True):
        errors = [
            np.sum((part - np.clip(np.rint(part / s), -maximum, maximum - 1) * s) ** 2)
            for s in 2.0 ** np.arange(-20, 12)
        ]
        found = np.sum((part - np.clip(np.rint(part / step), -maximum, maximum - 1) * step) ** 2)
        assert found == pytest.approx(min(errors), rel=1e-9)


# ---- groups that make no sense

SENSELESS = [
    (qcodec.Codebook(4, per=0), (5000,)),
    (qcodec.Codebook(4, per=1), (2, 5000)),
    (qcodec.Codebook(8, group=64), (100, 100)),
    (qcodec.Ternary(per=0), (5000,)),
    (qcodec.Ternary(group=2), (5000,)),
    (qcodec.Ternary(scales=1, per=0), (5000, 1)),
    (qcodec.Affine(8, per=0), (5000,)),
    (qcodec.Affine(8, per=0, symmetric=True), (5000, 1)),
    (qcodec.Affine(16, per=0), (5000, 2, 1)),
    (qcodec.FixedPoint(16, group=1), (5000,)),
    (qcodec.Codebook(4, scale="rms", per=0), (5000,)),
]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("codec", "shape"), SENSELESS, ids=map(repr, SENSELESS))
def test_groups_that_make_a_tensor_larger_are_refused(codec, shape, dtype):
    if isinstance(codec, qcodec.FixedPoint):
        dtype = "float16"  # scales of a byte are less than float32
    with pytest.raises(GroupsError, match=r"groups of \d+ elements?: with their parameters"):
        codec.quantize(weights(shape, dtype))


ALLOWED = [
    (qcodec.Codebook(4, per=0), (100, 400)),
    (qcodec.Ternary(group=64), (5000,)),
    (qcodec.Affine(8, per=0, symmetric=True), (5000, 2)),
    (qcodec.FixedPoint(8, per=0), (5000,)),
    (qcodec.Codebook(4, per=0), (1, 5000)),
    (qcodec.Codebook(4, per=0), (4095,)),
]


@pytest.mark.parametrize(("codec", "shape"), ALLOWED, ids=map(repr, ALLOWED))
def test_groups_that_pay_or_cost_little_are_allowed(codec, shape):
    q = codec.quantize(weights(shape))
    assert q.stored == math.prod(shape)


def test_a_recipe_stores_weights_without_loss_that_its_groups_do_not_suit():
    tensors = {"w": weights((64, 64)), "column": weights((5000, 1))}
    loaded = qcodec.load(qcodec.save(tensors, recipe="int8"))
    assert np.array_equal(loaded["column"], tensors["column"])
    assert not np.array_equal(loaded["w"], tensors["w"])


def test_a_rule_that_names_such_a_tensor_is_refused_and_the_tensor_named():
    rule = {"column": qcodec.Affine(8, per=0, symmetric=True)}
    with pytest.raises(ValueError, match=r"^tensor 'column': per=0 makes 5,000 groups"):
        qcodec.save({"column": weights((5000, 1))}, recipe=rule)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("members", [33, 700, 5000])
@pytest.mark.parametrize("kind", ["bell", "narrow", "tails", "scales", "levels"])
def test_codebooks_of_groups_are_near_the_optimum_and_exact_ones_are_it(kind, members, bits):
    rng = np.random.default_rng(members + bits)
    array = {
        "bell": lambda: rng.standard_normal((9, members)),
        "narrow": lambda: rng.integers(-20, 21, (9, members)) + rng.normal(0, 1e-3, (9, members)),
        "tails": lambda: rng.standard_t(1, (9, members)),
        "scales": lambda: rng.standard_normal((9, members)) * np.exp(9 * rng.normal(size=(9, 1))),
        "levels": lambda: rng.integers(-200, 200, (9, members)) / 7,
    }[kind]().astype(np.float32)
    near = quantize_codebook(array, bits, per=0).dequantize().reshape(array.shape)
    exact = quantize_codebook(array, bits, "exact", per=0).dequantize().reshape(array.shape)
    for row, near_row, exact_row in zip(array, near, exact, strict=True):
        alone = quantize_codebook(row, bits, "exact").dequantize()
        optimum = np.sum(np.square(row - alone, dtype=np.float64))
        assert np.sum(np.square(row - exact_row, dtype=np.float64)) <= optimum * (1 + 1e-9)
        assert np.sum(np.square(row - near_row, dtype=np.float64)) <= optimum * 1.005
