"""Fixed point: the choice of powers of two."""

import runpy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec.quantize import density_mask, quantize_fixed_point, sqnr
from qcodec.quantize.uniform_steps import UNIFORM_STEPS
from tests.repository import ROOT


def step_of(q):
    return q.scale.values.astype(np.float64)


def at_step(x, bits, step):
    maximum = 1 << (bits - 1)
    return np.clip(np.rint(x / step), -maximum, maximum - 1) * step


heavy_tailed = st.builds(
    lambda seed, scale: (np.random.default_rng(seed).standard_t(2, 300) * scale).astype(np.float32),
    st.integers(0, 2**32 - 1),
    st.floats(1e-6, 1e6),
)


@given(heavy_tailed, st.integers(2, 10))
def test_mse_is_the_best_of_all_powers_of_two(x, bits):
    q = quantize_fixed_point(x, bits)
    x64 = x.astype(np.float64)
    errors = [np.sum((x64 - at_step(x64, bits, 2.0**e)) ** 2) for e in range(-60, 60)]
    found = np.sum((x64 - q.dequantize()) ** 2)
    assert found == pytest.approx(min(errors), rel=1e-12)


@given(heavy_tailed, st.integers(2, 16))
def test_max_is_the_least_power_of_two_that_clips_nothing(x, bits):
    step = step_of(quantize_fixed_point(x, bits, "max"))[0]
    maximum = 1 << (bits - 1)
    assert -maximum * step <= x.min()
    assert x.max() <= (maximum - 1) * step
    step /= 2
    assert x.min() < -maximum * step or (maximum - 1) * step < x.max()


@pytest.mark.parametrize("distribution", sorted(UNIFORM_STEPS))
@pytest.mark.parametrize("bits", [2, 5, 8])
def test_a_table_step_is_the_nearest_power_of_two_by_order_of_magnitude(distribution, bits):
    x = np.random.default_rng(3).normal(size=1000).astype(np.float32)
    wanted = np.sqrt(np.mean(x.astype(np.float64) ** 2)) * UNIFORM_STEPS[distribution][bits - 1]
    step = step_of(quantize_fixed_point(x, bits, distribution))[0]
    assert step == 2.0 ** np.rint(np.log2(wanted))


# |x| of each distribution at unit variance, by its quantile.
QUANTILES = {
    "gauss": lambda stats, u: stats.halfnorm.ppf(u),
    "laplace": lambda stats, u: stats.expon.ppf(u) / np.sqrt(2),
    "gamma": lambda stats, u: stats.gamma.ppf(u, 0.5) * 2 / np.sqrt(3),
}


@pytest.mark.parametrize("distribution", sorted(UNIFORM_STEPS))
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6])
def test_the_table_has_the_step_of_least_error(distribution, bits):
    """Tried on a sample that has every quantile once."""
    stats = pytest.importorskip("scipy.stats")
    x = QUANTILES[distribution](stats, (np.arange(400_000) + 0.5) / 400_000)
    cells = 1 << (bits - 1)

    def error(step):
        return np.mean((x - (np.minimum(np.floor(x / step), cells - 1) + 0.5) * step) ** 2)

    step = UNIFORM_STEPS[distribution][bits - 1]
    assert error(step) < min(error(step * 0.98), error(step * 1.02))


def test_the_table_is_the_published_one():
    """Steps as Lin et al. need them, to three digits."""
    gauss = [1.596, 0.996, 0.586, 0.335, 0.188, 0.104, 0.0569, 0.0308]
    laplace = [1.414, 1.087, 0.731, 0.461, 0.280, 0.166, 0.0961, 0.0548]
    gamma = [1.155, 1.066, 0.796, 0.540, 0.346, 0.213, 0.127, 0.0744]
    for name, steps in {"gauss": gauss, "laplace": laplace, "gamma": gamma}.items():
        np.testing.assert_allclose(UNIFORM_STEPS[name][:8], steps, rtol=2.5e-3)
        assert len(UNIFORM_STEPS[name]) == 16


def test_the_table_is_what_the_tool_computes():
    pytest.importorskip("scipy")
    tool = runpy.run_path(str(ROOT / "tools/uniform_steps.py"))
    for name, steps in UNIFORM_STEPS.items():
        for bits in (1, 4, 9, 16):
            assert tool["optimal_step"](tool[name], bits) == pytest.approx(
                steps[bits - 1], rel=1e-5
            )


def test_clipping_one_outlier_beats_giving_all_others_up():
    x = np.append(np.random.default_rng(4).normal(size=10_000), 60).astype(np.float32)
    by_error, by_range = (quantize_fixed_point(x, 4, step) for step in ("mse", "max"))
    assert sqnr(x, by_error.dequantize()) > sqnr(x, by_range.dequantize())
    assert by_error.dequantize().max() < 60


def test_two_s_complement_has_one_more_negative_value():
    x = np.array([-8, 7, 3, -1], np.float32)
    q = quantize_fixed_point(x, 4)
    assert (q.codes.tolist(), q.zero_point) == ([0, 15, 11, 7], 8)
    assert q.dequantize().tolist() == x.tolist()


def test_what_is_fixed_point_already_stays_what_it_is():
    x = (np.random.default_rng(5).integers(-128, 128, 500) * 2.0**-5).astype(np.float16)
    for step in ("mse", "max"):
        np.testing.assert_array_equal(quantize_fixed_point(x, 8, step).dequantize(), x)


def test_groups_are_quantized_as_if_they_were_alone():
    x = np.random.default_rng(6).standard_t(3, (5, 40)) * 10.0 ** np.arange(-2, 3)[:, None]
    x = x.astype(np.float32)
    for step in ("mse", "max", "laplace"):
        for arguments in ({"per": 0}, {"group": 40}):
            q = quantize_fixed_point(x, 6, step, **arguments)
            alone = np.stack([quantize_fixed_point(row, 6, step).dequantize() for row in x])
            np.testing.assert_array_equal(q.dequantize(), alone)


def test_statistics_are_those_of_the_stored_elements():
    x = np.random.default_rng(7).normal(size=4000).astype(np.float32)
    mask = density_mask(x, 0.05)
    stored = x[mask]
    for step in ("mse", "gauss"):
        q = quantize_fixed_point(x, 6, step, mask=mask)
        np.testing.assert_array_equal(
            q.dequantize()[mask], quantize_fixed_point(stored, 6, step).dequantize()
        )
        assert np.all(q.codes != q.zero_point)


@pytest.mark.parametrize("value", [1e-45, 1e-38, 3.4e38, -3.4e38])
@pytest.mark.parametrize("step", ["mse", "max", "gauss"])
def test_the_ends_of_float32_neither_overflow_nor_fail(value, step):
    decoded = quantize_fixed_point(np.array([value, value / 2], np.float32), 8, step).dequantize()
    assert np.isfinite(decoded).all()
    np.testing.assert_allclose(decoded, [value, value / 2], rtol=0.5, atol=1e-38)


def test_float16_does_not_overflow_where_the_last_code_would():
    x = np.array([-65504, 65504, 3], np.float16)
    for bits in range(2, 17):
        for step in ("mse", "max", "gauss"):
            assert np.isfinite(quantize_fixed_point(x, bits, step).dequantize()).all()


def test_zeros_have_a_step_too():
    for step in ("mse", "max", "gauss"):
        assert not quantize_fixed_point(np.zeros(9, np.float32), 8, step).dequantize().any()


@pytest.mark.parametrize("arguments", [{"bits": 1}, {"bits": 17}, {"bits": 8, "step": "cauchy"}])
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match="allowed are"):
        quantize_fixed_point(np.zeros(3, np.float32), **arguments)
