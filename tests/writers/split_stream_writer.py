"""Routers and split streams (sections 7.4, 7.6), written straight from docs/format.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Symbols and their width to a stream in some other coding.
Nested = Callable[[Sequence[int], int], bytes]


def map_width(classes: int) -> int:
    """Bits of a class."""
    return max((classes - 1).bit_length(), 1)


@dataclass(frozen=True)
class Classes:
    """Model classes, and split: the class of each row and column."""

    row_map: Sequence[int]
    column_map: Sequence[int]
    rows: int
    columns: int

    def head(self, width: int, nested: Nested) -> list[bytes]:
        """Row length as bytes, classes, maps."""
        numbers = bytes([self.rows - 1 | self.columns - 1 << 4])
        column_map = nested(self.column_map, map_width(self.columns)) if self.columns > 1 else b""
        row_map = nested(self.row_map, map_width(self.rows)) if self.rows > 1 else b""
        return [leb128(len(self.column_map)), numbers, column_map, row_map]

    def substreams(self) -> int:
        """Their number."""
        return self.rows * self.columns

    def route(self, symbols: Sequence[int], at: int) -> int:
        """The table or sub-stream of symbol number `at`."""
        row, column = divmod(at, len(self.column_map))
        return self.row_map[row] * self.columns + self.column_map[column]


@dataclass(frozen=True)
class Ranges:
    """Model neighbours: filters, the first symbol of each class but the first one."""

    width: int
    height: int
    firsts: Sequence[int]
    which: str = "both"

    def head(self, width: int, nested: Nested) -> list[bytes]:
        """Sides of a filter, classes, first symbols."""
        sides = leb128(self.width) + leb128(self.height)
        which = ("both", "left", "up").index(self.which)
        return [sides, bytes([1 + len(self.firsts) | which << 6]), bytes(self.firsts)]

    def route(self, symbols: Sequence[int], at: int) -> int:
        """The table of symbol number `at`."""
        x, y = at % self.width, at // self.width % self.height
        left = self._number(symbols[at - 1]) if x else 0
        up = self._number(symbols[at - self.width]) if y else 0
        tables = {"both": left * (len(self.firsts) + 2) + up, "left": left, "up": up}
        return tables[self.which]

    def _number(self, symbol: int) -> int:
        return 1 + sum(symbol >= first for first in self.firsts)


def leb128(value: int) -> bytes:
    """Unsigned LEB128 in its shortest form."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def split_parts(symbols: Sequence[int], width: int, router: Classes, nested: Nested) -> list[bytes]:
    """The four parts of the head, then the sub-streams behind their counts."""
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
