"""`Quantized`: what quantizers make and frames store."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ._base.arrays import cast
from ._base.delta_base import Base
from ._core.float_mode import standard_float_mode
from .dtypes import BY_NAME, QUANTIZABLE, ElementType, element_type

Kind = Literal["bytes", "affine", "codebook"]

_MAX_DIMS = 8
_MAX_BITS = 16
_MAX_ENTRIES = 256
_AT_ONCE = 1 << 20
_CODEBOOK_DTYPES = ("float32", "float16", "bfloat16")
_SCALED_DTYPES = ("float16", "bfloat16")
_SCALE_DTYPES = (*_CODEBOOK_DTYPES, "float8_e4m3fn", "float8_e8m0fnu")


@dataclass(frozen=True, eq=False)
class Groups:
    """Parameters per group of elements (format, section 4).

    The group of element i (C order) is ``(i // inner) % len(values)``. So there can be one
    group for the tensor, one per index of an axis, or one per block. Or else each group has a
    length of its own, and they follow each other.

    Attributes
    ----------
    values : numpy.ndarray
        One row per group: shape (groups,) for scales and zero points,
        (groups, entries) for codebooks.
    inner : int
        Number of consecutive elements that share a group.
    lengths : numpy.ndarray of int64, optional
        The number of elements of each group, instead of `inner`; they are all elements.
    second : float, optional
        Scales only: a float32 by which each of the values is multiplied, rounded to float32, as
        NVFP4 does.
    """

    values: np.ndarray[Any, Any]
    inner: int = 1
    second: float | None = None
    lengths: np.ndarray[Any, Any] | None = None

    def __post_init__(self) -> None:
        if len(self.values) < 1 or self.inner < 1:
            raise ValueError(
                f"{len(self.values)} groups of inner={self.inner} elements; at least 1 of each"
            )
        if self.lengths is not None and (
            len(self.lengths) != len(self.values) or len(self.values) < 2 or min(self.lengths) < 1
        ):
            raise ValueError(
                f"{len(self.lengths)} lengths of {len(self.values)} groups; allowed is one of at "
                "least 1 for each of two groups or more"
            )

    def of(self, index: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the group number of each flat element index."""
        if self.lengths is not None:
            found: np.ndarray[Any, Any] = np.searchsorted(np.cumsum(self.lengths), index, "right")
            return found
        return (index // self.inner) % len(self.values)


@dataclass(frozen=True, eq=False)
class Quantized:
    """A tensor as integer codes and a few parameters, before it is encoded as bytes.

    Attributes
    ----------
    shape : tuple of int
    dtype : str
        Name of the tensor's element type, such as ``"float32"``.
    kind : {"bytes", "affine", "codebook"}
        What a code means: the element itself, times the scale if there is one;
        ``scale * (code - zero point)``; ``codebook[code]``, times the scale if there is one.
    codes : numpy.ndarray
        One per stored element, one dimension, C order. uint8 for widths up to 8,
        else uint16; for ``"bytes"`` the elements themselves, in the carrier dtype of
        `codes_dtype`.
    positions : numpy.ndarray of int64, optional
        Flat indices of the stored elements, strictly ascending; None: all elements
        are stored.
    bits : int
        Width of a code, 1 to 16 (``"bytes"``: 0).
    codebook : Groups, optional
        (books, entries), float32, float16 or bfloat16.
    scale : Groups, optional
        Multiplies every value; float32, float16, bfloat16 or a float8 carrier. With kind
        ``"bytes"``, needs `codes_dtype`.
    scale_dtype, codebook_dtype : str
        Their element types.
    zero_point : int or numpy.ndarray of uint16
        Affine only; an array has one per group of the scale.
    base : Base, optional
        ``"bytes"`` only: a base with as many elements of the same type, which may be
        subtracted if that is smaller.
    codes_dtype : {"", "float16", "bfloat16"}
        ``"bytes"`` with a scale only: the element type of `codes`; otherwise it is `dtype`, and
        this is empty.

    Raises
    ------
    TypeError
        If an array has another dtype than its element type's carrier.
    ValueError
        If the attributes do not fit together; the message names the attribute.

    Examples
    --------
    >>> codebook = Groups(np.array([[-1.0, 0.0, 0.5]], np.float32))
    >>> codes = np.array([0, 2, 2], np.uint8)
    >>> q = Quantized((2, 2), "float32", "codebook", codes, np.array([0, 1, 3]), 2, codebook)
    >>> q.dequantize()
    array([[-1. ,  0.5],
           [ 0. ,  0.5]], dtype=float32)
    >>> q.stored, q.density
    (3, 0.75)
    """

    shape: tuple[int, ...]
    dtype: str
    kind: Kind
    codes: np.ndarray[Any, Any]
    positions: np.ndarray[Any, Any] | None = None
    bits: int = 0
    codebook: Groups | None = None
    scale: Groups | None = None
    codebook_dtype: str = "float32"
    scale_dtype: str = "float32"
    zero_point: int | np.ndarray[Any, Any] = field(default=0)
    base: Base | None = None
    codes_dtype: str = ""

    def __post_init__(self) -> None:
        _check_shape(self)
        _check_positions(self)
        _CHECKS[self.kind](self)

    @property
    def size(self) -> int:
        """Number of elements of the tensor."""
        return math.prod(self.shape)

    @property
    def stored_type(self) -> ElementType:
        """The element type of what ``"bytes"`` stores."""
        return element_type(self.codes_dtype or self.dtype)

    @property
    def stored(self) -> int:
        """Stored elements."""
        return len(self.codes)

    @property
    def density(self) -> float:
        """The share of elements that are stored; 1 for an empty tensor."""
        return self.stored / self.size if self.size else 1.0

    @property
    def mask(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """True for the elements that are stored, in the tensor's shape."""
        if self.positions is None:
            return np.ones(self.shape, np.bool_)
        mask = np.zeros(self.size, np.bool_)
        mask[self.positions] = True
        return mask.reshape(self.shape)

    def dequantize(self, dtype: str | None = None) -> np.ndarray[Any, Any]:
        """Return the tensor that decoding gives, bit for bit (format, section 4).

        Parameters
        ----------
        dtype : str, optional
            float32, float16, bfloat16 or float64 if the element type is a float type;
            the default is the element type.

        Returns
        -------
        numpy.ndarray
            Of `shape`, in the carrier dtype.

        Raises
        ------
        ValueError
            If the element type cannot be converted to `dtype`.
        """
        values = self.stored_values(dtype)
        if self.positions is None:
            return values.reshape(self.shape)
        dense = np.zeros(self.size, values.dtype)
        dense[self.positions] = values
        return dense.reshape(self.shape)

    @standard_float_mode()
    def stored_values(self, dtype: str | None = None) -> np.ndarray[Any, Any]:
        """Return the values of the stored elements, one dimension, as in `dequantize`."""
        source = element_type(self.dtype)
        target = source if dtype is None else element_type(dtype)
        if self.kind == "bytes" and self.scale is None:
            return cast(self.codes, source, target)
        return cast(cast(self._values(), _FLOAT32, source), source, target)

    def _values(self) -> np.ndarray[Any, Any]:
        """Return the stored elements before rounding, with at most one multiplication each."""
        if self.kind == "affine":
            steps: np.ndarray[Any, Any] = self.codes.astype(np.int32) - self._zero_points()
            values = steps.astype(np.float32)
        elif self.kind == "bytes":
            values = cast(self.codes, self.stored_type, _FLOAT32)
        else:
            assert self.codebook is not None
            books = cast(self.codebook.values, element_type(self.codebook_dtype), _FLOAT32)
            values = books[self._group(self.codebook), self.codes]
        return self._scaled(values)

    def _scaled(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if self.scale is None:
            return values
        scales = self.float_scales()
        # Every decoder overflows and underflows in the same way.
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            values *= scales[self._group(self.scale)]
        return values

    def float_scales(self) -> np.ndarray[Any, Any]:
        """Return the scale of each group as float32, times the second scale if there is one."""
        assert self.scale is not None
        scales = cast(self.scale.values, element_type(self.scale_dtype), _FLOAT32)
        if self.scale.second is None:
            return scales
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            product: np.ndarray[Any, Any] = np.float32(self.scale.second) * scales
        return product

    def _zero_points(self) -> Any:
        if isinstance(self.zero_point, int):
            return np.int32(self.zero_point)
        assert self.scale is not None
        return self.zero_point.astype(np.int32)[self._group(self.scale)]

    def _group(self, groups: Groups) -> Any:
        """Return each stored element's group; 0 if there is only one group."""
        if len(groups.values) == 1:
            return 0
        stored = np.arange(self.size) if self.positions is None else self.positions
        return groups.of(stored)


_FLOAT32 = BY_NAME["float32"]


def _check(ok: bool, what: str, found: object, allowed: object) -> None:
    if not ok:
        raise ValueError(f"{what}: found {found}, allowed {allowed}")


def _check_dtype(array: np.ndarray[Any, Any], wanted: ElementType | str, what: str) -> None:
    dtype = wanted.carrier if isinstance(wanted, ElementType) else np.dtype(wanted)
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{what}: found a masked array, allowed are those without a mask")
    if array.dtype != dtype:
        raise TypeError(f"{what}: found dtype {array.dtype}, allowed {dtype}")


def _check_shape(q: Quantized) -> None:
    # Of the checks of every small tensor, the texts would take most of the time.
    shape, codes, size = q.shape, q.codes, q.size
    if len(shape) > _MAX_DIMS:
        _check(False, "shape", f"{len(shape)} dimensions", f"at most {_MAX_DIMS}")
    _check(min(shape, default=0) >= 0, "shape", shape, "no negative dimensions")
    _check(size < 1 << 63, "shape", shape, "fewer than 2**63 elements")
    _check(q.kind in _CHECKS, "kind", q.kind, "bytes, affine, codebook")
    if codes.ndim != 1:
        _check(False, "codes", f"{codes.ndim} dimensions", "1")
    stored = size if q.positions is None else len(q.positions)
    _check(len(codes) == stored, "codes", len(codes), stored)


def _check_positions(q: Quantized) -> None:
    if q.positions is None:
        return
    _check_dtype(q.positions, "int64", "positions")
    for start in range(0, len(q.positions), _AT_ONCE):  # the comparisons take memory
        some = q.positions[start : start + _AT_ONCE + 1]
        _check(bool((some[1:] > some[:-1]).all()), "positions", "an order", "strictly ascending")
    if len(q.positions):
        _check(q.positions[0] >= 0, "positions", q.positions[0], "at least 0")
        _check(q.positions[-1] < q.size, "positions", q.positions[-1], f"below {q.size}")


def _check_bytes(q: Quantized) -> None:
    _check(q.bits == 0, "bits of kind bytes", q.bits, 0)
    _check(q.codebook is None, "codebook of kind bytes", "one", "none")
    if q.scale is not None:
        _check(q.base is None, "base of scaled elements", "one", "none")
        _check(q.dtype in QUANTIZABLE, "dtype", q.dtype, ", ".join(QUANTIZABLE))
        _check(q.codes_dtype in _SCALED_DTYPES, "codes_dtype", q.codes_dtype, _SCALED_DTYPES)
        _check_scale(q, q.scale)
    else:
        _check(q.codes_dtype == "", "codes_dtype without a scale", q.codes_dtype, "none")
    _check_dtype(q.codes, q.stored_type, "codes")
    if q.base is not None:
        _check_dtype(q.base.elements, element_type(q.dtype), "base")
        _check(q.base.elements.shape == (q.size,), "base", q.base.elements.shape, f"({q.size},)")


def _check_values(q: Quantized, max_bits: int) -> None:
    _check(q.base is None, f"base of kind {q.kind}", "one", "none")
    _check(q.dtype in QUANTIZABLE, "dtype", q.dtype, ", ".join(QUANTIZABLE))
    _check(1 <= q.bits <= max_bits, "bits", q.bits, f"1 to {max_bits}")
    _check(q.codes_dtype == "", f"codes_dtype of kind {q.kind}", q.codes_dtype, "none")
    _check_dtype(q.codes, "u1" if q.bits <= 8 else "u2", "codes")
    if q.scale is not None:
        _check_scale(q, q.scale)


def _check_scale(q: Quantized, scale: Groups) -> None:
    _check(q.scale_dtype in _SCALE_DTYPES, "scale_dtype", q.scale_dtype, _SCALE_DTYPES)
    _check_dtype(scale.values, element_type(q.scale_dtype), "scale")
    _check(scale.values.ndim == 1, "scale", scale.values.shape, "one dimension")


def _check_affine(q: Quantized) -> None:
    _check_values(q, _MAX_BITS)
    _check(q.codebook is None, "codebook of kind affine", "one", "none")
    _check_codes_below(q, 1 << q.bits)
    if isinstance(q.zero_point, int):
        _check(0 <= q.zero_point < 1 << 16, "zero_point", q.zero_point, "0 to 65535")
        return
    _check_dtype(q.zero_point, "u2", "zero_point")
    scales = 0 if q.scale is None else len(q.scale.values)
    _check(q.zero_point.shape == (scales,), "zero_point", q.zero_point.shape, f"({scales},)")


def _check_codebook(q: Quantized) -> None:
    _check_values(q, 8)
    if q.codebook is None:
        raise ValueError("kind codebook needs a codebook")
    _check(q.codebook_dtype in _CODEBOOK_DTYPES, "codebook_dtype", q.codebook_dtype,
           _CODEBOOK_DTYPES)  # fmt: skip
    _check_dtype(q.codebook.values, element_type(q.codebook_dtype), "codebook")
    _check(q.codebook.second is None, "codebook", f"second={q.codebook.second}", "none")
    _check(q.codebook.values.ndim == 2, "codebook", q.codebook.values.shape, "(books, entries)")
    entries = q.codebook.values.shape[1]
    _check(1 <= entries <= _MAX_ENTRIES, "codebook entries", entries, f"1 to {_MAX_ENTRIES}")
    bits = max(1, (entries - 1).bit_length())
    _check(q.bits == bits, f"bits of {entries} entries", q.bits, bits)
    _check_codes_below(q, entries)


def _check_codes_below(q: Quantized, limit: int) -> None:
    if len(q.codes):
        maximum = int(q.codes.max())
        _check(maximum < limit, "codes", maximum, f"below {limit}")


_CHECKS = {"bytes": _check_bytes, "affine": _check_affine, "codebook": _check_codebook}
