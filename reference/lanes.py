"""Section 7.5: codings lanes Huffman and lanes tANS."""

from __future__ import annotations

from dataclasses import dataclass

from .conventions import Corrupt, Reader, Unsupported, ceil_div, require
from .lane_classes import WORD_BITS, Classes, HuffmanClasses, Lane, TansClasses

LANES, LANES_OF_A_GROUP = 128, 32
SYMBOLS_OF_A_TURN = 256
MOST_LOW_BITS, MOST_CLASSES = 4, 32
SMALLEST_LOG2_STATES, LARGEST_LOG2_STATES = 5, 8


def lanes_huffman(body: bytes, count: int, width: int) -> list[int]:
    """The symbols of a body in coding lanes Huffman."""
    return _symbols(Reader(body, length_is_known=True), count, width, tans=False)


def lanes_tans(body: bytes, count: int, width: int) -> list[int]:
    """The symbols of a body in coding lanes tANS."""
    return _symbols(Reader(body, length_is_known=True), count, width, tans=True)


@dataclass
class _Body:
    """The fields of a body."""

    classes: Classes
    values: list[int]
    low_bit_count: int
    has_escape: bool
    low_bits: bytes
    words: list[int]
    escapes: bytes


def _read_body(reader: Reader, count: int, width: int, tans: bool) -> _Body:
    first = reader.u8("first byte of lanes")
    r, has_escape, upper = first & 7, bool(first & 8), first >> 4
    log2_states = upper + SMALLEST_LOG2_STATES
    require(r <= MOST_LOW_BITS, f"{r} low bits", Unsupported)
    require(
        log2_states <= LARGEST_LOG2_STATES if tans else upper == 0, "number of states", Unsupported
    )
    require(r < width, f"{r} low bits of a symbol of {width}")
    require(r == 0 or not has_escape, "low bits and an escape")
    number = reader.u8("classes") + 1
    require(number <= MOST_CLASSES, f"{number} classes")
    require(number > has_escape, "no class but the escape")
    classes: Classes
    classes = TansClasses(reader, number, log2_states) if tans else HuffmanClasses(reader, number)
    values = list(reader.take(number - has_escape, "values of the classes"))
    require(max(values) < 1 << (width - r), "the value of a class is too large")
    word_count = reader.vu("words")
    escape_count = reader.vu("escapes") if has_escape else 0
    low_bits = reader.take(8 * r * ceil_div(count, 64), "low bits")
    word_bytes = reader.take(2 * word_count, "words")
    words = [word_bytes[i] | word_bytes[i + 1] << 8 for i in range(0, 2 * word_count, 2)]
    escapes = reader.take(escape_count, "escapes")
    reader.at_end("lanes")
    return _Body(classes, values, r, has_escape, low_bits, words, escapes)


def _symbols(reader: Reader, count: int, width: int, tans: bool) -> list[int]:
    body = _read_body(reader, count, width, tans)
    decoded = _decode_classes(body, count)
    escape_class = len(body.values) if body.has_escape else -1
    for which in decoded[count:]:
        require(which != escape_class, "padding is an escape")
        require(body.values[which] == body.values[0], "padding is not the value of class 0")
    escapes = Reader(body.escapes, length_is_known=True)
    lows = _low_bits(body, count)
    symbols = []
    for i in range(count):
        if decoded[i] == escape_class:
            symbol = escapes.u8("escape")
            require(symbol < 1 << width, f"an escape is no symbol of {width} bits")
        else:
            symbol = body.values[decoded[i]] << body.low_bit_count | lows[i]
        symbols.append(symbol)
    escapes.at_end("escapes")
    return symbols


def _decode_classes(body: _Body, count: int) -> list[int]:
    """The classes of all symbols, and of the padding after them."""
    lanes = [Lane() for _ in range(LANES)]
    words = iter(body.words)
    decode = body.classes.decode
    decoded: list[int] = []
    try:
        if count > 0:
            for lane in lanes:
                lane.append(next(words))
                lane.state = lane.read(body.classes.log2_states)
        for _ in range(ceil_div(count, SYMBOLS_OF_A_TURN)):
            for group in range(0, LANES, LANES_OF_A_GROUP):
                for lane in lanes[group : group + LANES_OF_A_GROUP]:
                    if lane.size < WORD_BITS:
                        lane.append(next(words))
                for lane in lanes[group : group + LANES_OF_A_GROUP]:
                    decoded.append(decode(lane))
                    decoded.append(decode(lane))
    except StopIteration:
        raise Corrupt("too few words") from None
    require(next(words, None) is None, "words are left over")
    require(all(lane.buffer == 0 for lane in lanes), "bits that are left in a buffer are not 0")
    require(all(lane.state == 0 for lane in lanes), "the last state of a lane is not 0")
    return decoded


def _low_bits(body: _Body, count: int) -> list[int]:
    """The low bits of each symbol; those of the padding are 0."""
    r = body.low_bit_count
    if r == 0:
        return [0] * count
    lows: list[int] = []
    for block in range(ceil_div(count, 64)):
        start = 8 * r * block
        rows = [
            int.from_bytes(body.low_bits[start + 8 * j : start + 8 * j + 8], "little")
            for j in range(r)
        ]
        lows += [sum((row >> i & 1) << j for j, row in enumerate(rows)) for i in range(64)]
    require(not any(lows[count:]), "low bits of the padding are not 0")
    return lows[:count]
