"""Split streams and routers (sections 7.6, 7.7), written straight from docs/format.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

#: Symbols and their width to a stream in some other coding.
Nested = Callable[[Sequence[int], int], bytes]


def map_width(classes: int) -> int:
    """Bits of a class."""
    return max((classes - 1).bit_length(), 1)


@dataclass(frozen=True)
class Classes:
    """Router classes: the class of each row and column."""

    row_map: Sequence[int]
    column_map: Sequence[int]
    rows: int
    columns: int

    def head(self, width: int, nested: Nested) -> list[bytes]:
        """Router, row length as bytes, classes, maps."""
        numbers = bytes([self.rows - 1 | self.columns - 1 << 4])
        column_map = nested(self.column_map, map_width(self.columns)) if self.columns > 1 else b""
        row_map = nested(self.row_map, map_width(self.rows)) if self.rows > 1 else b""
        return [b"\0", leb128(len(self.column_map)), numbers, column_map, row_map]

    def substreams(self) -> int:
        """Their number."""
        return self.rows * self.columns

    def route(self, symbols: Sequence[int], at: int) -> int:
        """The sub-stream of symbol number `at`."""
        row, column = divmod(at, len(self.column_map))
        return self.row_map[row] * self.columns + self.column_map[column]


@dataclass(frozen=True)
class Neighbours:
    """Router neighbours: kernels, the class of each symbol, the sub-stream of each context."""

    width: int
    height: int
    classes: int
    streams: int
    class_of: Sequence[int] = field(repr=False)
    context_map: Sequence[int] = field(repr=False)

    def head(self, width: int, nested: Nested) -> list[bytes]:
        """Router, kernel, numbers, maps."""
        numbers = bytes([self.classes - 1 | self.streams - 1 << 4])
        class_of = nested(self.class_of, map_width(self.classes)) if self.classes > 1 else b""
        contexts = nested(self.context_map, map_width(self.streams)) if self.streams > 1 else b""
        return [b"\1", bytes([self.width, self.height]), numbers, class_of, contexts]

    def substreams(self) -> int:
        """Their number."""
        return self.streams

    def route(self, symbols: Sequence[int], at: int) -> int:
        """The sub-stream of symbol number `at`."""
        x, y = at % self.width, at // self.width % self.height
        left = 1 + self.class_of[symbols[at - 1]] if x else 0
        up = 1 + self.class_of[symbols[at - self.width]] if y else 0
        return self.context_map[left * (self.classes + 1) + up]


@dataclass(frozen=True)
class Ranges:
    """Router neighbours of 7.7: kernels, the first symbol of each class but the first one."""

    width: int
    height: int
    firsts: Sequence[int]

    def head(self, width: int, nested: Nested) -> list[bytes]:
        """Router, kernel, classes, first symbols."""
        return [b"\1", bytes([self.width, self.height, 1 + len(self.firsts)]), bytes(self.firsts)]

    def route(self, symbols: Sequence[int], at: int) -> int:
        """The table of symbol number `at`."""
        x, y = at % self.width, at // self.width % self.height
        left = self._number(symbols[at - 1]) if x else 0
        up = self._number(symbols[at - self.width]) if y else 0
        return left * (len(self.firsts) + 2) + up

    def _number(self, symbol: int) -> int:
        return 1 + sum(symbol >= first for first in self.firsts)


def leb128(value: int) -> bytes:
    """Unsigned LEB128 in its shortest form."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def split_parts(
    symbols: Sequence[int], width: int, router: Classes | Neighbours, nested: Nested
) -> list[bytes]:
    """The five parts of the router's head, then the sub-streams behind their counts."""
    contents: list[list[int]] = [[] for _ in range(router.substreams())]
    for at, symbol in enumerate(symbols):
        contents[router.route(symbols, at)].append(symbol)
    substreams = [leb128(len(content)) + nested(content, width) for content in contents]
    return router.head(width, nested) + substreams


def some_classes(count: int, row_length: int = 7, rows: int = 2, columns: int = 3) -> Classes:
    """Any classes for so many symbols."""
    row_length = min(row_length, max(count, 1))
    row_map = [row * 5 // 3 % rows for row in range(-(-count // row_length))]
    column_map = [column * 7 // 5 % columns for column in range(row_length)]
    return Classes(row_map, column_map, rows, columns)


def some_neighbours(symbol_width: int) -> Neighbours:
    """Any classes of symbols, and any sub-streams of contexts, for kernels of 3 x 2."""
    class_of = [symbol * 3 // 2 % 3 for symbol in range(1 << symbol_width)]
    return Neighbours(3, 2, 3, 5, class_of, [context * 4 % 5 for context in range(16)])
