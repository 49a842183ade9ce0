"""Sections 6 and 7: streams, and their codings. Codings 2, 4 and 5 have modules of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .contexts import (
    CLASSES,
    EXPONENT,
    MEMORY_WITHOUT_ROUTER,
    NEIGHBOURS,
    TREE,
    RangeDecoder,
    decode_exponent,
    decode_routed,
    decode_tree,
)
from .conventions import BitString, Corrupt, Reader, Unsupported, ceil_div, require
from .huffman import huffman
from .lanes import lanes_huffman, lanes_tans
from .routers import ReadSymbols, Router, read_classes_router, read_neighbours_router

CONTEXTS, SPLIT = 3, 6
WIDEST, WIDEST_OF_BYTES = 16, 8
SMALLEST_MEMORY, LARGEST_MEMORY = 4, 10
MOST_SPECIFIC_CONTEXTS = 1 << 14


class Coding(NamedTuple):
    """A method that turns the symbols of a stream into bytes."""

    name: str
    decode: Callable[[bytes, int, int], list[int]]
    widest: int


class Stream:
    """Section 6: a sequence of symbols. It is decoded when its symbols are first asked for."""

    def __init__(self, reader: Reader, count: int, width: int, features: int) -> None:
        self.coding = reader.u8("coding")
        require(self.coding < len(CODINGS), f"coding {self.coding}", Unsupported)
        coding = CODINGS[self.coding]
        require(
            bool(features >> self.coding & 1), f"coding {coding.name} is not among the features"
        )
        require(1 <= width <= coding.widest, f"coding {coding.name} of width {width}")
        self.count = count
        self.width = width
        self.features = features
        self.body = reader.take(reader.vu("body length"), "body of a stream")
        self._symbols: list[int] | None = None

    @property
    def routed(self) -> bool:
        """Whether the stream has a router."""
        in_routed_model = self.coding == CONTEXTS and self.body[:1] in (
            bytes([CLASSES]),
            bytes([NEIGHBOURS]),
        )
        return self.coding == SPLIT or in_routed_model

    def symbols(self) -> list[int]:
        """The symbols, each below 2^width."""
        if self._symbols is None:
            if self.coding == CONTEXTS:
                self._symbols = contexts(self.body, self.count, self.width, self.features)
            elif self.coding == SPLIT:
                self._symbols = split(self.body, self.count, self.width, self.features)
            else:
                self._symbols = CODINGS[self.coding].decode(self.body, self.count, self.width)
        return self._symbols


class Streams:
    """Opens streams that follow each other: one of a chunk may be routed, none of others."""

    def __init__(self, reader: Reader, features: int, routed: int) -> None:
        self.reader = reader
        self.features = features
        self.routed_left = routed

    def open(self, count: int, width: int) -> Stream:
        """The next stream."""
        stream = Stream(self.reader, count, width, self.features)
        self.routed_left -= stream.routed
        require(self.routed_left >= 0, "a routed stream that may not be here", Unsupported)
        return stream

    def read(self, count: int, width: int) -> list[int]:
        """The symbols of the next stream."""
        return self.open(count, width).symbols()


def constant(body: bytes, count: int, width: int) -> list[int]:
    """Section 7.1."""
    reader = Reader(body, length_is_known=True)
    symbol = reader.vu("symbol")
    reader.at_end("constant")
    require(symbol < 1 << width, f"symbol {symbol} of {width} bits")
    return [symbol] * count


def bitpacked(body: bytes, count: int, width: int) -> list[int]:
    """Section 7.2."""
    require(len(body) == ceil_div(count * width, 8), "a bitpacked body has another length")
    bits = BitString(body, "bitpacked")
    symbols = [bits.take(width) for _ in range(count)]
    bits.at_end()
    return symbols


def contexts(body: bytes, count: int, width: int, features: int | None = None) -> list[int]:
    """Section 7.4. The features are those of the frame; without them, maps may be in any coding."""
    reader = Reader(body, length_is_known=True)
    model = reader.u8("model")
    require(model <= NEIGHBOURS, f"model {model}", Unsupported)
    require(width <= WIDEST_OF_BYTES or model == EXPONENT, f"a width of {width} in this model")
    if model in (TREE, EXPONENT):
        decoder = RangeDecoder(reader.take(reader.left, "range-coded bytes"), MEMORY_WITHOUT_ROUTER)
        decode = decode_tree if model == TREE else decode_exponent
        symbols = decode(decoder, count, width)
    else:
        router = _read_router(model, reader, count, width, features)
        require(router.tables << width <= MOST_SPECIFIC_CONTEXTS, "too many specific contexts")
        prior = reader.u8("prior")
        require(prior >= 1, "a prior of 0")
        memory = reader.u8("memory")
        require(memory >= SMALLEST_MEMORY, f"memory {memory}")
        require(memory <= LARGEST_MEMORY, f"memory {memory}", Unsupported)
        decoder = RangeDecoder(reader.take(reader.left, "range-coded bytes"), memory, prior)
        symbols = decode_routed(decoder, count, width, router.tables, router.route)
    decoder.at_end()
    return symbols


def _read_router(
    model: int, reader: Reader, count: int, width: int, features: int | None
) -> Router:
    if model == NEIGHBOURS:
        return read_neighbours_router(reader, width)
    return read_classes_router(reader, count, _reader_of_parts(reader, features))


def split(body: bytes, count: int, width: int, features: int | None = None) -> list[int]:
    """Section 7.6. The features are the frame's; without them, parts may be in any coding."""
    reader = Reader(body, length_is_known=True)
    read_part = _reader_of_parts(reader, features)
    router = read_classes_router(reader, count, read_part)
    parts: list[list[int]] = []
    left = count
    for _ in range(router.tables):
        size = reader.vu("size of a sub-stream")
        require(size <= left, "the sub-streams have more symbols than the stream")
        left -= size
        parts.append(read_part(size, width))
    require(left == 0, "the sub-streams have fewer symbols than the stream")
    reader.at_end("split")
    remaining = [iter(part) for part in parts]
    symbols: list[int] = []
    for _ in range(count):
        symbol = next(remaining[router.route(symbols)], None)
        if symbol is None:
            raise Corrupt("a sub-stream has too few symbols")
        symbols.append(symbol)
    return symbols


def _reader_of_parts(reader: Reader, features: int | None) -> ReadSymbols:
    """Reads the maps and the sub-streams of a stream that is routed: none of them is."""
    return Streams(reader, EVERY_CODING if features is None else features, routed=0).read


CODINGS: tuple[Coding, ...] = (
    Coding("constant", constant, WIDEST),
    Coding("bitpacked", bitpacked, WIDEST),
    Coding("huffman", huffman, WIDEST_OF_BYTES),
    Coding("contexts", contexts, WIDEST),
    Coding("lanes Huffman", lanes_huffman, WIDEST_OF_BYTES),
    Coding("lanes tANS", lanes_tans, WIDEST_OF_BYTES),
    Coding("split", split, WIDEST_OF_BYTES),
)
EVERY_CODING = (1 << len(CODINGS)) - 1
