"""Section 3: element types, and their exact conversion.

A Python float is an f64, which represents every value of the smaller float types exactly.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class ElementType:
    """One row of the table of section 3."""

    name: str
    size: int
    is_float: bool = False

    @property
    def bits(self) -> int:
        """The bits of an element that may be other than 0."""
        return 1 if self.name == "bool" else 8 * self.size

    def turned_back(self, word: int) -> bytes:
        """The element that kind planes (section 4) stores as this integer."""
        if self.name in _ROTATED:
            word = word >> 1 | (word & 1) << self.bits - 1
        if self.name in _SIGNED:
            word ^= 1 << self.bits - 1
        return word.to_bytes(self.size, "little")


_ROTATED = ("f32", "f16", "bf16", "f64", "f8e4m3", "f8e5m2")
_SIGNED = ("i8", "i16", "i32", "i64")

TABLE = (
    ElementType("f32", 4, True),
    ElementType("f16", 2, True),
    ElementType("bf16", 2, True),
    ElementType("f64", 8, True),
    ElementType("u8", 1),
    ElementType("i8", 1),
    ElementType("u16", 2),
    ElementType("i16", 2),
    ElementType("u32", 4),
    ElementType("i32", 4),
    ElementType("u64", 8),
    ElementType("i64", 8),
    ElementType("bool", 1),
    ElementType("f8e4m3", 1, True),
    ElementType("f8e5m2", 1, True),
    ElementType("e8m0", 1, True),
)
BY_NAME = {row.name: row for row in TABLE}

#: The output types of conversions, with their exponent bits and mantissa bits.
_LAYOUT = {"f32": (8, 23), "f16": (5, 10), "bf16": (8, 7), "f64": (11, 52)}
OUTPUT_TYPES = tuple(_LAYOUT)

_STRUCT = {"f32": "<f", "f16": "<e", "f64": "<d"}
_UPPER_HALF = {"bf16": "f32", "f8e5m2": "f16"}


def float_of(element: bytes, dtype: str) -> float:
    """The exact value of one element of a float type.

    >>> float_of(bytes([0x7E]), "f8e4m3"), float_of(bytes([0x80, 0xBF]), "bf16")
    (448.0, -1.0)
    """
    if dtype in _UPPER_HALF:
        return float_of(bytes(len(element)) + element, _UPPER_HALF[dtype])
    if dtype in _STRUCT:
        return float(struct.unpack(_STRUCT[dtype], element)[0])
    if dtype == "e8m0":
        return math.nan if element[0] == 255 else math.ldexp(1.0, element[0] - 127)
    return _float_of_f8e4m3(element[0])


def _float_of_f8e4m3(bits: int) -> float:
    sign = -1.0 if bits & 0x80 else 1.0
    exponent, mantissa = bits >> 3 & 15, bits & 7
    if (exponent, mantissa) == (15, 7):
        return math.nan
    if exponent == 0:
        return sign * math.ldexp(mantissa, -9)
    return sign * math.ldexp(8 + mantissa, exponent - 10)


def element_of(value: float, dtype: str) -> bytes:
    """The element of an output type that is nearest to a value; ties go to an even mantissa.

    >>> element_of(65520.0, "f16").hex()  # half way above the max: infinity
    '007c'
    >>> element_of(-(2.0**-25), "f16").hex()  # half way to the min subnormal: -0
    '0080'
    """
    exponent_bits, mantissa_bits = _LAYOUT[dtype]
    infinity = (1 << exponent_bits) - 1 << mantissa_bits
    magnitude = abs(value)
    if math.isnan(value):
        bits = infinity | 1 << mantissa_bits - 1
    elif math.isinf(value):
        bits = infinity
    elif magnitude == 0:
        bits = 0
    else:
        minimum = 2 - (1 << exponent_bits - 1)  # exponent of the min normal number
        exponent = max(math.frexp(magnitude)[1] - 1, minimum)
        # In units of the last place. Python's round() rounds to nearest even. The addition carries
        # a mantissa that was rounded up to 2 into the exponent, up to infinity.
        steps = round(math.ldexp(magnitude, mantissa_bits - exponent))
        bits = min((exponent - minimum << mantissa_bits) + steps, infinity)
    if math.copysign(1.0, value) < 0:
        bits |= 1 << exponent_bits + mantissa_bits
    return bits.to_bytes(BY_NAME[dtype].size, "little")


def round_to_f32(value: float) -> float:
    """The f32 that is nearest to a value."""
    return float_of(element_of(value, "f32"), "f32")
