"""The elements that are worth the bits of their positions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core

ENTRIES = np.array([-1.5, -0.5, 0.75, 2.0], np.float32)
COSTS = np.array([0.3, 0.1, 0.05, 0.4])


def counted(is_stored, codes, values, kept):
    """Stored elements by code, their sums, and stored elements by row and by column."""
    dense = np.zeros(kept.shape, bool)
    dense[kept] = is_stored
    sizes = np.bincount(codes[is_stored], minlength=256)
    sums = np.bincount(codes[is_stored], values[is_stored], 256)
    return sizes, sums, dense.sum(axis=1), dense.sum(axis=0)


def chosen(is_stored, codes, values, kept, price):
    """The definition, for all elements at once."""
    *_, by_row, by_column = counted(is_stored, codes, values, kept)
    rows, columns = np.nonzero(kept)
    total = max(int(is_stored.sum()), 1)
    shares = (by_row[rows] + 1 + ~is_stored) / (total + kept.shape[0])
    shares = shares * ((by_column[columns] + 1 + ~is_stored) / (total + kept.shape[1])) * total
    bits = np.log2(1 / np.minimum(shares, 0.5) - 1)
    entries = ENTRIES.astype(np.float64)[codes]
    return entries * (2 * values - entries) - COSTS[codes] > price * bits


@st.composite
def candidates(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 40)), draw(st.integers(1, 40)))
    kept = random.random(shape) < draw(st.sampled_from([0.1, 0.6, 1.0]))
    kept[0, 0] = True
    values = random.standard_normal(int(kept.sum())).astype(np.float32)
    codes = np.abs(values[:, None] - ENTRIES).argmin(axis=1).astype(np.uint8)
    is_stored = random.random(len(values)) < draw(st.sampled_from([0.0, 0.2, 1.0]))
    return is_stored, codes, values, kept


@given(candidates(), st.sampled_from([1e-3, 0.02, 0.3, 2.0]))
def test_an_element_is_stored_if_it_gains_more_than_its_bits_cost(case, price):
    is_stored, codes, values, kept = case
    mask = None if kept.all() else kept.reshape(-1).view(np.uint8)
    stored = is_stored.view(np.uint8).copy()
    *_, by_row, by_column = core.count_stored(values, codes, mask, stored, *kept.shape)
    has_changed = core.choose_stored(
        values, codes, mask, stored, by_row, by_column, ENTRIES, COSTS, price
    )
    wanted = chosen(is_stored, codes, values, kept, price)
    assert stored.tolist() == wanted.astype(int).tolist()
    assert has_changed == bool((wanted != is_stored).any())


@given(candidates())
def test_stored_elements_are_counted_by_code_row_and_column(case):
    is_stored, codes, values, kept = case
    found = core.count_stored(
        values, codes, kept.reshape(-1).view(np.uint8), is_stored.view(np.uint8), *kept.shape
    )
    for one, wanted in zip(found, counted(*case), strict=True):
        assert one.tolist() == wanted.tolist()


@pytest.mark.parametrize("wrong", ["codes", "stored", "mask", "rows", "costs"])
def test_buffers_of_another_size_are_refused(wrong):
    sizes = {"codes": 12, "stored": 12, "mask": 12, "rows": 3, "costs": 4}
    sizes[wrong] -= 1
    with pytest.raises(ValueError, match=r"\d"):
        core.choose_stored(
            np.zeros(12, np.float32),
            np.zeros(sizes["codes"], np.uint8),
            np.ones(sizes["mask"], np.uint8),
            np.zeros(sizes["stored"], np.uint8),
            np.zeros(sizes["rows"], np.uint32),
            np.zeros(4, np.uint32),
            ENTRIES,
            np.zeros(sizes["costs"]),
            0.1,
        )
