"""Configurations of pruning: they choose the elements that `Sparse` stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._base.checks import check_integer, check_number
from .._base.config import Configurable
from ..quantize import density_mask, n_of_m_mask, quality_mask, threshold_mask

Mask = np.ndarray[Any, np.dtype[np.bool_]]


class Pruning(Configurable):
    """Chooses the elements of a tensor that are stored."""

    def mask(self, array: Any) -> Mask:
        """Return a mask that is true for stored elements, in the array's shape.

        Raises
        ------
        TypeError
            If the array is not float16, float32, float64 or bfloat16.
        ValueError
            If a value is NaN or infinite.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Density(Pruning):
    """Keeps the ``round(density * n)`` elements of largest magnitude.

    Parameters
    ----------
    density : float
        0 to 1.

    Examples
    --------
    >>> int(Density(0.1).mask(np.arange(50.0)).sum())
    5
    """

    codec_id: ClassVar[str] = "density"
    density: float

    def __post_init__(self) -> None:
        check_number("density", self.density, 0, maximum=1)

    def mask(self, array: Any) -> Mask:
        return density_mask(array, self.density)


@dataclass(frozen=True)
class Quality(Pruning):
    """Keeps elements whose magnitude exceeds ``quality`` standard deviations of the tensor.

    Parameters
    ----------
    quality : float
        At least 0.

    Examples
    --------
    >>> Quality(1.0).mask(np.array([3.0, -1.0, 1.0, -4.0]))
    array([ True, False, False,  True])
    """

    codec_id: ClassVar[str] = "quality"
    quality: float

    def __post_init__(self) -> None:
        check_number("quality", self.quality, 0)

    def mask(self, array: Any) -> Mask:
        return quality_mask(array, self.quality)


@dataclass(frozen=True)
class Threshold(Pruning):
    """Keeps elements whose magnitude exceeds a threshold.

    Parameters
    ----------
    threshold : float
        At least 0.

    Examples
    --------
    >>> Threshold(0.5).mask(np.array([0.5, -1.0]))
    array([False,  True])
    """

    codec_id: ClassVar[str] = "threshold"
    threshold: float

    def __post_init__(self) -> None:
        check_number("threshold", self.threshold, 0)

    def mask(self, array: Any) -> Mask:
        return threshold_mask(array, self.threshold)


@dataclass(frozen=True)
class NOfM(Pruning):
    """Keeps the `n` elements of largest magnitude of every `m` along the last axis.

    Parameters
    ----------
    n, m : int
        ``1 <= n <= m``.

    Examples
    --------
    >>> NOfM(1, 2).mask(np.array([1.0, -2.0, 3.0, 0.0]))
    array([False,  True,  True, False])
    """

    codec_id: ClassVar[str] = "n_of_m"
    n: int
    m: int

    def __post_init__(self) -> None:
        check_integer("m", self.m, 1)
        check_integer("n", self.n, 1, self.m)

    def mask(self, array: Any) -> Mask:
        return n_of_m_mask(array, self.n, self.m)


#: Every pruning, by id.
PRUNINGS: dict[str, type[Pruning]] = {
    cls.codec_id: cls for cls in (Density, Quality, Threshold, NOfM)
}
