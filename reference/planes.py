"""Section 4, planes: one stream per byte of an element."""

from __future__ import annotations

from .codings import Stream
from .conventions import Reader, Unsupported, require
from .element_types import ElementType

_EXPONENT_BITS = {"f32": 8, "bf16": 8, "f16": 5, "f64": 11}
_MAX_MANTISSA_BITS = 4


def open_planes(
    reader: Reader, element: ElementType, features: int, count: int
) -> PlainPlanes | FloatPlanes:
    """Open the value streams of `count` elements of a type."""
    form = FloatPlanes if element.name in _EXPONENT_BITS else PlainPlanes
    return form(reader, element, features, count)


class PlainPlanes:
    """The value streams of every type but those of FloatPlanes, opened by the constructor."""

    def __init__(self, reader: Reader, element: ElementType, features: int, count: int) -> None:
        self._element = element
        width = min(element.bits, 8)
        self._streams = [Stream(reader, count, width, features) for _ in range(element.size)]

    def elements(self) -> list[bytes]:
        """The elements, joined from the contents of the streams."""
        symbols = [stream.symbols() for stream in self._streams]
        words = (int.from_bytes(column, "big") for column in zip(*symbols, strict=True))
        return [self._element.turned_back(word) for word in words]


class FloatPlanes:
    """The value streams of f32, f16, bf16 or f64, opened by the constructor."""

    def __init__(self, reader: Reader, element: ElementType, features: int, count: int) -> None:
        self._element = element
        self._exponent_bits = _EXPONENT_BITS[element.name]
        fields = reader.u8("fields")
        require(fields < 32, "reserved fields", Unsupported)
        self._mantissa_bits = fields & 7
        require(self._mantissa_bits <= _MAX_MANTISSA_BITS, "too many mantissa bits", Unsupported)
        require(self._mantissa_bits + self._exponent_bits >= 8, "too few mantissa bits")
        self._base = reader.vu("base exponent") if fields & 8 else 0
        require(self._base < 1 << self._exponent_bits, "base is no exponent")
        self._escapes = None
        if fields & 16:
            escapes = reader.vu("escapes")
            require(escapes <= count, "more escapes than elements")
            self._escapes = Stream(reader, escapes, self._exponent_bits, features)
        self._rest_bits = 16 - self._exponent_bits - self._mantissa_bits
        widths = [8, self._rest_bits] + [8] * (element.size - 2)
        self._streams = [Stream(reader, count, width, features) for width in widths]

    def elements(self) -> list[bytes]:
        """The elements, joined from the contents of the streams."""
        escapes = iter(self._escapes.symbols() if self._escapes else ())
        symbols = [stream.symbols() for stream in self._streams]
        elements = []
        for symbol, rest, *lower in zip(*symbols, strict=True):
            upper = (((self._base << self._mantissa_bits) + symbol) << self._rest_bits) | rest
            upper &= 0xFFFF
            if symbol >= 256 - (1 << self._mantissa_bits):
                exponent = next(escapes, None)
                require(exponent is not None, "too few escapes")
                assert exponent is not None
                below = 16 - self._exponent_bits
                upper = exponent << below | upper & ((1 << below) - 1)
            word = upper << self._element.bits - 16 | int.from_bytes(bytes(lower), "big")
            elements.append(self._element.turned_back(word))
        require(next(escapes, None) is None, "escapes that are not used")
        return elements
