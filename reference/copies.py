"""Section 6, form copies: elements that are copies of elements before them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from .codings import Stream
from .conventions import Reader, Unsupported, require
from .head import AFFINE, CODEBOOK, Head

_DIRECTIONS, _STEPS, _SIGNS = 1, 2, 4
_FLOATS = ("f32", "f16", "bf16", "f64")
_INTEGERS = ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64")
_SYMBOLS = 200


@dataclass
class Copies:
    """The numbers and the opened streams that a chunk has before its values."""

    stored: int
    low_bytes: int
    runs: Stream
    lengths: Stream
    distances: Stream
    directions: Stream | None
    steps: Stream | None
    low: Stream
    signs: Stream | None


def open_copies(reader: Reader, head: Head, elements: int) -> Copies:
    """Read the numbers of a chunk, and open its streams up to the values."""
    stored = reader.vu("stored")
    require(stored <= elements, "more stored elements than elements")
    options = reader.u8("options")
    stores_elements = head.kind not in (AFFINE, CODEBOOK)
    allowed = _DIRECTIONS
    allowed |= _SIGNS if stores_elements and head.dtype.name in _FLOATS else 0
    allowed |= _STEPS if stores_elements and head.dtype.name in _INTEGERS else 0
    require(options & ~allowed == 0, "options of copies", Unsupported)
    count = reader.vu("copies")
    require(count <= elements - stored, "more copies than elements that are not stored")
    low_bytes = reader.vu("low bytes")
    require(low_bytes <= -(-76 * count // 8), "more low bytes than the copies can have")

    def stream(symbols: int, width: int = 8) -> Stream:
        return Stream(reader, symbols, width, head.features)

    return Copies(
        stored,
        low_bytes,
        stream(count),
        stream(count),
        stream(count),
        stream(count, 1) if options & _DIRECTIONS else None,
        stream(count) if options & _STEPS else None,
        stream(low_bytes),
        stream(-(-elements // 8)) if options & _SIGNS else None,
    )


class Numbers:
    """Symbols and low bits as numbers."""

    def __init__(self, low: list[int]) -> None:
        self._bits = int.from_bytes(bytes(low), "little")
        self._left = 8 * len(low)

    def number(self, symbol: int) -> int:
        """The number of a symbol, which takes its low bits."""
        require(symbol < _SYMBOLS, "a symbol that is no number")
        if symbol < 64:
            return symbol
        low = (symbol - 64) // 8 + 3
        number = (8 + symbol % 8 << low) + self._bits % (1 << low)
        self._bits >>= low
        self._left -= low
        require(self._left >= 0, "too few low bits")
        return number

    def finish(self) -> None:
        """All low bits were taken, but for fewer than 8 bits of 0."""
        require(self._left < 8 and self._bits == 0, "low bits are left over")


def expand(copies: Copies, stored: list[bytes], elements: int) -> list[bytes]:
    """All elements of the chunk, of which some are stored, in the output type."""
    runs, lengths, distances = (
        stream.symbols() for stream in (copies.runs, copies.lengths, copies.distances)
    )
    none = [0] * len(runs)
    directions = copies.directions.symbols() if copies.directions else none
    steps = copies.steps.symbols() if copies.steps else none
    numbers = Numbers(copies.low.symbols())
    waiting, out = iter(stored), list[bytes]()
    last_distance = last_axis = 0
    for run, length, distance, mirrored, step in zip(
        runs, lengths, distances, directions, steps, strict=True
    ):
        count = numbers.number(run)
        taken = list(islice(waiting, count))
        require(len(taken) == count, "more stored elements than there are")
        out += taken
        at = len(out)
        count = numbers.number(length) + 1
        require(at + count <= elements, "a copy beyond the end")
        back = numbers.number(distance)
        if back == 0:
            back = 2 * at - last_axis if mirrored else last_distance
        require(1 <= back <= at, "a distance before the start")
        require(not mirrored or count <= at - back + 1, "a mirrored copy before the start")
        if mirrored:
            last_axis = 2 * at - back
        else:
            last_distance = back
        added = numbers.number(step)
        added = -(added + 1) // 2 if added % 2 else added // 2
        for i in range(count):
            source = at - back - i if mirrored else at - back + i
            out.append(_add(out[source], added))
    numbers.finish()
    out += waiting
    require(len(out) == elements, "the copies do not fill the chunk")
    return _flip(out, copies.signs.symbols()) if copies.signs else out


def _add(element: bytes, step: int) -> bytes:
    total = int.from_bytes(element, "little") + step
    return (total % (1 << 8 * len(element))).to_bytes(len(element), "little")


def _flip(elements: list[bytes], signs: list[int]) -> list[bytes]:
    bits = [symbol >> bit & 1 for symbol in signs for bit in range(8)]
    require(not any(bits[len(elements) :]), "signs after the last element")
    return [
        element[:-1] + bytes([element[-1] ^ bit << 7])
        for element, bit in zip(elements, bits, strict=False)
    ]
