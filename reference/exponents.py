"""Section 4, exponents: an exponent and its top mantissa bits are one symbol."""

from __future__ import annotations

from .codings import Stream
from .conventions import Reader, require
from .head import Head

_EXPONENT_BITS = {"f32": 8, "bf16": 8, "f16": 5, "f64": 11}
_MAX_MANTISSA_BITS = 4


class Exponents:
    """The value streams of a chunk, opened by the constructor."""

    def __init__(self, reader: Reader, head: Head, count: int) -> None:
        self._size = head.dtype.size
        self._exponent_bits = _EXPONENT_BITS[head.dtype.name]
        self._mantissa_bits = reader.u8("mantissa bits of a symbol")
        require(self._mantissa_bits <= _MAX_MANTISSA_BITS, "too many mantissa bits")
        require(self._mantissa_bits + self._exponent_bits >= 8, "too few mantissa bits")
        self._base = reader.vu("base exponent")
        require(self._base < 1 << self._exponent_bits, "base is no exponent")
        escapes = reader.vu("escapes")
        require(escapes <= count, "more escapes than elements")
        self._escapes = Stream(reader, escapes, self._exponent_bits, head.features)
        self._rest_bits = 16 - self._exponent_bits - self._mantissa_bits
        widths = [8, self._rest_bits] + [8] * (self._size - 2)
        self._streams = [Stream(reader, count, width, head.features) for width in widths]

    def elements(self) -> list[bytes]:
        """The elements, joined from the contents of the streams."""
        escapes = iter(self._escapes.symbols())
        symbols = [stream.symbols() for stream in self._streams]
        bits = 8 * self._size
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
            word = upper << bits - 16 | int.from_bytes(bytes(lower), "big")
            word = word >> 1 | (word & 1) << bits - 1
            elements.append(word.to_bytes(self._size, "little"))
        require(next(escapes, None) is None, "escapes that are not used")
        return elements
