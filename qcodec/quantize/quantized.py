"""The narrow waist: what quantizers make and the codec stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Kind = Literal["raw", "affine", "codebook"]


@dataclass(frozen=True, eq=False)
class Groups:
    """Parameters that differ by group of elements (format, section 4).

    The group of element i (C order) is ``(i // inner) % len(values)``: one group
    for a tensor, one an index of an axis, or one a block.

    Attributes
    ----------
    values : numpy.ndarray
        One row a group: shape (groups,) for scales and zero points,
        (groups, entries) for codebooks.
    inner : int
        Consecutive elements that share a group.
    """

    values: np.ndarray[Any, Any]
    inner: int = 1

    def of(self, index: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The group number of each flat element index."""
        return (index // self.inner) % len(self.values)


@dataclass(frozen=True, eq=False)
class Quantized:
    """A tensor as integers and a few parameters, with no bytes in it.

    Attributes
    ----------
    shape : tuple of int
    dtype : str
        Name of the source's element type, such as ``"float32"``.
    kind : {"raw", "affine", "codebook"}
        What a code means: the element itself; ``scale * (code - zero point)``;
        ``codebook[code]``, times the scale if there is one.
    codes : numpy.ndarray
        One a stored element, one dimension, C order. uint8 for widths up to 8,
        else uint16; for ``"raw"`` the elements themselves, in the carrier dtype.
    positions : numpy.ndarray of int64, optional
        Flat indices of the stored elements, strictly ascending; None: all are.
    bits : int
        Width of a code, 1 to 16 (``"raw"``: 0).
    codebook : Groups, optional
        (books, entries), float32, float16 or bfloat16.
    scale : Groups, optional
        Multiplies every value; float32, float16, bfloat16 or a float8 carrier.
    scale_dtype, codebook_dtype : str
        Their element types.
    zero_point : int or numpy.ndarray of uint16
        Affine only; an array has one a group of the scale.
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
