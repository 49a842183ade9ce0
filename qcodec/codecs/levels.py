"""The codec of fixed levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .._base.checks import check_choice
from ..quantize.groups import check_grouping
from ..quantize.levels import UNITS, Unit, quantize_levels, table_of
from ..quantize.scales import SCALE_DTYPES
from ..quantized import Quantized
from .base import Codec


@dataclass(frozen=True)
class Levels(Codec):
    """A fixed table of levels, such as NF4 or FP4, times a scale per group.

    Parameters
    ----------
    levels : {"nf4", "fp4", "ternary"} or sequence of float
        The table; numbers are ascending, at most 256.
    unit : {"max", "mean"}
        What the scale is: ``"max"`` lets the largest magnitude of a group meet the largest level;
        ``"mean"`` is the mean magnitude of the group.
    per, group : int, optional
        A scale per index of this axis, or per block of this many elements; the default is one for
        the tensor.
    scale_dtype : {"float32", "float16", "bfloat16", "float8_e8m0fnu"}
        The type in which scales are stored (see `qcodec.quantize.quantize_levels`).

    Examples
    --------
    >>> import numpy as np
    >>> Levels("fp4").quantize(np.array([-6.0, 2.4, 0.2])).dequantize()
    array([-6.,  2.,  0.])
    >>> Levels((-1, 0, 1), unit="mean").quantize(np.array([-4.0, 1.0, 4.0])).dequantize()
    array([-3.,  0.,  3.])
    """

    codec_id: ClassVar[str] = "levels"
    positions = "dense"
    levels: str | tuple[float, ...] = "nf4"
    unit: Unit = "max"
    per: int | None = None
    group: int | None = None
    scale_dtype: str = "float32"

    def __post_init__(self) -> None:
        if isinstance(self.levels, Sequence) and not isinstance(self.levels, str):
            object.__setattr__(self, "levels", tuple(self.levels))
        elif not isinstance(self.levels, str):
            raise TypeError(f"levels={self.levels!r}: allowed are a name and numbers")
        table_of(self.levels)
        check_choice("unit", self.unit, UNITS)
        check_grouping(self.per, self.group)
        check_choice("scale_dtype", self.scale_dtype, SCALE_DTYPES)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return quantize_levels(
            array,
            self.levels,
            unit=self.unit,
            per=self.per,
            group=self.group,
            scale_dtype=self.scale_dtype,
            mask=mask,
        )
