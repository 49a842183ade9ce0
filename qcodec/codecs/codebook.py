"""Codecs in which weights share a few values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .._base.checks import check_choice, check_integer, check_number
from ..quantize import quantize_codebook, quantize_ternary
from ..quantize.codebook import (
    INITS,
    MAX_CODEBOOK_BITS,
    NORMALIZATIONS,
    Init,
    Normalization,
    check_rate,
    check_seed,
)
from ..quantize.groups import check_grouping
from ..quantize.ternary import Threshold, check_ternary
from ..quantized import Quantized
from .base import Codec


@dataclass(frozen=True)
class Codebook(Codec):
    """At most ``2**bits`` shared values, chosen by k-means.

    Parameters
    ----------
    bits : int
        1 to 8.
    init : {"auto", "exact", "fast", "linear", "density", "forgy", "k-means++"}
        ``"exact"`` is the optimum. ``"fast"`` is at most 0.05 % above it and takes a
        hundredth of the time. ``"auto"`` chooses between them by size (see
        `quantize_codebook`). The others are starts for Lloyd's algorithm.
    scale : {"max", "rms"}, optional
        Divide each group by its largest magnitude or root mean square, and share one
        codebook. The default: no scale, and each group has its own codebook.
    per, group : int, optional
        A group is an index of this axis, or a block of this many elements; the
        default is the tensor.
    seed : int
        For ``"forgy"`` and ``"k-means++"``.
    rate : float
        Above 0: entropy-constrained quantization, in which each weight takes the
        value of least squared error + `rate` * variance * bits. At the same error
        it makes smaller files than k-means. 0.04 is coarse, 0.001 is fine (see
        `quantize_codebook`).

    Examples
    --------
    >>> import numpy as np
    >>> Codebook(1).quantize(np.array([0.5, -2.0, 1.5, -2.0])).dequantize()
    array([ 1., -2.,  1., -2.])
    """

    codec_id: ClassVar[str] = "codebook"
    positions = "dense"
    bits: int
    init: Init = "auto"
    scale: Normalization | None = None
    per: int | None = None
    group: int | None = None
    seed: int = 0
    rate: float = 0.0

    def __post_init__(self) -> None:
        check_integer("bits", self.bits, 1, MAX_CODEBOOK_BITS)
        check_choice("init", self.init, INITS)
        check_choice("scale", self.scale, (None, *NORMALIZATIONS))
        check_grouping(self.per, self.group)
        check_seed(self.seed)
        check_rate(self.rate, self.scale, self.per, self.group)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return quantize_codebook(
            array,
            self.bits,
            self.init,
            scale=self.scale,
            per=self.per,
            group=self.group,
            seed=self.seed,
            rate=self.rate,
            mask=mask,
        )


@dataclass(frozen=True)
class Ternary(Codec):
    """Three values: -Wn, 0 and +Wp.

    Parameters
    ----------
    threshold : {"exact", "twn"} or float
        The largest magnitude that becomes zero: ``"exact"`` for the least squared
        error, ``"twn"`` for 0.7 times the mean magnitude, or a number for this part of
        the largest magnitude.
    scales : {2, 1}
        Two different scales Wp and Wn, or one for both signs.
    per, group : int, optional
        Scales per index of this axis, or per block of this many elements.

    Examples
    --------
    >>> import numpy as np
    >>> Ternary().quantize(np.array([-1.0, 0.1, 2.0, 4.0])).dequantize()
    array([-1.,  0.,  3.,  3.])
    """

    codec_id: ClassVar[str] = "ternary"
    positions = "dense"
    threshold: Threshold = "exact"
    scales: int = 2
    per: int | None = None
    group: int | None = None

    def __post_init__(self) -> None:
        check_ternary(self.threshold, self.scales)
        check_grouping(self.per, self.group)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return quantize_ternary(
            array,
            self.threshold,
            scales=self.scales,
            per=self.per,
            group=self.group,
            mask=mask,
        )


@dataclass(frozen=True)
class TrainedTernary(Codec):
    """Ternary weights of Zhu, Han, Mao and Dally: two scales, threshold by the largest weight.

    Parameters
    ----------
    threshold : float
        The part of the largest magnitude up to which weights become zero.

    Examples
    --------
    >>> import numpy as np
    >>> TrainedTernary().quantize(np.array([-1.0, 0.1, 2.0, 4.0])).dequantize()
    array([-1.,  0.,  3.,  3.])
    """

    codec_id: ClassVar[str] = "trained_ternary"
    positions = "dense"
    threshold: float = 0.05

    def __post_init__(self) -> None:
        check_number("threshold", self.threshold, 0, 1)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return quantize_ternary(array, self.threshold, scales=2, mask=mask)
