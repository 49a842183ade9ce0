"""Section 3: the element types, and what the elements of the float types are worth."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ElementType:
    """One element type.

    `bits` counts those that may be 1; `exponent_bits` is 0 if it is no signed float.
    """

    id: int
    name: str
    item_size: int
    bits: int
    signed: bool = False
    exponent_bits: int = 0

    @property
    def is_signed_float(self) -> bool:
        """Whether an element is a sign, an exponent and a mantissa."""
        return self.exponent_bits > 0

    @property
    def mantissa_bits(self) -> int:
        """Of a signed float: the bits below the exponent."""
        return self.bits - 1 - self.exponent_bits


def _integer(number: int, name: str, item_size: int) -> ElementType:
    return ElementType(number, name, item_size, 8 * item_size, signed=name[0] == "i")


TABLE: tuple[ElementType, ...] = (
    ElementType(0, "f32", 4, 32, exponent_bits=8),
    ElementType(1, "f16", 2, 16, exponent_bits=5),
    ElementType(2, "bf16", 2, 16, exponent_bits=8),
    ElementType(3, "f64", 8, 64, exponent_bits=11),
    _integer(4, "u8", 1),
    _integer(5, "i8", 1),
    _integer(6, "u16", 2),
    _integer(7, "i16", 2),
    _integer(8, "u32", 4),
    _integer(9, "i32", 4),
    _integer(10, "u64", 8),
    _integer(11, "i64", 8),
    ElementType(12, "bool", 1, 1),
    ElementType(13, "f8e4m3", 1, 8, exponent_bits=4),
    ElementType(14, "f8e5m2", 1, 8, exponent_bits=5),
    ElementType(15, "e8m0", 1, 8),
    ElementType(16, "f4", 1, 4, exponent_bits=2),
    ElementType(17, "f6e2m3", 1, 6, exponent_bits=2),
    ElementType(18, "f6e3m2", 1, 6, exponent_bits=3),
    ElementType(19, "c64", 8, 64),
    ElementType(20, "f8e4m3fnuz", 1, 8, exponent_bits=4),
    ElementType(21, "f8e5m2fnuz", 1, 8, exponent_bits=5),
)

BY_NAME: dict[str, ElementType] = {element_type.name: element_type for element_type in TABLE}

IEEE_TYPES = ("f32", "f16", "bf16", "f64")
FLOAT_TYPES = (*IEEE_TYPES, "f8e4m3", "f8e5m2", "e8m0")

E8M0_BIAS = 127
E8M0_NAN = 255
F8E4M3_NAN = 0x7F


def split_elements(data: bytes, size: int) -> list[bytes]:
    """The elements of this item size that follow each other in `data`."""
    return [data[i : i + size] for i in range(0, len(data), size)]


def float_of(element: bytes, dtype: str) -> float:
    """The value of an element of a float type (section 4 lists these)."""
    if dtype not in FLOAT_TYPES:
        raise ValueError(f"{dtype} is no float type")
    bits = int.from_bytes(element, "little")
    if dtype == "e8m0":
        return math.nan if bits == E8M0_NAN else math.ldexp(1.0, bits - E8M0_BIAS)
    form = BY_NAME[dtype]
    sign = -1.0 if bits >> (form.bits - 1) else 1.0
    top_exponent = (1 << form.exponent_bits) - 1
    exponent = (bits >> form.mantissa_bits) & top_exponent
    mantissa = bits & ((1 << form.mantissa_bits) - 1)
    if dtype == "f8e4m3":
        if bits & 0x7F == F8E4M3_NAN:
            return math.copysign(math.nan, sign)
    elif exponent == top_exponent:
        return math.copysign(math.nan, sign) if mantissa else sign * math.inf
    if exponent > 0:
        mantissa += 1 << form.mantissa_bits
    return sign * math.ldexp(float(mantissa), max(exponent, 1) - _bias(form) - form.mantissa_bits)


def element_of(value: float, dtype: str) -> bytes:
    """The element of a float type but e8m0 that is nearest to a value; ties go to the even one.

    A decoder only rounds to f32, f16, bf16 and f64.
    """
    form = BY_NAME[dtype]
    if dtype == "e8m0" or dtype not in FLOAT_TYPES:
        raise ValueError(f"nothing is rounded to {dtype}")
    if dtype == "f8e4m3":
        infinity = F8E4M3_NAN
    else:
        infinity = ((1 << form.exponent_bits) - 1) << form.mantissa_bits
    if math.isnan(value):
        bits = infinity | 1 << (form.mantissa_bits - 1)
    elif math.isinf(value):
        bits = infinity
    else:
        bits = min(_magnitude_bits(abs(value), form), infinity)
    if math.copysign(1.0, value) < 0:
        bits |= 1 << (form.bits - 1)
    return bits.to_bytes(form.item_size, "little")


def _bias(form: ElementType) -> int:
    return (1 << (form.exponent_bits - 1)) - 1


def _magnitude_bits(value: float, form: ElementType) -> int:
    """The bits of a finite value that is not negative, if there were exponents without end."""
    if value == 0:
        return 0
    leading = math.frexp(value)[1] - 1
    exponent = max(leading + _bias(form), 1)
    # `round` rounds ties to even, and `ldexp` only moves the point here, so it is exact.
    units = round(math.ldexp(value, form.mantissa_bits + _bias(form) - exponent))
    # A subnormal has no leading 1 to subtract, but the exponent field 0 in place of 1: the sum is
    # the same. And units that were rounded up to the next power of two carry into the exponent.
    return ((exponent - 1) << form.mantissa_bits) + units
