"""Codecs that store some of the elements, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .._base.checks import check_choice, check_integer
from ..quantize import nonzero_bits_mask
from ..quantize.codebook import Init
from ..quantized import Quantized
from .affine import Affine
from .base import Codec, Positions
from .codebook import Codebook
from .lossless import Lossless, Verbatim
from .pruning import PRUNINGS, Pruning, Threshold

_MAX_GAP_BITS = 16
_SPARSE_POSITIONS = ("auto", "dense", "gaps", "mask", "bit_mask", "csr")


@dataclass(frozen=True)
class Sparse(Codec):
    """Another codec for some of the elements, and their positions; the rest is zero.

    Parameters
    ----------
    codec : Verbatim, Lossless, Affine, FixedPoint, Codebook or Ternary
        What the stored elements become.
    prune : Density, Quality, Threshold or NOfM, optional
        Which elements are stored; the default is all but zeros.
    positions : {"auto", "dense", "gaps", "mask", "bit_mask", "csr"}
        ``"dense"`` gives absent elements a code too, and ``"auto"`` does so
        where it is smaller.
    gap_bits : int, optional
        Width of a gap, 1 to 16; the default is the one of the fewest bits.

    Examples
    --------
    >>> import numpy as np
    >>> q = Sparse(Verbatim()).quantize(np.array([0.0, 7.0, 0.0]))
    >>> q.positions, q.codes
    (array([1]), array([7.]))
    """

    codec_id: ClassVar[str] = "sparse"
    codec: Codec
    prune: Pruning | None = None
    positions: Positions = "auto"
    gap_bits: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.codec, Codec) or isinstance(self.codec, Sparse | DeepCompression):
            raise TypeError(f"codec={self.codec!r}: allowed is a codec that is not sparse itself")
        if self.prune is not None and not isinstance(self.prune, Pruning):
            raise TypeError(f"prune={self.prune!r}: allowed are None and {', '.join(PRUNINGS)}")
        if isinstance(self.codec, Affine) and not self.codec.has_common_zero:
            raise ValueError(f"{self.codec!r}: no code is zero in all groups; use symmetric=True")
        check_choice("positions", self.positions, _SPARSE_POSITIONS)
        if self.gap_bits is not None:
            check_integer("gap_bits", self.gap_bits, 1, _MAX_GAP_BITS)

    @property
    def is_lossless(self) -> bool:
        return self.prune is None and self.codec.is_lossless

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        if mask is None:
            mask = self.mask(array)
        return self.codec.quantize(array, mask)

    def mask(self, array: Any) -> Any:
        """Which elements are stored, in the array's shape."""
        if self.prune is not None:
            return self.prune.mask(array)
        if isinstance(self.codec, Verbatim | Lossless):
            return nonzero_bits_mask(array, self.codec.dtype)
        # Weights that were multiplied with a mask are -0.0 where they were negative.
        return Threshold(0).mask(array)


@dataclass(frozen=True)
class DeepCompression(Codec):
    """Han, Mao and Dally's combination: pruning, k-means from linear starts, relative index.

    Parameters
    ----------
    bits : int
        1 to 8: entries of the codebook, one of which is zero.
    prune : Density, Quality, Threshold or NOfM, optional
        Which elements are stored; the default is all but zeros.
    init : {"linear", "auto", "exact", "fast", "density", "forgy", "k-means++"}
    positions : {"auto", "dense", "gaps", "mask", "bit_mask", "csr"}
        ``"gaps"`` is the paper's; ``"auto"`` stores nearly dense layers dense.
    gap_bits : int, optional
        Width of a gap, 1 to 16; the default is the one of the fewest bits.
    seed : int
        For ``"forgy"`` and ``"k-means++"``.

    Examples
    --------
    >>> import numpy as np
    >>> from qcodec.codecs.pruning import Density
    >>> weights = np.array([0.1, -2.0, 0.0, 1.0, 1.5, 0.2, -0.1, 0.0])
    >>> DeepCompression(2, prune=Density(0.375)).quantize(weights).dequantize()
    array([ 0. , -2. ,  0. ,  1. ,  1.5,  0. ,  0. ,  0. ])
    """

    codec_id: ClassVar[str] = "deep_compression"
    bits: int
    prune: Pruning | None = None
    init: Init = "linear"
    positions: Positions = "auto"
    gap_bits: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        self.parts()

    def parts(self) -> Sparse:
        """The same as a `Sparse` codec."""
        codebook = Codebook(self.bits, self.init, seed=self.seed)
        return Sparse(codebook, self.prune, self.positions, self.gap_bits)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return self.parts().quantize(array, mask)
