"""Compute the table of qcodec/quantize/uniform_steps.py and print it. Needs scipy.

The optimal symmetric uniform quantizer of N = 2**bits levels at unit variance has its levels at
(i - (N - 1) / 2) * step. Its squared error is stationary where the sum over the positive levels c
of c * (mean of x - c * step over c's cell) is zero. This is solved for the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import optimize, special

BITS = range(1, 17)

# P(0 <= |x| <= t) and the mean of |x| over that range, at unit variance.
Moments = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def gauss(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return special.erf(t / math.sqrt(2)), math.sqrt(2 / math.pi) * -np.expm1(-(t**2) / 2)


def laplace(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u = math.sqrt(2) * t
    return -np.expm1(-u), special.gammainc(2, u) / math.sqrt(2)


def gamma(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|x| has a gamma distribution of shape 1/2 and scale 2 / sqrt(3)."""
    u = t * math.sqrt(3) / 2
    return special.gammainc(0.5, u), special.gammainc(1.5, u) / math.sqrt(3)


def optimal_step(moments: Moments, bits: int) -> float:
    levels = np.arange(2 ** (bits - 1)) + 0.5

    def slope(step: float) -> float:
        cuts = np.arange(len(levels)) * step
        beyond, mean_beyond = moments(cuts)
        probability = np.diff(beyond, append=1.0)
        _, mean = moments(np.array([1e6]))
        mean_in_cell = np.diff(mean_beyond, append=mean[0])
        return float(np.sum(levels * (mean_in_cell - levels * step * probability)))

    return float(optimize.brentq(slope, 1e-5, 3, xtol=1e-14))


def main() -> None:
    for distribution in (gauss, laplace, gamma):
        steps = (optimal_step(distribution, bits) for bits in BITS)
        print(f"{distribution.__name__}: {', '.join(f'{step:.6g}' for step in steps)}")


if __name__ == "__main__":
    main()
