"""The base of a delta: the tensor from which the differences are taken (format, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._core import core
from .._core.interrupt import check
from ..dtypes import BY_NAME, ElementType
from .arrays import as_float32, bytes_of, little_endian_bytes

Array = np.ndarray[Any, Any]

#: The median change is at least 2**STEPS_OF_MEDIAN steps.
STEPS_OF_MEDIAN = 3

# For each float type: bias of the exponent, bits of the mantissa.
_FLOATS = {"float32": (127, 23), "float16": (15, 10), "bfloat16": (127, 7), "float64": (1023, 52)}
_MAX_STEP = 4095
_MAX_SIDE = 255
_SAMPLE = 1 << 20
_AT_ONCE = 1 << 24  # bytes per call, between which Ctrl-C is noticed


@dataclass(frozen=True, eq=False)
class Base:
    """The elements that are subtracted, and the digest that identifies them.

    Attributes
    ----------
    elements : numpy.ndarray
        One dimension, C order, contiguous, in the carrier dtype.
    """

    elements: Array

    @classmethod
    def of(cls, array: Array) -> Base:
        """Make a base of an array with any strides."""
        return cls(np.ascontiguousarray(array).reshape(-1))

    @property
    def data(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The bytes of the elements in the machine's order, for the core."""
        return bytes_of(self.elements)

    @cached_property
    def digest(self) -> bytes:
        """The CRCs of the two halves of the elements' bytes, little-endian (format, section 4).

        Examples
        --------
        >>> Base.of(np.zeros(3, np.float32)).digest.hex()
        '8a7c2a578a7c2a57'
        """
        data = little_endian_bytes(self.elements)
        half = len(data) // 2
        return _crc(data[:half]) + _crc(data[half:])


def _crc(data: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    crc = 0
    for start in range(0, len(data), _AT_ONCE):
        check()
        crc = core.crc32c(data[start : start + _AT_ONCE], crc)
    return crc.to_bytes(4, "little")


def step_of(elements: Array, base: Array, element: ElementType) -> int:
    """Choose a step for the differences: a power of two, as an exponent (format, section 4).

    Parameters
    ----------
    elements, base : numpy.ndarray
        One dimension, of the same length, in the carrier dtype of `element`.
    element : ElementType
        float32, float16, bfloat16 or float64.

    Examples
    --------
    >>> base = np.ones(4, np.float32)
    >>> step_of(base + np.float32(2**-10), base, BY_NAME["float32"]) - (127 + 23)
    -13
    """
    stride = max(len(elements) // _SAMPLE, 1)
    with np.errstate(invalid="ignore", over="ignore"):
        moved = np.abs(
            _as_float64(elements[::stride], element) - _as_float64(base[::stride], element)
        )
    moved = moved[np.isfinite(moved) & (moved > 0)]
    if len(moved) == 0:
        return 0
    exponents = np.frexp(moved)[1]
    median = int(np.partition(exponents, len(exponents) // 2)[len(exponents) // 2])
    bias, mantissa = _FLOATS[element.name]
    step = median - 1 - STEPS_OF_MEDIAN + bias + mantissa
    return min(max(step, 0), _MAX_STEP)


def _as_float64(values: Array, element: ElementType) -> Array:
    if element.name == "float64":
        return values
    return as_float32(np.ascontiguousarray(values), element).astype(np.float64)


def filter_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Width and height of a convolution's filters: changes of neighbours there are alike.

    Examples
    --------
    >>> filter_of((64, 32, 3, 5)), filter_of((64, 32, 7)), filter_of((64, 32))
    ((5, 3), (7, 1), (1, 1))
    """
    width = shape[-1] if len(shape) >= 3 else 1
    height = shape[-2] if len(shape) >= 4 else 1
    fits = 1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE
    return (width, height) if fits and 0 not in shape else (1, 1)


def is_delta_type(dtype: str) -> bool:
    """Whether tensors of this element type can be stored as differences."""
    return dtype in _FLOATS and dtype in BY_NAME
