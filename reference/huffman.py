"""Section 7.3: coding huffman."""

from __future__ import annotations

from .conventions import Corrupt, Reader, Unsupported, ceil_div, require

LONGEST_CODE = 12
ZERO_RUN, REPEAT, RESERVED = 13, 14, 15
SHORTEST_RUN = 3
SUB_STREAMS, FEWEST_SYMBOLS_OF_SUB_STREAMS = 4, 256

Lookup = list[tuple[int, int]]
"""For the next `LONGEST_CODE` bits: the symbol that they begin with, and the length of its code."""


def huffman(body: bytes, count: int, width: int) -> list[int]:
    """The symbols of a body in coding huffman."""
    reader = Reader(body, length_is_known=True)
    lookup = _lookup(read_lengths(reader, width))
    parts = SUB_STREAMS if count >= FEWEST_SYMBOLS_OF_SUB_STREAMS else 1
    sizes = [reader.vu("length of a sub-stream") for _ in range(parts - 1)]
    symbols = [0] * count
    for part in range(parts):
        size = sizes[part] if part < parts - 1 else reader.left
        data = reader.take(size, "sub-stream")
        symbols[part::parts] = _sub_stream(data, len(range(part, count, parts)), lookup)
    return symbols


def read_lengths(reader: Reader, width: int) -> list[int]:
    """The lengths of the Huffman codes of all symbols in order; 0 for an absent one."""
    symbols = reader.u8("symbols") + 1
    require(symbols <= 1 << width, f"{symbols} symbols of {width} bits")
    nibbles = _Nibbles(reader)
    lengths: list[int] = []
    while len(lengths) < symbols:
        nibble = nibbles.next()
        require(nibble != RESERVED, "a reserved nibble among the code lengths", Unsupported)
        if nibble <= LONGEST_CODE:
            lengths.append(nibble)
            continue
        run = nibbles.next() + SHORTEST_RUN
        require(nibble == ZERO_RUN or len(lengths) > 0, "no symbol before whose length is repeated")
        require(len(lengths) + run <= symbols, "a run of code lengths beyond the symbols")
        lengths += [0 if nibble == ZERO_RUN else lengths[-1]] * run
    nibbles.at_end()
    total = sum(1 << (LONGEST_CODE - length) for length in lengths if length > 0)
    require(total == 1 << LONGEST_CODE, "the code lengths are no complete code")
    return lengths


class _Nibbles:
    """Reads the nibbles of bytes, the low one first."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.high: int | None = None

    def next(self) -> int:
        if self.high is not None:
            nibble, self.high = self.high, None
            return nibble
        byte = self.reader.u8("code lengths")
        self.high = byte >> 4
        return byte & 15

    def at_end(self) -> None:
        require(not self.high, "a padding nibble that is not 0")


def _lookup(lengths: list[int]) -> Lookup:
    """What canonical codes give: as the code is complete, they fill the table in their order."""
    table: Lookup = []
    in_order = sorted((length, symbol) for symbol, length in enumerate(lengths) if length > 0)
    for length, symbol in in_order:
        table += [(symbol, length)] * (1 << (LONGEST_CODE - length))
    return table


def _sub_stream(data: bytes, count: int, lookup: Lookup) -> list[int]:
    """The symbols of a string of codes, read from the most significant bit of each byte."""
    padded = data + bytes(2)
    symbols = []
    at = 0
    for _ in range(count):
        window = int.from_bytes(padded[at // 8 : at // 8 + 3], "big")
        if at > 8 * len(data):
            raise Corrupt("a sub-stream is too short")
        symbol, length = lookup[
            (window >> (24 - LONGEST_CODE - at % 8)) & ((1 << LONGEST_CODE) - 1)
        ]
        symbols.append(symbol)
        at += length
    require(ceil_div(at, 8) == len(data), "a sub-stream is not exactly as long as its codes")
    padding = -at % 8
    require(
        padding == 0 or data[-1] & ((1 << padding) - 1) == 0, "padding of a sub-stream is not 0"
    )
    return symbols
