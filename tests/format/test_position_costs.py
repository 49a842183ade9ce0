"""Positions in full rows and columns are cheap, so more elements are stored there."""

from dataclasses import replace

import numpy as np
import pytest

import qcodec
from qcodec import Affine, Codebook, Density
from qcodec._core import core

RNG = np.random.default_rng(5)
SCALES = np.exp(RNG.normal(size=(300, 1))) * np.exp(RNG.normal(size=(1, 400)))
UNEVEN = (RNG.laplace(size=(300, 400)) * SCALES).astype(np.float32)
EVEN = RNG.laplace(size=(300, 400)).astype(np.float32)


def lagrangian(array, q, price):
    """What a file of it costs, by its real bytes."""
    error = np.sum(np.square(array - q.dequantize(), dtype=np.float64))
    return float(error + 8 * price * len(qcodec.encode(q, profile="small")))


def both(array, codec, density):
    """With rows and columns, and without: as if the tensor had one dimension."""
    mask = Density(density).mask(array)
    price = codec.rate * array[mask].var(dtype=np.float64)
    by_row = codec.quantize(array, mask)
    flat = replace(codec.quantize(array.ravel(), mask.ravel()), shape=array.shape)
    return lagrangian(array, by_row, price), lagrangian(array, flat, price)


@pytest.mark.parametrize("codec", [Codebook(4, rate=0.05), Affine(4, rate=0.05)], ids=repr)
def test_uneven_rows_and_columns_make_a_cheaper_file(codec):
    by_row, flat = both(UNEVEN, codec, 0.05)
    assert by_row < 0.993 * flat


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_even_rows_and_columns_lose_almost_nothing(rate):
    by_row, flat = both(EVEN, Codebook(4, rate=rate), 0.1)
    assert by_row < 1.003 * flat


def test_filters_of_one_output_channel_are_one_row():
    codec, mask = Codebook(4, rate=0.05), Density(0.05).mask(UNEVEN)
    kernels = codec.quantize(UNEVEN.reshape(300, 16, 5, 5), mask.reshape(300, 16, 5, 5))
    np.testing.assert_array_equal(kernels.positions, codec.quantize(UNEVEN, mask).positions)


def is_stored_at(mask, i, j, gain):
    """Whether element (i, j) is stored beside those of the mask if it gains so much."""
    values = np.full(mask.size, -1e3, np.float32)
    values[i * mask.shape[1] + j] = (gain + 1) / 2  # for an entry of 1
    stored, codes = mask.reshape(-1).astype(np.uint8), np.zeros(mask.size, np.uint8)
    *_, by_row, by_column = core.count_stored(values, codes, None, stored, *mask.shape)
    core.choose_stored(
        values, codes, None, stored, by_row, by_column, np.ones(1, np.float32), np.zeros(1), 1.0
    )
    return bool(stored[i * mask.shape[1] + j])


def test_the_cost_of_a_position_depends_on_its_row_and_column():
    mask = np.array([[1, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]], bool)
    wanted = np.empty(mask.shape)
    for i in range(3):
        for j in range(4):
            with_it = mask.copy()
            with_it[i, j] = True
            in_row, in_column = with_it[i].sum() + 1, with_it[:, j].sum() + 1
            share = min(4 * in_row / (4 + 3) * in_column / (4 + 4), 0.5)
            wanted[i, j] = np.log2(1 / share - 1)
            assert is_stored_at(mask, i, j, wanted[i, j] + 1e-5)
            assert not is_stored_at(mask, i, j, wanted[i, j] - 1e-5)
    assert wanted[2, 3] == wanted.max(), "the first of a row and of a column"


@pytest.mark.parametrize("shape", [(300,), (1, 300), (300, 1), (2, 150), (150, 2, 1)])
def test_perhaps_no_element_is_worth_its_bits(shape):
    array = EVEN.ravel()[:300].reshape(shape)
    for codec in (Codebook(3, rate=50), Affine(3, rate=50)):
        q = codec.quantize(array, array != 0)
        assert q.stored == 0
        assert not qcodec.decode(qcodec.encode(q)).any()
