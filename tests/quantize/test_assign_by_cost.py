"""The cheapest centroid by squared distance and cost, against trying all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core

GREATEST = float(np.finfo(np.float32).max)

# Halves and quarters: their squares, sums and crossings are exact, so that ties are ties.
exact = st.integers(-40, 40).map(lambda i: i / 4)
exact_pairs = st.lists(st.tuples(exact, exact | st.just(float("inf"))), min_size=1, max_size=12)
any_pairs = st.lists(
    st.tuples(st.floats(-1e6, 1e6, width=32), st.floats(0, 1e6)), min_size=1, max_size=20
)


def arrays(pairs):
    pairs = sorted(pairs, key=lambda pair: pair[0])
    centroids, costs = zip(*pairs, strict=True)
    return np.array(centroids, np.float32), np.array(costs, np.float64)


def totals(values, centroids, costs):
    return np.square(values[:, None].astype(np.float64) - centroids) + costs


@given(exact_pairs, st.lists(st.integers(-200, 200).map(lambda i: i / 8), max_size=50))
def test_ties_take_the_centroid_of_lower_cost_then_the_first(pairs, values):
    centroids, costs = arrays(pairs)
    x = np.array(values, np.float32)
    if not np.isfinite(costs).any():
        return
    expected = [
        min(range(len(costs)), key=lambda j: (total[j], costs[j], j))
        for total in totals(x, centroids, costs)
    ]
    assert core.assign_by_cost(x, centroids, costs).tolist() == expected


@given(any_pairs, st.lists(st.floats(-2e6, 2e6, width=32), max_size=50))
def test_no_centroid_is_cheaper(pairs, values):
    centroids, costs = arrays(pairs)
    x = np.array(values, np.float32)
    total = totals(x, centroids, costs)
    taken = total[np.arange(len(x)), core.assign_by_cost(x, centroids, costs)]
    # What the squares of large numbers lose in rounding.
    slack = 1e-14 * (np.square(x.astype(np.float64)) + float(np.square(centroids).max()) + 1e6)
    assert np.all(taken <= total.min(axis=1) + slack)


@pytest.mark.parametrize("k", [1, 2, 5, 16, 17, 100, 256])
def test_no_centroid_is_cheaper_for_many_values(k):
    rng = np.random.default_rng(k)
    x = rng.normal(size=20_003).astype(np.float32)
    centroids = np.sort(rng.normal(size=k)).astype(np.float32)
    costs = rng.random(k) ** 4
    total = totals(x, centroids, costs)
    codes = core.assign_by_cost(x, centroids, costs)
    np.testing.assert_array_equal(codes, total.argmin(axis=1))


def test_equal_costs_give_the_nearest():
    rng = np.random.default_rng(0)
    x = rng.normal(size=10_000).astype(np.float32)
    centroids = np.sort(rng.normal(size=64)).astype(np.float32)
    by_cost = core.assign_by_cost(x, centroids, np.full(64, 3.0))
    np.testing.assert_array_equal(by_cost, core.assign(x, centroids))


@given(exact_pairs)
def test_thresholds_ascend_and_are_between_the_survivors(pairs):
    centroids, costs = arrays(pairs)
    if not np.isfinite(costs).any():
        return
    thresholds, survivors = core.cost_thresholds(centroids, costs)
    assert len(survivors) == len(thresholds) + 1
    assert np.all(np.diff(survivors.astype(int)) > 0)
    assert np.all(thresholds[1:] >= thresholds[:-1])
    middle = (thresholds[:-1] + thresholds[1:]) / 2
    inside = thresholds[1:] > thresholds[:-1]
    codes = core.assign_by_cost(middle[inside], centroids, costs)
    np.testing.assert_array_equal(codes, survivors[1:-1][inside])


def test_extreme_numbers_stay_in_order():
    centroids = np.array([-GREATEST, -1e-45, 0, 1e-45, GREATEST], np.float32)
    x = np.array([-GREATEST, -1, 0, 1, GREATEST], np.float32)
    for costs in ([0, 0, 0, 0, 0], [1e308, 0, 5, 0, 1e308], [0, 1e308, 1e308, 1e308, -1e308]):
        codes = core.assign_by_cost(x, centroids, np.array(costs, np.float64))
        assert np.all(np.diff(codes.astype(int)) >= 0)
    assert codes.tolist() == [4] * 5, "-1e308 is the cheapest everywhere"


@pytest.mark.parametrize(
    ("centroids", "costs", "message"),
    [
        ([], [], "0 centroids"),
        ([1, 2], [1], "2 centroids and 1 costs"),
        ([2, 1], [0, 0], "ascend"),
        ([1, np.nan], [0, 0], "not finite"),
        ([1, np.inf], [0, 0], "not finite"),
        ([1, 2], [0, np.nan], "NaN"),
        ([1, 2], [0, -np.inf], "NaN or below"),
        ([1, 2], [np.inf, np.inf], "all are infinite"),
        (np.arange(257), np.zeros(257), "number of centroids"),
    ],
)
def test_impossible_arguments_are_refused(centroids, costs, message):
    arguments = np.array(centroids, np.float32), np.array(costs, np.float64)
    with pytest.raises(ValueError, match=message):
        core.cost_thresholds(*arguments)
    with pytest.raises(ValueError, match=message):
        core.assign_by_cost(np.zeros(3, np.float32), *arguments)
