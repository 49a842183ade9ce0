"""k-means in one dimension, and nearest centroids."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcodec._core import core

GREATEST = float(np.finfo(np.float32).max)
LEAST = float(np.finfo(np.float32).smallest_subnormal)

# Of the values 0 to 999 with seed 42.
FORGY_42 = [121.0, 261.0, 590.0, 764.0]
PLUSPLUS_42 = [113.0, 413.0, 548.0, 782.0]

finite = st.floats(-GREATEST, GREATEST, width=32)
few_values = st.integers(-4, 4).map(float)
samples = st.lists(finite, min_size=1, max_size=40) | st.lists(few_values, min_size=1, max_size=40)


def ordered(values):
    return np.sort(np.asarray(values, np.float32))


def squared_error(values, centroids):
    """Of each value against the nearest centroid, as the definition says."""
    x, c = values.astype(np.float64), centroids.astype(np.float64)
    return float(np.sum(np.min(np.square(x[:, None] - c[None, :]), axis=1)))


def optimum(values, k):
    """The textbook dynamic programme, in k * n**2 steps."""
    x = values.astype(np.float64) - float(np.median(values))
    n = len(x)
    sums, squares = (np.concatenate([[0], np.cumsum(v)]) for v in (x, x * x))
    count = np.arange(n + 1)[None, :] - np.arange(n + 1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        error = (squares[None] - squares[:, None]) - np.square(sums[None] - sums[:, None]) / count
    error = np.where(count > 0, np.maximum(error, 0), np.inf)
    best = error[0]
    for _ in range(min(k, n) - 1):
        best = np.minimum(best, np.min(best[:, None] + error, axis=0))
    return float(best[n])


def distributions(n, seed):
    rng = np.random.default_rng(seed)
    yield "gauss", rng.normal(size=n)
    yield "heavy tails", rng.standard_cauchy(n) * 1e3
    yield "duplicates", rng.integers(0, 60, n)
    yield "evenly spaced, all ties", np.arange(n)
    yield "two scales", np.concatenate([rng.normal(size=n // 2), 1e4 * rng.normal(size=n - n // 2)])
    yield "log-normal", np.exp(8 * rng.normal(size=n))


@pytest.mark.parametrize("k", [1, 2, 3, 7, 16, 31, 100])
@pytest.mark.parametrize("seed", [0, 1])
def test_exact_is_the_optimum_of_the_textbook_programme(k, seed):
    for name, values in distributions(250, seed):
        x = ordered(values)
        centroids, error = core.kmeans_exact(x, k)
        best = optimum(x, k)
        # Centroids are rounded to float32; the programme's sums cancel.
        leeway = 1e-6 * best + 1e-12 * float(np.sum(np.square(x - np.median(x), dtype=np.float64)))
        assert error <= best + leeway, name
        assert squared_error(x, centroids) == pytest.approx(error, rel=1e-9), name


@given(samples, st.integers(1, 8))
@settings(deadline=None)
def test_exact_is_never_beaten_and_says_its_error(values, k):
    x = ordered(values)
    centroids, error = core.kmeans_exact(x, k)
    assert np.all(centroids[1:] >= centroids[:-1])
    assert x[0] <= centroids[0]
    assert centroids[-1] <= x[-1]
    assert error == pytest.approx(squared_error(x, centroids), rel=1e-9)
    spread = float(np.sum(np.square(x.astype(np.float64) - float(x[len(x) // 2]))))
    for init in core.KMEANS_INITS:
        _, by_steps = core.kmeans_lloyd(x, k, init, 7, 1000)
        assert error <= by_steps * (1 + 1e-6) + 1e-13 * spread


def test_exact_with_ties_at_every_price():
    """Evenly spaced values: no price of a cluster gives just k of them, so paths are spliced."""
    x = np.arange(64, dtype=np.float32)
    for k in range(1, 65):
        _, error = core.kmeans_exact(x, k)
        short, longer = divmod(64, k)
        expected = sum(
            many * size * (size * size - 1) / 12
            for size, many in ((short, k - longer), (short + 1, longer))
        )
        assert error == pytest.approx(expected, rel=1e-12)


def test_exact_beyond_the_coarse_grid_is_not_beaten():
    """Above 65,536 distinct values the price is looked for on a grid first."""
    rng = np.random.default_rng(5)
    for values in (rng.normal(size=150_000), rng.standard_cauchy(150_000)):
        x = ordered(values)
        for k in (2, 16, 200):
            _, error = core.kmeans_exact(x, k)
            for init in ("density", "k-means++"):
                assert error <= core.kmeans_lloyd(x, k, init, 1, 10_000)[1] * (1 + 1e-9)


def test_exact_finds_a_planted_optimum():
    rng = np.random.default_rng(6)
    planted = np.arange(20) * 10.0
    x = ordered((planted[:, None] + rng.uniform(-1, 1, (20, 10_000))).ravel())
    centroids, _ = core.kmeans_exact(x, 20)
    np.testing.assert_allclose(centroids, planted, atol=0.05)


@pytest.mark.parametrize("outlier", [1e6, 1e12, 1e30, -1e30])
def test_an_outlier_costs_one_centroid_and_spoils_nothing(outlier):
    body = np.random.default_rng(7).normal(scale=0.01, size=100_000)
    _, without = core.kmeans_exact(ordered(body), 15)
    _, error = core.kmeans_exact(ordered(np.append(body, outlier)), 16)
    assert error == pytest.approx(without, rel=1e-6)


def test_scikit_learn_does_not_beat_it():
    cluster = pytest.importorskip("sklearn.cluster")
    x = ordered(np.random.default_rng(8).normal(size=3000))
    for k in (4, 16, 40):
        theirs = cluster.KMeans(k, n_init=3, random_state=0).fit(x[:, None].astype(np.float64))
        assert core.kmeans_exact(x, k)[1] <= theirs.inertia_ * (1 + 1e-9)


@pytest.mark.parametrize("method", ["exact", *core.KMEANS_INITS])
@pytest.mark.parametrize("scale", [1.0, LEAST, 1e-30, 1e30, GREATEST / 8])
def test_values_are_kept_where_there_are_enough_centroids(method, scale):
    x = ordered(np.array([-7, -2, -2, 0, 1, 5, 5, 5]) * np.float64(scale))
    centroids, error = run(method, x, 9)
    np.testing.assert_array_equal(centroids, np.append(np.unique(x), [x[-1]] * 4))
    assert error == 0


@pytest.mark.parametrize("method", ["exact", *core.KMEANS_INITS])
def test_equal_values_give_that_value(method):
    value = np.float32(0.1)
    centroids, error = run(method, np.full(1001, value), 4)
    assert centroids.tolist() == [value] * 4
    assert error == 0


@pytest.mark.parametrize("init", list(core.KMEANS_INITS))
@pytest.mark.parametrize("k", [1, 2, 16, 64])
def test_lloyd_ends_where_each_centroid_is_the_mean_of_what_is_nearest(init, k):
    for name, values in distributions(2000, 9):
        x = ordered(values)
        centroids, _ = core.kmeans_lloyd(x, k, init, 3, 100_000)
        codes = core.assign(x, centroids)
        assert len(np.unique(codes)) == min(k, len(np.unique(x))), (name, "a cluster is empty")
        for j in np.unique(codes):
            mean = np.mean(x[codes == j], dtype=np.float64)
            assert centroids[j] == pytest.approx(mean, rel=1e-5, abs=1e-30), name


def test_starts_are_what_their_names_say():
    x = ordered(np.random.default_rng(10).normal(size=1000))
    linear, _ = core.kmeans_lloyd(np.linspace(0, 30, 500, dtype=np.float32), 4, "linear", 0, 0)
    np.testing.assert_allclose(linear, [0, 10, 20, 30])
    density, _ = core.kmeans_lloyd(x, 4, "density", 0, 0)
    np.testing.assert_array_equal(density, x[[125, 375, 625, 875]])
    for init in ("forgy", "k-means++"):
        drawn, _ = core.kmeans_lloyd(x, 50, init, 0, 0)
        assert len(np.unique(drawn)) == 50
        assert np.isin(drawn, x).all()


def test_plusplus_spreads_better_than_forgy_on_average():
    x = ordered(np.random.default_rng(11).standard_cauchy(2000))
    start = {
        init: np.mean([core.kmeans_lloyd(x, 8, init, s, 0)[1] for s in range(20)])
        for init in ("forgy", "k-means++")
    }
    assert start["k-means++"] < start["forgy"]


@pytest.mark.parametrize("init", ["forgy", "k-means++"])
def test_the_seed_decides_and_nothing_else(init):
    x = ordered(np.random.default_rng(12).normal(size=500))
    first, again, other = (core.kmeans_lloyd(x, 12, init, s, 0)[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_random_starts_are_the_same_on_every_machine():
    x = np.arange(1000, dtype=np.float32)
    assert core.kmeans_lloyd(x, 4, "forgy", 42, 0)[0].tolist() == FORGY_42
    assert core.kmeans_lloyd(x, 4, "k-means++", 42, 0)[0].tolist() == PLUSPLUS_42


def test_steps_never_raise_the_error():
    x = ordered(np.random.default_rng(13).normal(size=5000))
    for init in core.KMEANS_INITS:
        errors = [core.kmeans_lloyd(x, 16, init, 0, steps)[1] for steps in range(30)]
        assert all(b <= a * (1 + 1e-7) for a, b in pairwise(errors)), init


def run(method, values, k):
    if method == "exact":
        return core.kmeans_exact(values, k)
    return core.kmeans_lloyd(values, k, method, 0, 1000)


@pytest.mark.parametrize("method", ["exact", "linear"])
def test_impossible_arguments_are_refused(method):
    with pytest.raises(ValueError, match="no values"):
        run(method, np.zeros(0, np.float32), 4)
    for k in (0, 257):
        with pytest.raises(ValueError, match="centroids"):
            run(method, np.zeros(3, np.float32), k)


@pytest.mark.parametrize("method", ["exact", *core.KMEANS_INITS])
@pytest.mark.parametrize("bad", [[1, 0], [0, np.nan], [np.nan], [-np.inf, 0], [0, np.inf]])
def test_values_that_are_not_ascending_or_not_finite_are_refused(method, bad):
    with pytest.raises(ValueError, match=r"not (ascending|finite)"):
        run(method, np.array(bad, np.float32), 2)


# ---- nearest centroids


def nearest(value, centroids):
    """The first of the nearest, in exact arithmetic."""
    distances = [abs(Fraction(float(value)) - Fraction(float(c))) for c in centroids]
    return distances.index(min(distances))


@given(
    st.lists(finite | few_values, min_size=1, max_size=20),
    st.lists(finite | few_values, min_size=1, max_size=24),
)
@settings(deadline=None)
def test_assign_is_exact_and_the_lower_of_two_equally_near(values, centroids):
    values, centroids = np.asarray(values, np.float32), ordered(centroids)
    codes = core.assign(values, centroids)
    assert codes.tolist() == [nearest(v, centroids) for v in values]


@given(finite, finite)
@settings(deadline=None)
def test_assign_around_the_middle_of_two_centroids(a, b):
    centroids = ordered([a, b])
    middle = np.float32((float(a) + float(b)) / 2)
    values = np.array([np.nextafter(middle, d, dtype=np.float32) for d in (a, middle, b)])
    codes = core.assign(values, centroids)
    assert codes.tolist() == [nearest(v, centroids) for v in values]


def test_a_sum_that_rounds_to_the_middle_does_not_decide():
    # 1 - 2**-60 is 1 in double, so the middle looks like 0.5; it is below.
    centroids = np.array([-(2.0**-60), 1], np.float32)
    assert core.assign(np.array([0.5], np.float32), centroids).tolist() == [1]
    centroids = np.array([2.0**-60, 1], np.float32)
    assert core.assign(np.array([0.5], np.float32), centroids).tolist() == [0]


@pytest.mark.parametrize("k", [1, 2, 15, 16, 17, 18, 31, 32, 33, 255, 256])
def test_assign_for_every_way_of_searching(k):
    rng = np.random.default_rng(k)
    centroids = ordered(rng.normal(size=k))
    values = rng.normal(size=5000).astype(np.float32)
    distances = np.abs(values[:, None].astype(np.float64) - centroids[None].astype(np.float64))
    np.testing.assert_array_equal(core.assign(values, centroids), np.argmin(distances, axis=1))


def test_assign_with_repeated_centroids_takes_the_first():
    centroids = np.array([1, 1, 2, 5, 5, 5], np.float32)
    codes = core.assign(np.array([0, 1.4, 1.6, 4, 9], np.float32), centroids)
    assert codes.tolist() == [0, 0, 2, 3, 3]


def test_assign_of_nothing_and_with_too_many_centroids():
    assert core.assign(np.zeros(0, np.float32), np.zeros(1, np.float32)).size == 0
    for k in (0, 257):
        with pytest.raises(ValueError, match="1 to 256"):
            core.assign(np.zeros(1, np.float32), np.zeros(k, np.float32))
