"""Section 6: positions form copies."""

from __future__ import annotations

from dataclasses import dataclass

from .codings import Streams
from .conventions import BitString, Corrupt, Reader, Unsupported, ceil_div, require
from .element_types import IEEE_TYPES
from .head import BYTES, PLANES, Head
from .positions import read_stored

DIRECTIONS, STEPS, SIGNS = 1, 2, 4
DTYPES_WITH_STEPS = ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64")
MOST_LOW_BITS_OF_COPY = 76
FIRST_SYMBOL_WITH_LOW_BITS, SYMBOL_LIMIT = 64, 200


@dataclass
class Copies:
    """The fields and streams of copies.

    Without their option, directions and steps are 0, and signs are empty.
    """

    stored: int
    runs: list[int]
    lengths: list[int]
    distances: list[int]
    directions: list[int]
    steps: list[int]
    low_bits: BitString
    signs: list[int]


def read_copies(reader: Reader, streams: Streams, e: int, head: Head) -> Copies:
    """The fields and streams before the value streams."""
    stored = read_stored(reader, e)
    options = reader.u8("options")
    require(options < 8, f"options {options}", Unsupported)
    of_elements = head.kind in (BYTES, PLANES)
    may_have_steps = of_elements and head.dtype in DTYPES_WITH_STEPS
    may_have_signs = of_elements and head.dtype in IEEE_TYPES
    require(may_have_steps or not options & STEPS, "the option steps", Unsupported)
    require(may_have_signs or not options & SIGNS, "the option signs", Unsupported)
    count = reader.vu("copies")
    require(count <= e - stored, f"{count} copies")
    low_bytes = reader.vu("low bytes")
    require(low_bytes <= ceil_div(MOST_LOW_BITS_OF_COPY * count, 8), f"{low_bytes} low bytes")
    return Copies(
        stored=stored,
        runs=streams.read(count, 8),
        lengths=streams.read(count, 8),
        distances=streams.read(count, 8),
        directions=streams.read(count, 1) if options & DIRECTIONS else [0] * count,
        steps=streams.read(count, 8) if options & STEPS else [0] * count,
        low_bits=BitString(bytes(streams.read(low_bytes, 8)), "low bits of copies"),
        signs=_bits(streams.read(ceil_div(e, 8), 8), e) if options & SIGNS else [],
    )


def _bits(symbols: list[int], e: int) -> list[int]:
    bits = [symbol >> k & 1 for symbol in symbols for k in range(8)]
    require(not any(bits[e:]), "signs of elements beyond the end")
    return bits[:e]


def make_copies(copies: Copies, stored: list[bytes], e: int) -> list[bytes]:
    """All elements of the chunk, from the stored ones."""
    out: list[bytes] = []
    left = iter(stored)
    left_count = len(stored)
    last_distance = last_axis = 0
    for k in range(len(copies.runs)):
        run = _number(copies.runs[k], copies.low_bits)
        require(run <= left_count, "a run is longer than the stored elements that are left")
        left_count -= run
        out += [next(left) for _ in range(run)]
        at = len(out)
        length = _number(copies.lengths[k], copies.low_bits) + 1
        require(at + length <= e, "a copy beyond the end")
        distance = _number(copies.distances[k], copies.low_bits)
        mirrored = copies.directions[k] == 1
        if mirrored:
            distance = distance or 2 * at - last_axis
            last_axis = 2 * at - distance
        else:
            distance = distance or last_distance
            last_distance = distance
        require(1 <= distance <= at, f"a copy of distance {distance}")
        require(not mirrored or length <= at - distance + 1, "a mirrored copy before the beginning")
        step = _signed(_number(copies.steps[k], copies.low_bits))
        for i in range(length):
            source = at - distance - i if mirrored else at - distance + i
            out.append(_add(out[source], step))
    require(left_count == e - len(out), "stored elements are left over, or missing")
    out += left
    copies.low_bits.at_end()
    if copies.signs:
        out = [_invert_sign(x) if bit else x for x, bit in zip(out, copies.signs, strict=True)]
    return out


def _number(symbol: int, low_bits: BitString) -> int:
    """The number of a symbol and low bits."""
    if symbol < FIRST_SYMBOL_WITH_LOW_BITS:
        return symbol
    if symbol >= SYMBOL_LIMIT:
        raise Corrupt(f"symbol {symbol} of a number")
    low = (symbol - FIRST_SYMBOL_WITH_LOW_BITS) // 8 + 3
    return ((8 + symbol % 8) << low) + low_bits.take(low)


def _signed(number: int) -> int:
    return -(number + 1) // 2 if number % 2 == 1 else number // 2


def _add(element: bytes, step: int) -> bytes:
    if step == 0:
        return element
    total = int.from_bytes(element, "little") + step
    return (total % (1 << 8 * len(element))).to_bytes(len(element), "little")


def _invert_sign(element: bytes) -> bytes:
    return element[:-1] + bytes([element[-1] ^ 0x80])
