"""The signal-to-quantization-noise ratio, where squares leave the range of float64 too."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest

from qcodec.quantize import sqnr


def exact(original, decoded):
    """In dB, by whole numbers."""
    signal = sum(Fraction(x) ** 2 for x in original)
    noise = sum((Fraction(x) - Fraction(y)) ** 2 for x, y in zip(original, decoded, strict=True))
    ratio = signal / noise
    return 10 * (math.log10(ratio.numerator) - math.log10(ratio.denominator))


PAIRS = [
    ([1e-200], [2e-200]),
    ([1e-170, 1e-170], [1e-170, 2e-170]),
    ([1e200], [1.1e200]),
    ([1e300, 1.0], [1e300, 2.0]),
    ([1.7e308, -1.7e308], [-1.7e308, 1.7e308]),
    ([1.7e308, 1.0], [-1.7e308, 1.0]),
    ([5e-324, 0.0], [0.0, 0.0]),
    ([1.0, 5e-324], [1.0, 0.0]),
    ([3.0, 4.0], [3.0, 3.5]),
]


@pytest.mark.parametrize(("original", "decoded"), PAIRS, ids=repr)
def test_squares_may_leave_the_range(original, decoded):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sqnr(np.array(original), np.array(decoded))
    assert found == pytest.approx(exact(original, decoded), abs=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_ends_of_each_type(dtype):
    for end in (np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal):
        original = np.array([end, -end, 0], dtype)
        assert sqnr(original, np.zeros(3, dtype)) == pytest.approx(0, abs=1e-9)
        assert sqnr(original, -original) == pytest.approx(-20 * math.log10(2), abs=1e-9)
        assert sqnr(original, np.array([end, 0, 0], dtype)) == pytest.approx(10 * math.log10(2))


INF, NAN = math.inf, math.nan

DEFINED = [
    ([1.0, 2.0], [1.0, 2.0], INF),
    ([], [], INF),
    ([0.0, -0.0], [0.0, 0.0], INF),
    ([NAN, INF, 1.0], [NAN, INF, 1.0], INF),
    ([0.0, 0.0], [0.0, 1e-300], -INF),
    ([1.0, 2.0], [1.0, INF], -INF),
    ([1.0, NAN], [1.5, NAN], NAN),
    ([1.0, INF], [1.5, INF], NAN),
    ([1.0, INF], [1.0, -INF], NAN),
    ([1.0, 2.0], [1.0, NAN], NAN),
    ([0.0, 0.0], [0.0, NAN], NAN),
]


@pytest.mark.parametrize(("original", "decoded", "expected"), DEFINED, ids=repr)
def test_zeros_infinities_and_nothing_are_defined(original, decoded, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sqnr(np.array(original), np.array(decoded))
    assert found == expected or (math.isnan(found) and math.isnan(expected))


@pytest.mark.parametrize("other", [(3,), (1, 4), (4, 1), ()])
def test_shapes_are_not_broadcast(other):
    with pytest.raises(ValueError, match="shapes differ"):
        sqnr(np.ones(4), np.ones(other))


def test_types_may_differ_and_whole_numbers_are_refused():
    halves = np.array([0.1, 0.2], np.float32)
    assert 60 < sqnr(halves, halves.astype(np.float16)) < 80
    with pytest.raises(ValueError, match=r"int64.*allowed are float types"):
        sqnr(np.array([1, 2]), np.array([1.0, 2.0]))
