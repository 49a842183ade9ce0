"""What the routers of sections 7.4 and 7.6 share: classes of rows and columns, and neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .conventions import Reader, Unsupported, require

_MAX_TARGETS = 16
_MAX_COLUMNS = 1 << 14
_MAX_SIDE = 1 << 22
_MAX_WIDTH = 1 << 16
_BOTH, _LEFT, _UP = range(3)


class Symbols(Protocol):
    """A stream of section 6 that was opened."""

    count: int

    def symbols(self) -> list[int]:
        """Decode the contents."""


#: Opens a stream, given a reader, the number of symbols and their width.
OpenStream = Callable[[Reader, int, int], Symbols]


def _read_map(stream: Symbols, classes: int) -> list[int]:
    symbols = stream.symbols()
    require(all(symbol < classes for symbol in symbols), "a class that does not exist")
    return symbols


def _width(classes: int) -> int:
    return max((classes - 1).bit_length(), 1)


class Classes:
    """The classes of the row and the column of a symbol."""

    def __init__(self, reader: Reader, count: int, open_stream: OpenStream) -> None:
        self.row_length = reader.vu("symbols of a row")
        require(1 <= self.row_length <= max(count, 1), "row length")
        classes = reader.u8("classes")
        self.rows, self.columns = classes % 16 + 1, classes // 16 + 1
        self.targets = self.rows * self.columns
        require(self.targets <= _MAX_TARGETS, "too many classes")
        self.column_map: list[int] | None = None
        self.row_stream: Symbols | None = None
        if self.columns > 1:
            require(self.row_length <= _MAX_COLUMNS, "too many columns to have classes")
            stream = open_stream(reader, self.row_length, _width(self.columns))
            self.column_map = _read_map(stream, self.columns)
        if self.rows > 1:
            rows = -(-count // self.row_length)
            self.row_stream = open_stream(reader, rows, _width(self.rows))

    def start(self) -> None:
        """Called before the first symbol."""
        self.row_map = None if self.row_stream is None else _read_map(self.row_stream, self.rows)

    def route(self, symbols: list[int]) -> int:
        """The number of the table or sub-stream for the symbol that follows these."""
        row, column = divmod(len(symbols), self.row_length)
        row_class = self.row_map[row] if self.row_map else 0
        return row_class * self.columns + (self.column_map[column] if self.column_map else 0)


class Neighbours:
    """The classes of the symbols to the left and above, in the same filter."""

    def __init__(self, reader: Reader, width: int) -> None:
        self.width = self._side(reader)
        self.height = self._side(reader)
        if self.width > _MAX_WIDTH:
            raise Unsupported(f"filters of a width of {self.width}")
        numbers = reader.u8("classes")
        self.which, classes = numbers >> 6, numbers & 63
        if self.which > _UP:
            raise Unsupported("neighbours 3 are reserved")
        require(1 <= classes <= (15 if self.which == _BOTH else 63), "classes of symbols")
        self.targets = (classes + 1) ** 2 if self.which == _BOTH else classes + 1
        self.classes = classes
        firsts = [0]
        for _ in range(classes - 1):
            firsts.append(reader.u8("first symbol"))
            require(firsts[-2] < firsts[-1] < 1 << width, "first symbols of classes")
        self.class_of = [sum(s >= first for first in firsts) - 1 for s in range(1 << width)]

    def _side(self, reader: Reader) -> int:
        side = reader.vu("side of a filter")
        require(1 <= side <= _MAX_SIDE, "side of a filter")
        return side

    def start(self) -> None:
        """Called before the first symbol."""

    def route(self, symbols: list[int]) -> int:
        """The number of the table for the symbol that follows these."""
        at = len(symbols)
        left = 1 + self.class_of[symbols[-1]] if at % self.width else 0
        up = 1 + self.class_of[symbols[-self.width]] if at // self.width % self.height else 0
        if self.which == _BOTH:
            return left * (self.classes + 1) + up
        return up if self.which == _UP else left
