"""Section 7.3: canonical Huffman codes in interleaved sub-streams."""

from __future__ import annotations

from .conventions import Reader, Unsupported, require

_LONGEST = 12


def huffman(body: bytes, count: int, width: int) -> list[int]:
    """The symbols of a stream.

    >>> huffman(bytes([0x01, 0x11, 0b0110_0000]), 4, 1)
    [0, 1, 1, 0]
    """
    reader = Reader(body, length_is_known=True)
    codes = canonical_codes(read_lengths(reader, width))
    streams = 4 if count >= 256 else 1
    sizes = [reader.vu("length of a sub-stream") for _ in range(streams - 1)]
    sub_streams = [reader.take(size, "sub-stream") for size in sizes]
    sub_streams.append(body[reader.at :])
    symbols = [0] * count
    for first, content in enumerate(sub_streams):
        places = range(first, count, streams)
        symbols[first::streams] = _decode_sub_stream(content, len(places), codes)
    return symbols


def read_lengths(reader: Reader, width: int) -> list[int]:
    """The code length of each symbol (0: absent), checked to be a complete code."""
    symbols = reader.u8("number of symbols") + 1
    require(symbols <= 1 << width, "more symbols than the width allows")
    nibbles = _Nibbles(reader)
    lengths: list[int] = []
    while len(lengths) < symbols:
        nibble = nibbles.next()
        if nibble <= _LONGEST:
            lengths.append(nibble)
            continue
        require(nibble < 15, "nibble 15 in the code lengths", Unsupported)
        require(nibble == 13 or lengths, "the first code length repeats the one before")
        length = 0 if nibble == 13 else lengths[-1]
        lengths += [length] * (nibbles.next() + 3)
        require(len(lengths) <= symbols, "a run of code lengths goes beyond the symbols")
    nibbles.finish()
    whole = 1 << _LONGEST
    filled = sum(whole >> length for length in lengths if length)
    require(filled == whole, "the code is not complete")
    return lengths


class _Nibbles:
    """The nibbles of bytes, the low one first."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.left: int | None = None

    def next(self) -> int:
        if self.left is not None:
            nibble, self.left = self.left, None
            return nibble
        byte = self.reader.u8("code lengths")
        self.left = byte >> 4
        return byte & 15

    def finish(self) -> None:
        require(not self.left, "the nibble after the code lengths is not 0")


def canonical_codes(lengths: list[int]) -> dict[tuple[int, int], int]:
    """The symbol of each (code length, code).

    >>> canonical_codes([2, 1, 0, 2])
    {(1, 0): 1, (2, 2): 0, (2, 3): 3}
    """
    present = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
    codes = {}
    code, previous = -1, present[0][0]
    for length, symbol in present:
        code = code + 1 << length - previous
        previous = length
        codes[length, code] = symbol
    return codes


def _decode_sub_stream(content: bytes, count: int, codes: dict[tuple[int, int], int]) -> list[int]:
    """The symbols of one sub-stream, checked to fill it exactly."""
    symbols = []
    at, bits = 0, 8 * len(content)
    for _ in range(count):
        length = code = 0
        while (length, code) not in codes:  # the code is complete: found after at most 12 bits
            require(at < bits, "a sub-stream is shorter than its symbols")
            code = code << 1 | content[at // 8] >> 7 - at % 8 & 1
            length += 1
            at += 1
        symbols.append(codes[length, code])
    require(bits - at < 8, "a sub-stream is longer than its symbols")
    require(
        not bits or content[-1] & (1 << bits - at) - 1 == 0, "bits after the last code are not 0"
    )
    return symbols
