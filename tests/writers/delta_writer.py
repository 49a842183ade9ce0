"""Differences from a base, written by section 4 of docs/format.md, in other words than it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

#: Bits of the exponent and of the mantissa.
_LAYOUT = {"f32": (8, 23), "f16": (5, 10), "bf16": (8, 7), "f64": (11, 52)}


@dataclass(frozen=True)
class Delta:
    """What a frame of kind delta was stored against: all elements of the base."""

    base: bytes
    step: int
    filter: tuple[int, int] = (1, 1)

    def elements(self, size: int) -> list[bytes]:
        """All elements of the base."""
        return [self.base[at : at + size] for at in range(0, len(self.base), size)]

    def base_of(self, index: int, size: int) -> bytes:
        """The element of the base with a flat index."""
        return self.base[index * size : (index + 1) * size]


@dataclass(frozen=True)
class DeltaSymbols:
    """The symbols of the three streams of a chunk."""

    codes: list[int]
    low: bytes
    literals: bytes
    escapes: int


def _rank(element: bytes) -> int:
    """Negative numbers, from -1 down, then the others, from 0 up."""
    bits = int.from_bytes(element, "little")
    sign = 1 << 8 * len(element) - 1
    return -1 - (bits - sign) if bits >= sign else bits


def delta_symbols(
    dtype: str, elements: Sequence[bytes], base: bytes, delta: Delta, escaped: Sequence[int] = ()
) -> DeltaSymbols:
    """A chunk's symbols; `escaped` are the numbers of elements that are escapes without need."""
    size, width = len(base) // max(len(elements), 1), delta.filter[0]
    bits = 8 * size
    codes: list[int] = []
    steps: list[int] = []
    low: list[str] = []  # the bits of each element, least significant first
    literals = b""
    for index, element in enumerate(elements):
        source = base[index * size : (index + 1) * size]
        down, up = _scale(dtype, source, delta.step)
        moved = _rank(element) - _rank(source)
        moved = (moved + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
        quotient = floor(Fraction(moved, 1 << down))
        difference = quotient - floor(Fraction(_expected(steps, index, delta.filter), 1 << up))
        if abs(difference) > 127 or index in escaped:
            codes.append(255)
            steps.append(0)
            literals += element
            continue
        codes.append(2 * difference if difference >= 0 else -2 * difference - 1)
        steps.append(max(-32768, min(32767, quotient * 2**up)))
        low.append(f"{moved - quotient * 2**down:0{down}b}"[::-1] if down else "")
    assert width >= 1
    string = "".join(low)
    packed = int(string[::-1] or "0", 2).to_bytes(-(-len(string) // 8), "little")
    return DeltaSymbols(codes, packed, literals, codes.count(255))


def _scale(dtype: str, source: bytes, step: int) -> tuple[int, int]:
    exponent_bits, mantissa_bits = _LAYOUT[dtype]
    exponent = int.from_bytes(source, "little") // 2**mantissa_bits % 2**exponent_bits
    distance = step - max(exponent, 1)
    return min(max(distance, 0), 8 * len(source) - 8), min(max(-distance, 0), 8)


def _expected(steps: list[int], index: int, sides: tuple[int, int]) -> int:
    width, height = sides
    x, y = index % width, index // width % height
    if x == 0 and y == 0:
        return 0
    if y == 0:
        return floor(Fraction(3, 4) * steps[-1])
    if x == 0:
        return floor(Fraction(3, 4) * steps[-width])
    neighbours = Fraction(5, 8) * (steps[-1] + steps[-width]) - Fraction(1, 4) * steps[-width - 1]
    return floor(neighbours)
