"""Codecs that store only some of the elements, with their positions."""

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
    """Stores some of the elements with another codec, and their positions; the rest is zero.

    Parameters
    ----------
    codec : Verbatim, Lossless, Affine, FixedPoint, Codebook or Ternary
        The codec of the stored elements.
    prune : Density, Quality, Threshold or NOfM, optional
        Chooses the stored elements; the default is all but zeros.
    positions : {"auto", "dense", "gaps", "mask", "bit_mask", "csr"}
        ``"dense"`` gives absent elements a code too; ``"auto"`` does so if that is
        smaller.
    gap_bits : int, optional
        Bits per gap, 1 to 16; the default is the width with the fewest bits in total.

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
        """Return the mask of stored elements, in the array's shape."""
        if self.prune is not None:
            return self.prune.mask(array)
        if isinstance(self.codec, Verbatim | Lossless):
            return nonzero_bits_mask(array, self.codec.dtype)
        # Multiplying negative weights by a mask leaves -0.0, which is a zero here.
        return Threshold(0).mask(array)


@dataclass(frozen=True)
class DeepCompression(Codec):
    """Deep Compression of Han, Mao and Dally: pruning, k-means with linear start, relative index.

    Parameters
    ----------
    bits : int
        1 to 8. The codebook has up to ``2**bits`` entries, one of which is zero.
    prune : Density, Quality, Threshold or NOfM, optional
        Chooses the stored elements; the default is all but zeros.
    init : {"linear", "auto", "exact", "fast", "density", "forgy", "k-means++"}
    positions : {"auto", "dense", "gaps", "mask", "bit_mask", "csr"}
        ``"gaps"`` is the paper's form; ``"auto"`` stores nearly dense layers without
        positions.
    gap_bits : int, optional
        Bits per gap, 1 to 16; the default is the width with the fewest bits in total.
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
        """Return the equivalent `Sparse` codec."""
        codebook = Codebook(self.bits, self.init, seed=self.seed)
        return Sparse(codebook, self.prune, self.positions, self.gap_bits)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return self.parts().quantize(array, mask)
