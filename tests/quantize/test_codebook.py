"""Weight sharing by k-means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core
from qcodec.quantize import density_mask, quantize_codebook, sqnr
from qcodec.quantize.codebook import INITS

GAUSS = np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_every_weight_has_the_nearest_entry_and_entries_ascend(init, bits):
    q = quantize_codebook(GAUSS, bits, init)
    entries = q.codebook.values[0]
    assert len(entries) == 1 << bits
    assert np.all(np.diff(entries) > 0)
    distances = np.abs(GAUSS.reshape(-1, 1).astype(np.float64) - entries)
    np.testing.assert_array_equal(q.codes, np.argmin(distances, axis=1))


def test_exact_beats_every_start():
    exact = sqnr(GAUSS, quantize_codebook(GAUSS, 4, "exact").dequantize())
    for init in INITS:
        assert sqnr(GAUSS, quantize_codebook(GAUSS, 4, init).dequantize()) <= exact


def test_sixteen_levels_of_a_gaussian_are_those_of_lloyd_and_max():
    """Max 1960: 20.22 dB at 16 levels."""
    x = np.random.default_rng(1).normal(size=200_000).astype(np.float32)
    assert sqnr(x, quantize_codebook(x, 4).dequantize()) == pytest.approx(20.22, abs=0.1)


@given(st.lists(st.sampled_from([-3.0, -0.1, 0.0, 0.7, 1e-30, 65504.0]), max_size=30))
def test_few_distinct_values_are_kept_exactly_in_a_short_codebook(values):
    x = np.array(values, np.float32)
    q = quantize_codebook(x, 8)
    np.testing.assert_array_equal(q.dequantize(), x)
    assert q.codebook.values.shape[1] == max(1, len(np.unique(x)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
def test_what_was_decoded_quantizes_to_itself(dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    x = GAUSS.astype(dtype)
    once = quantize_codebook(x, 3).dequantize()
    np.testing.assert_array_equal(quantize_codebook(once, 3).dequantize(), once)


def test_a_mask_gives_deep_compression_s_codebook():
    mask = density_mask(GAUSS, 0.1)
    q = quantize_codebook(GAUSS, 4, mask=mask)
    entries = q.codebook.values[0]
    assert (len(entries), entries[0]) == (16, 0)
    assert np.all(np.diff(entries[1:]) > 0)
    assert q.codes.min() >= 1
    np.testing.assert_array_equal(q.mask, mask)
    best, _ = core.kmeans_exact(np.sort(GAUSS[mask]), 15)
    np.testing.assert_array_equal(entries[1:], best)


def test_a_mask_that_stores_nothing_leaves_the_zero():
    q = quantize_codebook(GAUSS, 4, mask=np.zeros(GAUSS.shape, bool))
    assert q.codebook.values.tolist() == [[0.0]]
    assert not q.dequantize().any()


def test_without_a_scale_each_group_has_its_own_codebook():
    for arguments, groups in (({"per": 0}, GAUSS), ({"group": 50}, GAUSS), ({"per": 1}, GAUSS.T)):
        decoded = quantize_codebook(GAUSS, 2, **arguments).dequantize()
        alone = np.stack([quantize_codebook(row, 2).dequantize() for row in groups])
        np.testing.assert_array_equal(decoded, alone.T if arguments == {"per": 1} else alone)


def test_groups_with_fewer_values_repeat_their_last_entry():
    x = np.array([[1, 1, 1], [1, 2, 3]], np.float32)
    q = quantize_codebook(x, 2, per=0)
    assert q.codebook.values.tolist() == [[1, 1, 1], [1, 2, 3]]
    np.testing.assert_array_equal(q.dequantize(), x)


def test_groups_with_a_mask_share_code_zero_for_zero():
    mask = density_mask(GAUSS, 0.2)
    mask[3] = False
    q = quantize_codebook(GAUSS, 3, per=0, mask=mask)
    assert np.all(q.codebook.values[:, 0] == 0)
    for row, kept, decoded in zip(GAUSS, mask, q.dequantize(), strict=True):
        expected = quantize_codebook(row, 3, mask=kept).dequantize()
        np.testing.assert_array_equal(decoded, expected)


@pytest.mark.parametrize("scale", ["max", "rms"])
def test_a_scale_lets_groups_of_all_sizes_share_one_codebook(scale):
    x = GAUSS * (10.0 ** np.linspace(-3, 3, 40)[:, None]).astype(np.float32)
    q = quantize_codebook(x, 4, scale=scale, per=0)
    assert q.codebook.values.shape == (1, 16)
    assert q.scale.values.shape == (40,)
    for row, decoded in zip(x, q.dequantize(), strict=True):
        assert sqnr(row, decoded) > 15


def test_scales_are_what_their_names_say():
    x = np.array([[3, -4], [0, 0]], np.float32)
    assert quantize_codebook(x, 2, scale="max", per=0).scale.values.tolist() == [4, 1]
    rms = quantize_codebook(x, 2, scale="rms", per=0).scale.values
    np.testing.assert_allclose(rms, [np.sqrt(12.5), 1])
    mask = np.array([[False, True], [False, False]])
    rms = quantize_codebook(x, 2, scale="rms", per=0, mask=mask).scale.values
    np.testing.assert_allclose(rms, [4, 1])


def test_the_seed_matters_for_random_starts_alone():
    for init in INITS:
        first, again, other = (
            quantize_codebook(GAUSS, 4, init, seed=seed).codebook.values for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, again)
        assert np.array_equal(first, other) == (init not in ("forgy", "k-means++"))


def test_negative_zero_becomes_zero():
    decoded = quantize_codebook(np.array([-0.0, 1.0], np.float32), 2).dequantize()
    assert not np.signbit(decoded).any()


@pytest.mark.parametrize(
    "arguments",
    [{"bits": 0}, {"bits": 9}, {"bits": 4, "init": "lloyd"}, {"bits": 4, "scale": "median"}],
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match="allowed are"):
        quantize_codebook(GAUSS, **arguments)
