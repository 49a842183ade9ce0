"""Section 7: streams of integers.

A coding is a function of a body, the number of its symbols and their width.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .contexts import Contexts
from .conventions import Reader, Unsupported, require
from .huffman import huffman, read_lengths
from .lanes import check_first_byte, lanes_huffman, lanes_tans
from .split import Split


def constant(body: bytes, count: int, width: int) -> list[int]:
    """7.1: all symbols are equal.

    >>> constant(bytes([7]), 3, 4)
    [7, 7, 7]
    """
    reader = Reader(body, length_is_known=True)
    symbol = reader.vu("constant symbol")
    require(symbol < 1 << width, "constant symbol is wider than its stream")
    require(reader.left == 0, "constant stream is longer than its symbol")
    return [symbol] * count


def bitpacked(body: bytes, count: int, width: int) -> list[int]:
    """7.2: fixed width, least significant bit first.

    >>> bitpacked(bytes([0b10_01_00_11]), 4, 2)
    [3, 0, 1, 2]
    """
    require(len(body) == -(-count * width // 8), "bitpacked stream is not as long as its symbols")
    bits = int.from_bytes(body, "little")
    require(bits >> count * width == 0, "bits after the last symbol are not 0")
    # Each symbol is taken from its own few bytes: shifting the whole body would be quadratic.
    return [_bits_at(body, index * width, width) for index in range(count)]


def _bits_at(body: bytes, first: int, width: int) -> int:
    window = int.from_bytes(body[first // 8 : first // 8 + 3], "little")
    return window >> first % 8 & (1 << width) - 1


def contexts(body: bytes, count: int, width: int) -> list[int]:
    """7.4: an adaptive range coder.

    >>> contexts(bytes([0]), 3, 2)  # model tree; range-coded bytes are all 0, and so dropped
    [0, 0, 0]
    >>> contexts(bytes([2, 4, 0, 16, 8]), 4, 3)  # model classes
    [0, 0, 0, 0]
    """
    return Contexts(body, count, width, Reader(b"", True), _open_stream).symbols()


def split(body: bytes, count: int, width: int) -> list[int]:
    """7.6: sub-streams, each with its own coding.

    >>> split(bytes([2, 0x10, 1, 1, 0b10, 2, 0, 1, 5, 2, 0, 1, 6]), 4, 3)
    [5, 6, 5, 6]
    """
    return Split(body, count, width, Reader(b"", True), _open_stream).symbols()


Coding = Callable[[bytes, int, int], list[int]]
#: The codings by id, with their max width.
CODINGS: dict[int, tuple[Coding, int]] = {
    0: (constant, 16),
    1: (bitpacked, 16),
    2: (huffman, 8),
    3: (contexts, 16),
    4: (lanes_huffman, 8),
    5: (lanes_tans, 8),
    6: (split, 8),
}
#: What opens the bodies of codings that may be routed.
_ROUTED: dict[Coding, type[Split | Contexts]] = {split: Split, contexts: Contexts}


class Stream:
    """A stream of section 6, opened by the constructor."""

    def __init__(self, reader: Reader, count: int, width: int, features: int) -> None:
        coding = reader.u8("coding")
        if coding not in CODINGS:
            raise Unsupported(f"coding {coding} is reserved")
        require(features >> coding & 1, f"coding {coding} is not among the features")
        self.coding, max_value = CODINGS[coding]
        require(1 <= width <= max_value, f"coding {coding} with symbols of {width} bits")
        self.count = count
        self.width = width
        self.body = reader.take(reader.vu("body length of a stream"), "body of a stream")
        if self.coding is huffman:
            read_lengths(Reader(self.body, length_is_known=True), width)
        if self.coding in (lanes_huffman, lanes_tans):
            check_first_byte(self.body, self.coding is lanes_tans)
        if self.coding in _ROUTED:
            open_stream = partial(type(self), features=features)
            _ROUTED[self.coding](self.body, count, width, reader, open_stream)

    def symbols(self) -> list[int]:
        """Decode the contents."""
        return self.coding(self.body, self.count, self.width)


_open_stream = partial(Stream, features=-1)
