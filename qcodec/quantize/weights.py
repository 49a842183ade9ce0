"""The input of quantizers: finite float32 values, and the positions to store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._base.arrays import as_array, as_float32
from .._core import core
from ..dtypes import QUANTIZABLE, element_type
from .groups import Grouping, GroupsError, grouping

Array = np.ndarray[Any, Any]

#: The largest float32 that is finite in each type.
MAX_VALUES = {
    "float32": float(np.finfo(np.float32).max),
    "float64": float(np.finfo(np.float32).max),
    "float16": 65504.0,
    "bfloat16": float.fromhex("0x1.fep127"),
}


# Smaller tensors may have any groups.
_MIN_CHECKED = 4096


@dataclass(frozen=True, eq=False)
class Weights:
    """A tensor that is to be quantized.

    Attributes
    ----------
    given : numpy.ndarray of float32
        The values of all elements, one dimension, C order.
    kept : numpy.ndarray of bool, optional
        True for the elements to store; None: all.
    shape : tuple of int
    dtype : str
        The element type of the given tensor.
    """

    given: Array
    kept: Array | None
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """The number of elements."""
        return len(self.given)

    @cached_property
    def values(self) -> Array:
        """All values, with 0 for the elements that are not stored."""
        if self.kept is None or self.all_kept:
            return self.given
        return np.where(self.kept, self.given, np.float32(0))

    @cached_property
    def all_kept(self) -> bool:
        """Whether every element is stored, with positions or without."""
        return self.kept is None or bool(self.kept.all())

    @property
    def any_stored(self) -> bool:
        """Whether there is an element to store."""
        return self.size > 0 if self.kept is None else bool(self.kept.any())

    @property
    def copies(self) -> bool:
        """Whether `stored` is a copy."""
        return not self.all_kept

    @property
    def stored(self) -> Array:
        """The values of the stored elements."""
        return self.given[self.kept] if self.copies else self.given

    @property
    def positions(self) -> Array | None:
        """Flat indices of the stored elements, ascending; None: all. A new array each time."""
        return None if self.kept is None else np.flatnonzero(self.kept)

    @property
    def max_value(self) -> float:
        """The largest float32 that is finite in the tensor's element type."""
        return MAX_VALUES[self.dtype]

    def grouping(
        self, per: int | None, group: int | None, *, parameter_bits: int, code_bits: int
    ) -> Grouping:
        """Return the groups, unless they are so small that they make the tensor larger.

        Parameters
        ----------
        per, group : int, optional
            As for `groups.grouping`.
        parameter_bits, code_bits : int
            What the parameters of a group, and the code of an element, take.

        Raises
        ------
        GroupsError
            If codes and parameters take more bits than the elements. That is a mistake, such as
            ``per=0`` for a vector, which has one element per index: exact storage would be smaller,
            and finding a codebook for each element takes long. Tensors of fewer than 4,096 elements
            may have any groups: what they take is little.

        Examples
        --------
        >>> quantizable(np.ones(10_000, np.float32)).grouping(
        ...     0, None, parameter_bits=32, code_bits=8
        ... )
        Traceback (most recent call last):
            ...
        qcodec.quantize.groups.GroupsError: per=0 makes 10,000 groups of 1 element: with their \
parameters the codes take 50,000 bytes, the elements 40,000; use larger groups, or Lossless()
        """
        found = grouping(self.shape, per, group)
        bits = self.size * code_bits + found.count * parameter_bits
        raw = self.size * 8 * element_type(self.dtype).itemsize
        if bits > raw and found.count > 1 and self.size >= _MIN_CHECKED:
            members = -(-self.size // found.count)
            raise GroupsError(
                f"{f'per={per}' if group is None else f'group={group}'} makes {found.count:,} "
                f"groups of {members:,} element{'' if members == 1 else 's'}: with their "
                f"parameters the codes take {bits // 8:,} bytes, the elements {raw // 8:,}; "
                "use larger groups, or Lossless()"
            )
        return found

    def members(self, grouping: Grouping) -> Array:
        """Return the values by group, shape (groups, members); 0 for elements not stored."""
        return grouping.members(self.values)

    def counts(self, grouping: Grouping) -> Array:
        """Return the number of stored elements in each group."""
        if self.kept is None:
            return grouping.counts(self.size)
        counts: Array = np.count_nonzero(grouping.members(self.kept), axis=1)
        return counts

    def ranges(self, grouping: Grouping) -> tuple[Array, Array]:
        """Return the minimum and the maximum of 0 and the values of each group, in float64.

        A value that is not finite is an error here, as `quantizable` says.
        """
        with self.explaining():
            return core.group_ranges(self.values, grouping.inner, grouping.count)

    def stored_codes(self, codes: Array, zero: int) -> tuple[Array | None, Array]:
        """Return positions and codes of the stored elements, given the codes of all.

        With a mask, elements whose code is that of zero are not stored.
        """
        if self.kept is None:
            return None, codes
        positions = np.flatnonzero(codes != zero)
        return positions, codes[positions]

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Make a ValueError of the body name the values that are not finite, if there are any."""
        try:
            yield
        except ValueError:
            _check_finite(self.given, self.shape)
            raise


def quantizable(array: Any, mask: Any = None, *, check: bool = True) -> Weights:
    """Check a tensor and take its values as float32.

    Parameters
    ----------
    array : array_like
        float32, float16, bfloat16 or float64, of any shape. float64 is rounded
        to float32, because decoded values are products of two float32 numbers.
    mask : array_like of bool, optional
        The elements to store, in the shape of `array`. The others become +0.0.
    check : bool, optional
        False saves a pass: the caller's next step must then find values that are not finite,
        inside `Weights.explaining`. With a mask or float64, values are always checked here.

    Raises
    ------
    TypeError
        For other element types.
    ValueError
        If a value is NaN, infinite or beyond the range of float32 (the message has their
        number and the place of the first), or if the mask has another shape.

    Examples
    --------
    >>> quantizable(np.array([[1.0, 0.0], [3.0, np.nan]], np.float32))
    Traceback (most recent call last):
        ...
    ValueError: 1 of 4 values is NaN or infinite, first at (1, 1): quantizers need finite ones
    """
    given, element = as_array(array)
    if element.name not in QUANTIZABLE:
        raise TypeError(
            f"{element.name} cannot be quantized; allowed are {', '.join(QUANTIZABLE)}: "
            "cast first, or store it with Lossless()"
        )
    values = as_float32(given, element).reshape(-1)
    # A finite float64 beyond the range of float32 must be told from an infinity before rounding.
    exact = given if element.name == "float64" else None
    if check or mask is not None or exact is not None:
        _check_finite(values, given.shape, exact)
    if mask is None:
        return Weights(values, None, given.shape, element.name)
    return Weights(values, as_mask(mask, given.shape).reshape(-1), given.shape, element.name)


def as_mask(mask: Any, shape: tuple[int, ...]) -> Array:
    """Return a mask as a bool array of this shape, or raise an error that says what it is.

    Examples
    --------
    >>> as_mask([True, False], (2,))
    array([ True, False])
    """
    kept, element = as_array(mask)
    if element.name != "bool":
        raise TypeError(f"a mask of dtype {element.name} was given; allowed is bool")
    if kept.shape != shape:
        raise ValueError(f"a mask of shape {kept.shape} was given for an array of shape {shape}")
    return kept


def _check_finite(values: Array, shape: tuple[int, ...], exact: Array | None = None) -> None:
    """Raise ValueError unless all values are finite; `exact` has the values before rounding."""
    if core.all_finite(values):
        return
    bad = np.flatnonzero(~np.isfinite(values))
    what, needed = "NaN or infinite", "quantizers need finite ones"
    finite = np.isfinite(exact.reshape(-1)[bad]) if exact is not None else np.zeros(1, np.bool_)
    if exact is not None and finite[0]:
        what = f"beyond the range of float32, such as {float(exact.reshape(-1)[bad[0]])}"
        needed = "quantizers compute in float32"
        bad = bad[finite]
    where = tuple(int(i) for i in np.unravel_index(bad[0], shape))
    are = "is" if len(bad) == 1 else "are"
    raise ValueError(
        f"{len(bad):,} of {len(values):,} values {are} {what}, first at {where}: {needed}"
    )
