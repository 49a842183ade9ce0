"""Bit allocation: bits per tensor that minimize the total size at a given SQNR.

Lin, Talathi and Annapureddy 2016 (ICML), section 4.2. Nothing here needs a model: sizes and
SQNRs are numbers.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from .._base.checks import check_integer


@dataclass(frozen=True)
class Line:
    """The SQNR at the output of a net, in dB, as a linear function: ``offset + kappa * bits``.

    Attributes
    ----------
    kappa : float
        dB per bit, above 0: 6.02 for uniform values, about 5 for Gaussian values, 2 to 4 in nets.
    offset : float
        The less sensitive the output, the greater the offset.

    Examples
    --------
    >>> Line.through({4: 18.0, 6: 28.0})
    Line(kappa=5.0, offset=-2.0)
    """

    kappa: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.kappa < math.inf:
            raise ValueError(f"kappa={self.kappa}: allowed is a number above 0")

    def noise(self, bits: float) -> float:
        """1 / SQNR, as a ratio."""
        return float(10 ** (-(self.offset + self.kappa * bits) / 10))

    @classmethod
    def through(cls, found: Mapping[int, float]) -> Line:
        """Fit a line by least squares to SQNRs in dB, by number of bits.

        Raises
        ------
        ValueError
            If there are fewer than two SQNRs, or they do not rise with the bits.
        """
        if len(found) < 2:
            raise ValueError(f"found SQNRs of {len(found)} numbers of bits, allowed are 2 or more")
        middle = sum(found) / len(found)
        level = sum(found.values()) / len(found)
        products = sum((bits - middle) * value for bits, value in found.items())
        kappa = products / sum((bits - middle) ** 2 for bits in found)
        return cls(kappa, level - kappa * middle)


@dataclass(frozen=True)
class Measured:
    """Measured SQNRs at the output of a net, in dB, by whole numbers of bits.

    Powers of two are coarse steps, so measured SQNRs rise less evenly than a `Line`.

    Attributes
    ----------
    found : mapping of int to float

    Examples
    --------
    >>> Measured({4: 20.0, 5: 30.0}).noise(5)
    0.001
    """

    found: Mapping[int, float]

    def noise(self, bits: int) -> float:
        """1 / SQNR, as a ratio.

        Raises
        ------
        ValueError
            If no SQNR was measured for this number of bits.
        """
        if bits not in self.found:
            raise ValueError(f"found no SQNR of {bits} bits, allowed are {sorted(self.found)}")
        return float(10 ** (-self.found[bits] / 10))


Curve = Line | Measured
_C = TypeVar("_C", bound=Curve)


def allocate_bits(
    sizes: Mapping[str, float], lines: Mapping[str, Line] | Line, target: float
) -> dict[str, float]:
    """The bits that minimize the total size, while the noises of all tensors sum to a target.

    At the minimum, the noise of each tensor is proportional to size / kappa. With one line for
    all tensors, ``b_i - b_j = 10 / kappa * log10(size_j / size_i)``: the larger tensor gets
    fewer bits.

    Parameters
    ----------
    sizes : mapping of str to float
        Number of elements of each tensor, above 0: weights, or activations.
    lines : mapping of str to Line, or Line
        One line per tensor, or one for all.
    target : float
        SQNR at the output, in dB.

    Returns
    -------
    dict of str to float
        Unrounded and unbounded. `whole_bits` gives numbers that a file can store.

    Examples
    --------
    >>> bits = allocate_bits({"small": 100, "large": 1000}, Line(kappa=5.0), 20.0)
    >>> {name: round(number, 3) for name, number in bits.items()}
    {'small': 6.083, 'large': 4.083}
    """
    by_name = _by_name(sizes, lines)
    total = sum(size / by_name[name].kappa for name, size in sizes.items())
    return {
        name: (
            target
            - by_name[name].offset
            - 10 * math.log10(size / by_name[name].kappa)
            + 10 * math.log10(total)
        )
        / by_name[name].kappa
        for name, size in sizes.items()
    }


def whole_bits(
    sizes: Mapping[str, float],
    curves: Mapping[str, Curve] | Curve,
    target: float,
    min_bits: int = 2,
    max_bits: int = 8,
) -> dict[str, int]:
    """Allocate whole numbers of bits: each next bit goes where it saves most noise for its size.

    Parameters
    ----------
    sizes, target
        As for `allocate_bits`.
    curves : mapping of str to Line or Measured, or one of them
        One curve per tensor, or one for all. Numbers of bits above the lower convex hull of a
        tensor's noises, as measured curves may have them, are skipped.
    min_bits, max_bits : int
        The minimum and maximum number of bits of a tensor.

    Returns
    -------
    dict of str to int
        No smaller allocation has as little noise. If `max_bits` bits for all tensors do not reach
        the target, the greatest useful numbers of bits are returned.

    Examples
    --------
    >>> whole_bits({"small": 100, "large": 1000}, Line(kappa=5.0), 20.0)
    {'small': 6, 'large': 5}
    """
    check_integer("min_bits", min_bits, 1, max_bits)
    by_name = _by_name(sizes, curves)
    noises = {
        name: {bits: curve.noise(bits) for bits in range(min_bits, max_bits + 1)}
        for name, curve in by_name.items()
    }
    # The gains of a tensor fall from step to step, so sorting keeps its steps in order.
    steps = sorted(
        (-gain / sizes[name], name, bits, found[bits])
        for name, found in noises.items()
        for gain, bits in _worthwhile(found)
    )
    allocation = _Allocation(noises, min_bits, steps)
    allowed = 10 ** (-target / 10)
    # The noise never rises from step to step, as bisection needs.
    count = bisect_left(range(len(steps)), True, key=lambda n: allocation.noise(n) <= allowed)
    return allocation.bits(count)


class _Allocation:
    """The bits of all tensors after the first of some steps.

    Each number of steps is reached from the one before it, so a bisection takes as many steps as
    there are, and not that many for each comparison.

    Parameters
    ----------
    noises : mapping of str to dict
        The noise of each tensor by its bits.
    min_bits : int
        The bits of all tensors before the first step.
    steps : list of (float, str, int, float)
        The rank of the step, the tensor, its bits after the step, and its noise then.
    """

    def __init__(
        self,
        noises: Mapping[str, Mapping[int, float]],
        min_bits: int,
        steps: list[tuple[float, str, int, float]],
    ) -> None:
        self.steps, self._at = steps, 0
        self._start = dict.fromkeys(noises, min_bits)
        self._noises = {name: found[min_bits] for name, found in noises.items()}
        self._before = []
        known = dict(self._noises)
        for _, name, _, noise in steps:
            self._before.append(known[name])
            known[name] = noise

    def noise(self, count: int) -> float:
        """The sum of all noises after so many steps, rounded once (`fsum`): it never rises."""
        for _, name, _, noise in self.steps[self._at : count]:
            self._noises[name] = noise
        for at in range(self._at - 1, count - 1, -1):
            self._noises[self.steps[at][1]] = self._before[at]
        self._at = count
        return math.fsum(self._noises.values())

    def bits(self, count: int) -> dict[str, int]:
        """The bits after so many steps."""
        return self._start | {name: bits for _, name, bits, _ in self.steps[:count]}


def _worthwhile(noises: Mapping[int, float]) -> list[tuple[float, int]]:
    """The lower convex hull of noises by bits: the gain per bit of each step, and its end."""
    at, last = min(noises), max(noises)
    steps: list[tuple[float, int]] = []
    while at < last:
        gain, further = max(
            ((noises[at] - noises[bits]) / (bits - at), bits) for bits in range(at + 1, last + 1)
        )
        if gain <= 0:
            break
        if steps:
            gain = min(gain, steps[-1][0])  # gains never rise on a hull; rounding may differ
        steps.append((gain, further))
        at = further
    return steps


def _by_name(sizes: Mapping[str, float], curves: Mapping[str, _C] | _C) -> dict[str, _C]:
    for name, size in sizes.items():
        if not 0 < size < math.inf:
            raise ValueError(f"size of {name!r}: found {size}, allowed is a number above 0")
    if not isinstance(curves, Mapping):
        return dict.fromkeys(sizes, curves)
    missing = sorted(sizes.keys() - curves.keys())
    if missing:
        raise ValueError(f"curves: found none of {missing}, allowed is one for each size")
    return {name: curves[name] for name in sizes}
