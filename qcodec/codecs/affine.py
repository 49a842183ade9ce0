"""Codecs of equally spaced values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .._base.checks import check_choice, check_integer
from ..quantize import quantize_affine, quantize_fixed_point
from ..quantize.affine import MAX_BITS, check_affine
from ..quantize.fixed_point import STEPS, Step
from ..quantize.groups import check_grouping
from ..quantized import Quantized
from .base import Codec


@dataclass(frozen=True)
class Affine(Codec):
    """Equally spaced values: ``scale * (code - zero point)``.

    Parameters
    ----------
    bits : int
        1 to 16; at least 2 if symmetric.
    per, group : int, optional
        One scale and zero point per index of this axis, or per block of this many
        elements; the default is one for the tensor.
    symmetric : bool
        If true, the range is plus and minus the largest magnitude; otherwise it is
        from the minimum to the maximum.
    rate : float
        Above 0: entropy-constrained quantization, in which each weight takes the
        value of least squared error + `rate` * variance * bits, at the best step;
        up to 8 bits, without `per` or `group` (see `quantize_affine`).

    Examples
    --------
    >>> import numpy as np
    >>> Affine(2).quantize(np.array([-1.0, 0.4, 2.0])).codes
    array([0, 1, 3], dtype=uint8)
    """

    codec_id: ClassVar[str] = "affine"
    positions = "dense"
    bits: int
    per: int | None = None
    group: int | None = None
    symmetric: bool = False
    rate: float = 0.0

    def __post_init__(self) -> None:
        check_grouping(self.per, self.group)
        check_affine(self.bits, self.per, self.group, self.symmetric, self.rate)

    @property
    def has_common_zero(self) -> bool:
        """Whether one code means zero in every group."""
        return self.symmetric or (self.per is None and self.group is None)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return quantize_affine(
            array,
            self.bits,
            per=self.per,
            group=self.group,
            symmetric=self.symmetric,
            rate=self.rate,
            mask=mask,
        )


@dataclass(frozen=True)
class FixedPoint(Codec):
    """Signed integers times a power of two (Qm.n).

    Parameters
    ----------
    bits : int
        2 to 16.
    step : {"mse", "max", "gauss", "laplace", "gamma"}
        How the power of two is chosen: ``"mse"`` for the least squared error, ``"max"``
        for the smallest one that clips nothing, or by the optimal step of a distribution
        (see `quantize_fixed_point`).
    per, group : int, optional
        One step per index of this axis, or per block of this many elements.

    Examples
    --------
    >>> import numpy as np
    >>> FixedPoint(3).quantize(np.array([-1.0, 0.24, 0.6])).dequantize()
    array([-1.  ,  0.25,  0.5 ])
    """

    codec_id: ClassVar[str] = "fixed_point"
    positions = "dense"
    bits: int
    step: Step = "mse"
    per: int | None = None
    group: int | None = None

    def __post_init__(self) -> None:
        check_integer("bits", self.bits, 2, MAX_BITS)
        check_choice("step", self.step, STEPS)
        check_grouping(self.per, self.group)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return quantize_fixed_point(
            array, self.bits, self.step, per=self.per, group=self.group, mask=mask
        )
