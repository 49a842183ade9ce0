"""Section 4, delta: elements are stored as differences from those of a base."""

from __future__ import annotations

from collections.abc import Callable

from .codings import Stream
from .conventions import Reader, require
from .head import Head
from .parameters import Parameters

#: Bits of the exponent, bits of the mantissa.
_LAYOUT = {"f32": (8, 23), "f16": (5, 10), "bf16": (8, 7), "f64": (11, 52)}
_ESCAPE = 255


def delta_elements(
    reader: Reader, head: Head, parameters: Parameters, stored: int
) -> Callable[[list[bytes]], list[bytes]]:
    """The streams of a chunk; returns what decodes its stored elements, given those of the base."""
    size, count = head.dtype.size, stored
    low_bytes = reader.vu("bytes of low bits")
    require(low_bytes <= count * (size - 1), "more low bits than elements can have")
    escapes = reader.vu("escapes")
    require(escapes <= count, "more escapes than elements")
    streams = [
        Stream(reader, symbols, 8, head.features) for symbols in (count, low_bytes, escapes * size)
    ]
    require(reader.left == 0, "the streams do not fill their chunk")

    def decode(base: list[bytes]) -> list[bytes]:
        symbols, low, literals = (stream.symbols() for stream in streams)
        source = Differences(head.dtype.name, parameters, bytes(low), bytes(literals))
        pairs = zip(symbols, base, strict=True)
        elements = [source.element(index, *pair) for index, pair in enumerate(pairs)]
        source.finish()
        return elements

    return decode


def ordered(element: int, bits: int) -> int:
    """The bits of a float as a number that has the order of the floats (`ord`); its own inverse.

    >>> [ordered(bits, 16) for bits in (0x0000, 0x3C00, 0x8000, 0xBC00)]
    [0, 15360, 65535, 50175]
    """
    return element ^ ((1 << bits - 1) - 1) if element >> bits - 1 else element


class Differences:
    """The state of decoding a chunk, element by element."""

    def __init__(self, dtype: str, parameters: Parameters, low: bytes, literals: bytes) -> None:
        self.exponent_bits, self.mantissa_bits = _LAYOUT[dtype]
        self.bits = 1 + self.exponent_bits + self.mantissa_bits
        self.step = parameters.step
        self.width, self.height = parameters.filter
        self.low = Reader(low, length_is_known=True)
        self.low_bits = 0  # read so far
        self.literals = Reader(literals, length_is_known=True)
        self.steps: list[int] = []  # S of the elements so far

    def element(self, index: int, symbol: int, base: bytes) -> bytes:
        """The next element."""
        size = self.bits // 8
        if symbol == _ESCAPE:
            self.steps.append(0)
            return self.literals.take(size, "escape")
        source = int.from_bytes(base, "little")
        exponent = max(source >> self.mantissa_bits & (1 << self.exponent_bits) - 1, 1)
        down = min(max(self.step - exponent, 0), self.bits - 8)
        up = min(max(exponent - self.step, 0), 8)
        difference = -(symbol + 1) // 2 if symbol & 1 else symbol // 2
        quotient = difference + (self.predicted(index) >> up)
        self.steps.append(min(max(quotient << up, -(1 << 15)), (1 << 15) - 1))
        moved = (quotient << down) + self.take_low(down)
        result = ordered((ordered(source, self.bits) + moved) % (1 << self.bits), self.bits)
        return result.to_bytes(size, "little")

    def predicted(self, index: int) -> int:
        """P: the steps of an element, predicted from its neighbours in the filter."""
        x, y = index % self.width, index // self.width % self.height
        left = self.steps[index - 1] if x else 0
        above = self.steps[index - self.width] if y else 0
        if x and y:
            return 5 * (left + above) - 2 * self.steps[index - self.width - 1] >> 3
        return 3 * (left + above) >> 2

    def take_low(self, count: int) -> int:
        """The next low bits."""
        end = self.low_bits + count
        require(end <= 8 * len(self.low.data), "more low bits than are stored")
        window = int.from_bytes(self.low.data[self.low_bits // 8 : -(-end // 8)], "little")
        window >>= self.low_bits % 8
        self.low_bits = end
        return window & (1 << count) - 1

    def finish(self) -> None:
        """Check that all low bits and escapes were used."""
        require(-(-self.low_bits // 8) == len(self.low.data), "low bits are left over")
        if self.low_bits % 8:
            require(self.low.data[-1] >> self.low_bits % 8 == 0, "bits after the last low bits")
        require(self.literals.left == 0, "escapes are left over")
