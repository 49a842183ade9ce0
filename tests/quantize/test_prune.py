"""Pruning masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core
from qcodec.codecs.pruning import PRUNINGS, Density, NOfM, Quality, Threshold
from qcodec.quantize import density_mask, n_of_m_mask, quality_mask, threshold_mask
from qcodec.quantize import pruning as prune

EVERY = [Density(0.3), Quality(0.5), Threshold(0.5), NOfM(2, 4)]

small_integers = st.lists(st.integers(-5, 5), max_size=40)


def test_every_pruning_of_the_table_is_tested_here():
    assert {type(pruning) for pruning in EVERY} == set(PRUNINGS.values())


@given(small_integers, st.floats(0, 1))
def test_density_keeps_exactly_that_many_of_the_largest_and_ties_by_index(values, density):
    array = np.array(values, np.float32)
    kept = density_mask(array, density)
    keep = round(density * len(array))
    by_size = sorted(range(len(array)), key=lambda i: (-abs(array[i]), i))
    assert sorted(by_size[:keep]) == np.flatnonzero(kept).tolist()


def test_density_of_many_weights_is_exact():
    array = np.random.default_rng(0).normal(size=(500, 800)).astype(np.float32)
    kept = density_mask(array, 0.009)
    assert kept.sum() == 3600
    assert np.abs(array[kept]).min() > np.abs(array[~kept]).max()


def kept_by_sorting(values, keep):
    order = np.lexsort((np.arange(values.size), -np.abs(values)))
    kept = np.zeros(values.size, np.bool_)
    kept[order[:keep]] = True
    return kept


@pytest.mark.parametrize("density", [0, 1e-5, 0.01, 0.1, 0.5, 0.9, 0.99999, 1])
@pytest.mark.parametrize("kind", ["gauss", "integers", "mostly zero", "equal", "ascending"])
def test_density_of_a_large_tensor_is_what_sorting_gives(kind, density):
    rng = np.random.default_rng(4)
    n = prune._MIN_SAMPLED + 321
    array = {
        "gauss": rng.normal(size=n),
        "integers": rng.integers(-9, 10, n),
        "mostly zero": np.where(rng.random(n) < 0.7, 0, rng.normal(size=n)),
        "equal": np.full(n, -2.5),
        "ascending": np.arange(n) - n / 3,
    }[kind].astype(np.float32)
    kept = density_mask(array, density)
    np.testing.assert_array_equal(kept, kept_by_sorting(array, round(density * n)))


def test_a_sample_that_misleads_changes_nothing():
    array = np.random.default_rng(5).normal(size=prune._MIN_SAMPLED).astype(np.float32)
    array[:: len(array) // prune._SAMPLES | 1] *= 1e-6
    candidates, beyond = prune._near_rank(array, 1000)
    assert not 0 < 1000 - beyond <= len(candidates), "the sample must mislead here"
    np.testing.assert_array_equal(
        density_mask(array, 1000 / array.size), kept_by_sorting(array, 1000)
    )


def test_a_sample_spares_looking_at_nearly_all():
    array = np.random.default_rng(6).normal(size=1_000_000).astype(np.float32)
    candidates, _ = prune._near_rank(array, 100_000)
    assert len(candidates) < 70_000


@given(st.integers(0, 3000), st.integers(0, 40), st.integers(0, 40))
def test_the_first_ties_stay(count, level, ties):
    array = np.random.default_rng(count).integers(-40, 41, count).astype(np.float32)
    mask = core.mask_above(array, level, ties)
    equal = np.flatnonzero(np.abs(array) == level)[:ties]
    expected = np.abs(array) > level
    expected[equal] = True
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("threshold", [0.1, 1 / 3, 1e-50, 1e300, float("inf")])
def test_a_threshold_is_not_rounded(threshold):
    near = np.float32(min(threshold, 1e38))
    array = np.array(
        [np.nextafter(near, np.float32(0)), near, np.nextafter(near, np.float32(1e38))]
    )
    expected = [float(value) > threshold for value in array]
    assert threshold_mask(array, threshold).tolist() == expected


def test_quality_of_a_large_tensor_has_its_standard_deviation():
    array = np.random.default_rng(7).normal(3.0, 2.0, 5 * prune._BLOCK + 7).astype(np.float32)
    deviation = np.std(array, dtype=np.float64)
    assert prune._standard_deviation(array) == pytest.approx(deviation, rel=1e-14)


def test_quality_is_a_multiple_of_the_standard_deviation_about_the_mean():
    array = np.random.default_rng(1).normal(3.0, 2.0, 1000)
    rounded = array.astype(np.float32).astype(np.float64)
    np.testing.assert_array_equal(quality_mask(array, 1.5), np.abs(rounded) > 1.5 * rounded.std())


def test_quality_of_equal_weights_keeps_them():
    assert quality_mask(np.full(5, 0.3), 2.0).all()
    assert not quality_mask(np.zeros(5), 2.0).any()


def test_a_threshold_is_exceeded_not_reached():
    assert threshold_mask(np.array([0.5, -0.5, 0.75]), 0.5).tolist() == [False, False, True]
    # 0.1 as float32 is above 0.1, and stays above it.
    assert threshold_mask(np.array([0.1], np.float32), 0.1).tolist() == [True]


@given(st.integers(0, 3), st.integers(0, 150), st.integers(1, 9) | st.integers(60, 70), st.data())
def test_n_of_m_keeps_the_largest_of_each_group_of_a_row(rows, row, m, data):
    n = data.draw(st.integers(1, m))
    seed = data.draw(st.integers(0, 1000))
    array = np.random.default_rng(seed).integers(-3, 4, (rows, row)).astype(np.float32)
    kept = n_of_m_mask(array, n, m)
    for r in range(rows):
        for start in range(0, row, m):
            group = array[r, start : start + m]
            by_size = sorted(range(len(group)), key=lambda i: (-abs(group[i]), i))
            found = np.flatnonzero(kept[r, start : start + m]).tolist()
            assert found == sorted(by_size[:n])


@pytest.mark.parametrize("pruning", EVERY, ids=repr)
def test_shapes_of_all_kinds(pruning):
    for shape in [(), (0,), (3, 0, 2), (1,), (2, 3, 4, 5)]:
        mask = pruning.mask(np.random.default_rng(2).normal(size=shape))
        assert (mask.shape, mask.dtype) == (shape, np.bool_)


@pytest.mark.parametrize("pruning", EVERY, ids=repr)
def test_a_strided_array_has_the_mask_of_its_copy(pruning):
    base = np.random.default_rng(3).normal(size=(10, 12)).astype(np.float16)
    strided = base[::-2, ::3]
    np.testing.assert_array_equal(pruning.mask(strided), pruning.mask(strided.copy()))


@pytest.mark.parametrize("pruning", EVERY, ids=repr)
def test_nan_is_refused(pruning):
    with pytest.raises(ValueError, match="1 of 4 values is NaN or infinite, first at"):
        pruning.mask(np.array([1.0, 2.0, np.nan, 3.0]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Density(1.5),
        lambda: Density(-0.1),
        lambda: Density(float("nan")),
        lambda: Quality(-1),
        lambda: Quality(float("nan")),
        lambda: Threshold(-1e-9),
        lambda: NOfM(0, 4),
        lambda: NOfM(5, 4),
        lambda: density_mask(np.zeros(1), 2),
        lambda: quality_mask(np.zeros(1), -1),
        lambda: threshold_mask(np.zeros(1), -1),
        lambda: n_of_m_mask(np.zeros(1), 3, 2),
    ],
)
def test_arguments_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="allowed"):
        make()
