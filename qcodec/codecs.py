"""Codecs: configurations that turn an array into a `Quantized`, and the table of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from .checks import check_choice, check_integer, check_number
from .config import Configurable, build
from .dtypes import element_type
from .prunings import PRUNINGS, Pruning, Threshold
from .quantize import (
    Quantized,
    nonzero_bits_mask,
    quantize_affine,
    quantize_codebook,
    quantize_fixed_point,
    quantize_raw,
    quantize_ternary,
)
from .quantize.affine import MAX_BITS
from .quantize.codebook import INITS, MAX_CODEBOOK_BITS, NORMALIZATIONS, Init, Normalization
from .quantize.fixed_point import STEPS, Step
from .quantize.groups import check_grouping
from .quantize.ternary import Threshold as TernaryThreshold
from .quantize.ternary import check_ternary

Positions = Literal["dense", "gaps", "mask", "csr", "auto"]

_MAX_GAP_BITS = 16
_SPARSE_POSITIONS = ("auto", "dense", "gaps", "mask", "csr")

# With more elements than this, positions cost more than they save.
_SPARSE_DENSITY = 0.75


class Codec(Configurable):
    """How a tensor is stored.

    Attributes
    ----------
    positions : {"dense", "gaps", "mask", "csr", "auto"}
        The form in which the positions of stored elements are written;
        ``"auto"`` is the smallest that the encoder finds.
    """

    positions: Positions

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        """Choose the numbers that are stored.

        Raw and lossless codecs keep every bit. The others take finite values
        only, and -0.0 becomes 0.0.

        Parameters
        ----------
        array : array_like or torch.Tensor
        mask : array_like of bool, optional
            The shape of `array`: the elements to store; the default is all.

        Returns
        -------
        Quantized

        Raises
        ------
        TypeError
            If the codec does not take this element type.
        ValueError
            If a value is NaN or infinite and the codec is not raw or lossless,
            or a parameter does not fit the array's shape.
        """
        raise NotImplementedError


def from_config(config: Mapping[str, Any]) -> Codec:
    """Make the codec that a configuration describes.

    Parameters
    ----------
    config : mapping
        As `get_config` gives it; parameters that have a default may be left out.

    Raises
    ------
    TypeError
        If the configuration is no mapping with an id, or lacks a parameter.
    ValueError
        If an id or a key is unknown (the nearest one is named), or a value is
        not allowed.

    Examples
    --------
    >>> from_config({"id": "sparse", "codec": {"id": "codebook", "bits": 4}})
    Sparse(codec=Codebook(bits=4, init='exact', scale=None, per=None, group=None, seed=0), \
prune=None, positions='auto', gap_bits=None)
    """
    made = build(config, CODECS | PRUNINGS)
    if not isinstance(made, Codec):
        raise ValueError(f"{made!r} prunes and stores nothing: put it into a 'sparse'")
    return made


@dataclass(frozen=True)
class Raw(Codec):
    """The elements as they are, with no attempt to make them small.

    Parameters
    ----------
    dtype : str, optional
        What the elements are, where an array holds their bits, such as
        ``"bfloat16"`` for uint16.

    Examples
    --------
    >>> import numpy as np
    >>> Raw("bfloat16").quantize(np.array([0x3F80], np.uint16)).dtype
    'bfloat16'
    """

    codec_id: ClassVar[str] = "raw"
    positions = "dense"
    dtype: str | None = None

    def __post_init__(self) -> None:
        if self.dtype is not None:
            element_type(self.dtype)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return quantize_raw(array, dtype=self.dtype, mask=mask)


@dataclass(frozen=True)
class Lossless(Codec):
    """The elements bit for bit, made small by entropy coding their bytes.

    Where at least a quarter of them are zero, only the others are stored, if that
    comes out smaller. -0.0, NaN and subnormals keep every bit.

    Parameters
    ----------
    dtype : str, optional
        What the elements are, where an array holds their bits, such as
        ``"bfloat16"`` for uint16.

    Examples
    --------
    >>> import numpy as np
    >>> Lossless().quantize(np.array([-0.0, np.nan])).dequantize()
    array([-0., nan])
    """

    codec_id: ClassVar[str] = "lossless"
    positions = "auto"
    dtype: str | None = None

    def __post_init__(self) -> None:
        if self.dtype is not None:
            element_type(self.dtype)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        if mask is None:
            stored = nonzero_bits_mask(array, self.dtype)
            if np.count_nonzero(stored) < _SPARSE_DENSITY * stored.size:
                mask = stored
        return quantize_raw(array, dtype=self.dtype, mask=mask)


@dataclass(frozen=True)
class Affine(Codec):
    """Equally spaced values: ``scale * (code - zero point)``.

    Parameters
    ----------
    bits : int
        1 to 16; at least 2 if symmetric.
    per, group : int, optional
        One scale and zero point an index of this axis, or a block of this many
        elements; the default is one for the tensor.
    symmetric : bool
        The range is plus and minus the largest magnitude; else it goes from the
        least value to the greatest.

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

    def __post_init__(self) -> None:
        check_integer("bits", self.bits, 2 if self.symmetric else 1, MAX_BITS)
        check_grouping(self.per, self.group)

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
        The power of two: of least squared error; the least that clips nothing;
        or by the optimal step of a distribution.
    per, group : int, optional
        One step an index of this axis, or a block of this many elements.

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


@dataclass(frozen=True)
class Codebook(Codec):
    """At most ``2**bits`` shared values, chosen by k-means.

    Parameters
    ----------
    bits : int
        1 to 8.
    init : {"exact", "linear", "density", "forgy", "k-means++"}
        ``"exact"`` is the optimum; the others are starts for Lloyd's steps.
    scale : {"max", "rms"}, optional
        Groups share one codebook of values that are divided by the group's
        largest magnitude or root mean square; the default: no scale, and each
        group has a codebook of its own.
    per, group : int, optional
        A group is an index of this axis, or a block of this many elements; the
        default is the tensor.
    seed : int
        For ``"forgy"`` and ``"k-means++"``.

    Examples
    --------
    >>> import numpy as np
    >>> Codebook(1).quantize(np.array([0.5, -2.0, 1.5, -2.0])).dequantize()
    array([ 1., -2.,  1., -2.])
    """

    codec_id: ClassVar[str] = "codebook"
    positions = "dense"
    bits: int
    init: Init = "exact"
    scale: Normalization | None = None
    per: int | None = None
    group: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_integer("bits", self.bits, 1, MAX_CODEBOOK_BITS)
        check_choice("init", self.init, INITS)
        check_choice("scale", self.scale, (None, *NORMALIZATIONS))
        check_grouping(self.per, self.group)

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        return quantize_codebook(
            array,
            self.bits,
            self.init,
            scale=self.scale,
            per=self.per,
            group=self.group,
            seed=self.seed,
            mask=mask,
        )


@dataclass(frozen=True)
class Ternary(Codec):
    """Three values: -Wn, 0 and +Wp.

    Parameters
    ----------
    threshold : {"exact", "twn"} or float
        What becomes zero: whatever gives the least squared error; up to 0.7 of
        the mean magnitude; or up to this part of the largest magnitude.
    scales : {2, 1}
        Wp and Wn by themselves, or one for both.
    per, group : int, optional
        Scales for each index of this axis, or block of this many elements.

    Examples
    --------
    >>> import numpy as np
    >>> Ternary().quantize(np.array([-1.0, 0.1, 2.0, 4.0])).dequantize()
    array([-1.,  0.,  3.,  3.])
    """

    codec_id: ClassVar[str] = "ternary"
    positions = "dense"
    threshold: TernaryThreshold = "exact"
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
class Sparse(Codec):
    """Another codec for some of the elements, and their positions; the rest is zero.

    Parameters
    ----------
    codec : Raw, Lossless, Affine, FixedPoint, Codebook or Ternary
        What the stored elements become.
    prune : Density, Quality, Threshold or NOfM, optional
        Which elements are stored; the default is all but zeros.
    positions : {"auto", "dense", "gaps", "mask", "csr"}
        ``"dense"`` gives absent elements a code too, and ``"auto"`` does so
        where it is smaller.
    gap_bits : int, optional
        Width of a gap, 1 to 16; the default is the one of the fewest bits.

    Examples
    --------
    >>> import numpy as np
    >>> q = Sparse(Raw()).quantize(np.array([0.0, 7.0, 0.0]))
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

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        if mask is None:
            mask = self.mask(array)
        return self.codec.quantize(array, mask)

    def mask(self, array: Any) -> Any:
        """Which elements are stored, in the array's shape."""
        if self.prune is not None:
            return self.prune.mask(array)
        if isinstance(self.codec, Raw | Lossless):
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
    init : {"linear", "exact", "density", "forgy", "k-means++"}
    positions : {"auto", "dense", "gaps", "mask", "csr"}
        ``"gaps"`` is the paper's; ``"auto"`` stores nearly dense layers dense.
    gap_bits : int, optional
        Width of a gap, 1 to 16; the default is the one of the fewest bits.
    seed : int
        For ``"forgy"`` and ``"k-means++"``.

    Examples
    --------
    >>> import numpy as np
    >>> from qcodec.prunings import Density
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


@dataclass(frozen=True)
class TrainedTernary(Codec):
    """Zhu, Han, Mao and Dally's ternary weights: two scales, a threshold by the largest weight.

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


#: Every codec, by id.
CODECS: dict[str, type[Codec]] = {
    cls.codec_id: cls
    for cls in (
        Raw,
        Lossless,
        Affine,
        FixedPoint,
        Codebook,
        Ternary,
        Sparse,
        DeepCompression,
        TrainedTernary,
    )
}
