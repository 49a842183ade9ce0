"""Streams that each break one rule of the format, and the error that each must give.

Streams of codings 4 and 5 are in test_lanes.py, where every path must give the errors.
"""

import pytest

from qcodec import streams
from qcodec.errors import CorruptError, TruncatedError, UnsupportedError

TWO = [1, 0x11]  # two symbols of one bit
THREE = [2, 0x21, 0x02]  # three symbols, of 1, 2 and 2 bits

PACKED = [1, 1, 0x1B]  # a stream of four symbols of two bits
EMPTY = [0, 0, 1, 0]  # a sub-stream without symbols: its count, then constant
LONGEST_SIDE = [0x81, 0x80, 0x80, 2]  # 2^22 + 1
WIDEST_FILTER = [0x81, 0x80, 4]  # 2^16 + 1


def stream(coding, body):
    return bytes([coding, len(body), *body])


# What is wrong: the stream, its symbols, their width, the error, a part of its message.
BROKEN = {
    "no coding": (b"", 1, 1, TruncatedError, "stream: coding"),
    "reserved coding": (bytes([60, 0]), 0, 1, UnsupportedError, "stream: coding"),
    "no body length": (bytes([1]), 0, 1, TruncatedError, "body length"),
    "long body length": (bytes([1, 0x80, 0]), 0, 1, CorruptError, "shortest form"),
    "body cut off": (bytes([1, 2, 0]), 16, 1, TruncatedError, "stream: body"),
    "bytes after the body": (bytes([1, 1, 0, 0]), 8, 1, CorruptError, "after the body"),
    "constant: no symbol": (stream(0, []), 3, 4, CorruptError, "constant: symbol"),
    "constant: wide symbol": (stream(0, [16]), 3, 4, CorruptError, "constant: symbol"),
    "constant: bytes after": (stream(0, [5, 0]), 3, 4, CorruptError, "after the symbol"),
    "bitpacked: short": (stream(1, [1]), 5, 2, CorruptError, "bitpacked: body length"),
    "bitpacked: long": (stream(1, [1, 0, 0]), 5, 2, CorruptError, "bitpacked: body length"),
    "bitpacked: bits after": (stream(1, [0x40]), 3, 2, CorruptError, "after the last symbol"),
    "huffman: wide": (stream(2, [*TWO, 0]), 1, 9, CorruptError, "width in this coding"),
    "huffman: empty": (stream(2, []), 0, 1, CorruptError, "number of symbols"),
    "huffman: symbols": (stream(2, [*THREE, 0]), 1, 1, CorruptError, "number of symbols"),
    "huffman: table cut": (stream(2, [2, 0x21]), 0, 2, CorruptError, "code lengths"),
    "huffman: reserved": (stream(2, [1, 0x1F]), 0, 1, UnsupportedError, "reserved code length"),
    "huffman: first repeats": (stream(2, [3, 0x0E]), 0, 2, CorruptError, "repeats another"),
    "huffman: long run": (stream(2, [2, 0xD1, 0x00]), 0, 2, CorruptError, "run of code lengths"),
    "huffman: filling": (stream(2, [2, 0x21, 0x12]), 0, 2, CorruptError, "filling nibble"),
    "huffman: incomplete": (stream(2, [1, 0x21, 0]), 1, 1, CorruptError, "complete code"),
    "huffman: too many codes": (stream(2, [2, 0x11, 1, 0]), 1, 2, CorruptError, "complete code"),
    "huffman: one symbol": (stream(2, [0, 0x01, 0]), 1, 1, CorruptError, "complete code"),
    "huffman: no sizes": (stream(2, TWO), 256, 1, CorruptError, "length of a sub-stream"),
    "huffman: large size": (
        stream(2, [*TWO, 8, 8, 9, *[0] * 24]),
        256,
        1,
        CorruptError,
        "length of a sub-stream",
    ),
    "huffman: too short": (stream(2, TWO), 3, 1, CorruptError, "ends before its symbols"),
    "huffman: too short of many": (
        stream(2, [*TWO, 8, 7, 8, *[0] * 32]),
        256,
        1,
        CorruptError,
        "ends before its symbols",
    ),
    "huffman: a byte after": (stream(2, [*TWO, 0, 0]), 3, 1, CorruptError, "has bytes after"),
    "huffman: a byte for none": (stream(2, [*TWO, 0]), 0, 1, CorruptError, "has bytes after"),
    "huffman: bits after": (stream(2, [*TWO, 1]), 3, 1, CorruptError, "after the last code"),
    "contexts: empty": (stream(3, []), 0, 1, CorruptError, "contexts: model"),
    "contexts: model": (stream(3, [4]), 0, 1, UnsupportedError, "contexts: model"),
    "contexts: wide tree": (stream(3, [0]), 0, 9, CorruptError, "width in this model"),
    "contexts: wide classes": (stream(3, [2, 4, 0, 1, 8]), 4, 9, CorruptError, "in this model"),
    "contexts: wide": (stream(3, [3, 3, 3, 1, 1, 8]), 4, 9, CorruptError, "width in this model"),
    "contexts: zero": (stream(3, [0, 1, 0]), 9, 1, CorruptError, "trailing zero"),
    "contexts: more zeros": (stream(3, [0, 85, *[0] * 4]), 12, 8, CorruptError, "trailing zero"),
    "contexts: bytes after": (stream(3, [0, 1, 1, 1, 1, 1]), 1, 1, CorruptError, "bytes left"),
    "contexts: no more bytes": (stream(3, [0, 85]), 6, 8, CorruptError, "read beyond"),
    "contexts: no more bytes for gaps": (stream(3, [1, 254]), 10**6, 16, CorruptError, "beyond"),
    "lanes Huffman: wide": (stream(4, [0, 1, 2]), 0, 9, CorruptError, "width in this coding"),
    "lanes tANS: wide": (stream(5, [0, 0, 32, 0, 0]), 0, 9, CorruptError, "width in this coding"),
    "split: wide": (stream(6, [4, 0, 4, *PACKED]), 4, 9, CorruptError, "width in this coding"),
    "split: empty": (stream(6, []), 0, 1, CorruptError, "row length"),
    "split: row length 0": (stream(6, [0, 0]), 0, 1, CorruptError, "row length"),
    "split: long rows": (
        stream(6, [5, 0, 4, *PACKED]),
        4,
        2,
        CorruptError,
        "row length",
    ),
    "split: 18 sub-streams": (stream(6, [1, 0x25]), 0, 1, CorruptError, "sub-streams"),
    "split: many columns": (
        stream(6, [0x81, 0x80, 1, 0x10]),
        (1 << 14) + 1,
        1,
        CorruptError,
        "columns with classes",
    ),
    "split: column class": (
        stream(6, [1, 0x20, 1, 1, 3, *EMPTY * 3]),
        0,
        1,
        CorruptError,
        "class in a map",
    ),
    "split: row class": (
        stream(6, [4, 2, 1, 1, 3, 4, *PACKED, *EMPTY, *EMPTY]),
        4,
        2,
        CorruptError,
        "class in a map",
    ),
    "split: count": (stream(6, [4, 0, 5, *PACKED]), 4, 2, CorruptError, "of a sub-stream"),
    "split: too few": (stream(6, [4, 0, 4, *PACKED]), 5, 2, CorruptError, "all sub-streams"),
    "split: bytes after": (stream(6, [4, 0, 4, *PACKED, 0]), 4, 2, CorruptError, "bytes after"),
    "split: no sub-stream": (stream(6, [4, 0]), 4, 2, CorruptError, "of a sub-stream"),
    "split: in a split": (
        stream(6, [4, 0, 4, 6, 6, 4, 0, 4, *PACKED]),
        4,
        2,
        UnsupportedError,
        "one in another",
    ),
    "split: sub-stream ends": (
        stream(6, [4, 0x10, 1, 1, 0, 2, 1, 1, 0, 2, 1, 1, 0]),
        4,
        2,
        CorruptError,
        "beyond a sub-stream",
    ),
    "split: reserved coding": (stream(6, [4, 0, 4, 60, 0]), 4, 2, UnsupportedError, "coding"),
    "split: contexts in it": (
        stream(6, [4, 0, 4, 3, 5, 2, 4, 0, 1, 8]),
        4,
        2,
        UnsupportedError,
        "one in another",
    ),
    "contexts: long rows": (stream(3, [2, 5, 0, 1, 8]), 4, 2, CorruptError, "row length"),
    "contexts: row class": (
        stream(3, [2, 4, 2, 1, 1, 3, 1, 8]),
        4,
        2,
        CorruptError,
        "class in a map",
    ),
    "contexts: flat filter": (
        stream(3, [3, 3, 0, 1, 1, 8]),
        0,
        1,
        CorruptError,
        "side of a filter",
    ),
    "contexts: filter": (stream(3, [3, 0, 3, 1, 1, 8]), 0, 1, CorruptError, "side of a filter"),
    "contexts: high filter": (
        stream(3, [3, 1, *LONGEST_SIDE, 1, 1, 8]),
        0,
        1,
        CorruptError,
        "side of a filter",
    ),
    "contexts: wide filter": (
        stream(3, [3, *WIDEST_FILTER, 1, 1, 1, 8]),
        0,
        1,
        UnsupportedError,
        "width of a filter",
    ),
    "contexts: no class": (stream(3, [3, 3, 3, 0]), 0, 1, CorruptError, "classes of symbols"),
    "contexts: 16 classes": (stream(3, [3, 3, 3, 16]), 0, 8, CorruptError, "classes of symbols"),
    "contexts: no class above": (
        stream(3, [3, 3, 3, 128]),
        0,
        1,
        CorruptError,
        "classes of symbols",
    ),
    "contexts: neighbours": (stream(3, [3, 3, 3, 193]), 0, 1, UnsupportedError, "neighbours"),
    "contexts: class of none": (stream(3, [3, 3, 3, 2, 0]), 0, 8, CorruptError, "first symbol"),
    "contexts: class beyond": (stream(3, [3, 3, 3, 2, 4]), 0, 2, CorruptError, "first symbol"),
    "contexts: descending": (stream(3, [3, 3, 3, 3, 2, 2]), 0, 2, CorruptError, "first symbol"),
    "contexts: tables": (
        stream(3, [3, 3, 3, 8, *range(1, 8), 1, 8]),
        0,
        8,
        CorruptError,
        "contexts: tables",
    ),
    "contexts: no prior": (stream(3, [2, 4, 0]), 4, 2, CorruptError, "contexts: prior"),
    "contexts: prior 0": (stream(3, [2, 4, 0, 0, 8]), 4, 2, CorruptError, "contexts: prior"),
    "contexts: no memory": (stream(3, [2, 4, 0, 1]), 4, 2, CorruptError, "contexts: memory"),
    "contexts: short memory": (stream(3, [2, 4, 0, 1, 3]), 4, 2, CorruptError, "memory"),
    "contexts: long memory": (stream(3, [2, 4, 0, 1, 11]), 4, 2, UnsupportedError, "memory"),
    "contexts: classes and a zero": (
        stream(3, [2, 4, 0, 1, 8, 1, 0]),
        4,
        2,
        CorruptError,
        "trailing zero",
    ),
    "contexts: classes and bytes after": (
        stream(3, [2, 4, 0, 1, 8, 1, 1, 1, 1, 1, 1, 1]),
        4,
        2,
        CorruptError,
        "bytes left",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named(name):
    data, count, width, error, message = BROKEN[name]
    with pytest.raises(error, match=message) as caught:
        streams.decode(data, count, width)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("data", "count", "width"),
    [
        (stream(0, [5]), 3, 4),
        (stream(1, [0x3F]), 3, 2),
        (stream(2, [*TWO, 0xA0]), 3, 1),
        (stream(2, [*THREE, 0x60]), 2, 2),
        (stream(2, [4, 0x11, 0x0D, 0xA0]), 3, 3),  # absent symbols at the end
        (stream(2, [*TWO, 8, 8, 8, *[0] * 32]), 256, 1),
        (stream(3, [0, 1, 1, 1, 1]), 1, 1),
        (stream(3, [1]), 5, 8),
        (stream(3, [0, 85]), 5, 8),  # eight bytes are read beyond it
        (stream(3, [0, 85, *[0] * 4]), 13, 8),
        (stream(3, [2, 4, 0, 1, 8]), 4, 2),
        (stream(3, [2, 4, 2, 1, 1, 1, 1, 8]), 4, 2),
        (stream(3, [3, 3, 3, 3, 1, 2, 255, 10]), 0, 2),
        (stream(3, [3, 3, 3, 7, *range(1, 7), 1, 4]), 0, 8),
        (stream(3, [3, 3, 3, 64 + 63, *range(1, 63), 1, 4]), 0, 8),
        (stream(3, [3, 3, 3, 128 + 63, *range(1, 63), 1, 4]), 0, 8),
        (stream(3, [3, 0x80, 0x80, 4, 0x80, 0x80, 0x80, 2, 1, 1, 8]), 4, 2),  # 2^16 by 2^22
        (stream(3, [2, 4, 0, 1, 8, 1, 1, 1, 1]), 4, 2),
        (stream(6, [4, 0, 4, *PACKED]), 4, 2),
        (stream(6, [4, 2, 1, 1, 1, *EMPTY, 4, *PACKED, *EMPTY]), 4, 2),
        (stream(6, [1, 0, *EMPTY]), 0, 2),
        (stream(6, [4, 0x10, 1, 1, 12, 2, 1, 1, 0, 2, 1, 1, 0]), 4, 2),
    ],
)
def test_the_same_streams_without_the_fault_decode(data, count, width):
    assert len(streams.decode(data, count, width)) == count
