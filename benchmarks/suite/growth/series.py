"""One kind of work at more and more sizes, and how its time and memory grow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from ..measure import Job

Make = Callable[[int, ExitStack], Job]


class Growth(Enum):
    """How a quantity may grow; what a figure is then, and the most that it may be."""

    #: The exponent of the size, up to 1.1.
    LINEAR = ("exponent", 1.1)
    #: The exponent of work that sorts: n log n is 1.1 on its own.
    SORTED = ("exponent", 1.2)
    #: The exponent of the size, up to 0.1.
    CONSTANT = ("exponent", 0.1)
    #: The time of a smaller size divided by that of a larger one, where it is greatest.
    NO_CLIFF = ("cliff", 1.25)
    #: The greatest of all sizes divided by the least.
    LEVEL = ("spread", 2.0)
    #: Any: the limit for each unit says what is allowed.
    ANY = ("exponent", None)

    @property
    def what(self) -> str:
        """The name of the figure."""
        return self.value[0]

    @property
    def maximum(self) -> float | None:
        """The greatest figure that is allowed."""
        return self.value[1]

    def figure(self, found: Mapping[int, float]) -> float:
        """The figure of quantities by sizes."""
        sizes, quantities = list(found), list(found.values())
        if self.what == "exponent":
            return exponent(sizes, quantities)
        if self.what == "spread":
            return max(quantities) / min(quantities)
        smaller = np.maximum.accumulate(quantities)[:-1]
        return float(np.max(smaller / quantities[1:], initial=0))


@dataclass(frozen=True)
class Series:
    """One kind of work.

    Attributes
    ----------
    name : str
        In words.
    unit : str
        What the sizes count: ``"weights"``, ``"tensors"``, ...
    sizes : tuple of int
        Ascending.
    make : callable
        Prepares the work of one size, outside the time; what it opens is closed afterwards.
    time, memory : Growth
        How they may grow; no memory is measured if it is None.
    each : float, optional
        The most microseconds for each unit, at the largest size.
    units : int, optional
        What `each` is for, if not the size: weights, where sizes count their groups.
    call : float, optional
        The most microseconds of one call, at the largest size.
    """

    name: str
    unit: str
    sizes: tuple[int, ...]
    make: Make
    time: Growth = Growth.LINEAR
    memory: Growth | None = None
    each: float | None = None
    units: int | None = None
    call: float | None = None


#: Sizes from the largest down to this part of it tell the exponent, three at least.
UPPER_RANGE = 1e-3
_FEWEST = 3


def exponent(sizes: list[int], quantities: list[float]) -> float:
    """The slope of a line through the logarithms, by least squares over the upper range."""
    upper = [at for at, size in enumerate(sizes) if size >= UPPER_RANGE * sizes[-1]]
    first = min(upper[0], max(0, len(sizes) - _FEWEST))
    if len(sizes) - first < 2:
        return 0.0
    slope, _ = np.polyfit(np.log(sizes[first:]), np.log(quantities[first:]), 1)
    return round(float(slope), 3) + 0.0  # no -0


def up_to(largest: int, smallest: int = 1, factor: int = 4) -> tuple[int, ...]:
    """The smallest, its multiples by powers of the factor, and the largest.

    Examples
    --------
    >>> up_to(100, 1, 10), up_to(3, 4)
    ((1, 10, 100), (3,))
    """
    found = []
    while smallest < largest:
        found.append(smallest)
        smallest *= factor
    return (*found, largest)


def new_folder(opened: ExitStack) -> Path:
    """A folder that is there until `opened` is closed."""
    return Path(opened.enter_context(tempfile.TemporaryDirectory()))
