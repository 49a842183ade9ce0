"""Section 7.6: a router names the sub-stream of each symbol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .conventions import Reader, Unsupported, require

_MAX_SUB_STREAMS = 16
_MAX_COLUMNS = 1 << 14


class Symbols(Protocol):
    """A stream of section 6 that was opened."""

    count: int

    def symbols(self) -> list[int]:
        """Decode the contents."""


#: Opens a stream, given a reader, the number of symbols and their width.
OpenStream = Callable[[Reader, int, int], Symbols]


class Split:
    """A body of 7.6, opened by the constructor."""

    def __init__(self, body: bytes, count: int, width: int, open_stream: OpenStream) -> None:
        reader = Reader(body, length_is_known=True)
        reader.has_router = True
        self.count = count
        self._open = open_stream
        router = read_router(reader)
        self._router: Classes | Neighbours
        if router == 0:
            self._router = Classes(reader, count, open_stream)
        else:
            self._router = Neighbours(reader, width, open_stream)
        self._sub_streams: list[Symbols] = []
        left = count
        for _ in range(self._router.targets):
            symbols = reader.vu("symbols of a sub-stream")
            require(symbols <= left, "sub-streams of more symbols than the stream")
            left -= symbols
            self._sub_streams.append(open_stream(reader, symbols, width))
        require(left == 0, "counts of the sub-streams")
        require(reader.left == 0, "the sub-streams do not fill the body")

    def symbols(self) -> list[int]:
        """Take each symbol from the sub-stream that the router names."""
        self._router.start()
        sub_streams = [iter(stream.symbols()) for stream in self._sub_streams]
        symbols: list[int] = []
        for _ in range(self.count):
            symbol = next(sub_streams[self._router.route(symbols)], None)
            require(symbol is not None, "a sub-stream ends before the stream")
            assert symbol is not None
            symbols.append(symbol)
        return symbols


def read_router(reader: Reader) -> int:
    """Read the router: 0 is classes, 1 is neighbours."""
    router = reader.u8("router")
    if router > 1:
        raise Unsupported(f"router {router} is reserved")
    return router


def read_map(stream: Symbols, classes: int) -> list[int]:
    """Decode a map, and check its numbers."""
    symbols = stream.symbols()
    require(all(symbol < classes for symbol in symbols), "a class that does not exist")
    return symbols


def _width(classes: int) -> int:
    return max((classes - 1).bit_length(), 1)


class Classes:
    """Router 0: the classes of the row and the column of a symbol."""

    def __init__(self, reader: Reader, count: int, open_stream: OpenStream) -> None:
        self.row_length = reader.vu("symbols of a row")
        require(1 <= self.row_length <= max(count, 1), "row length")
        classes = reader.u8("classes")
        self.rows, self.columns = classes % 16 + 1, classes // 16 + 1
        self.targets = self.rows * self.columns
        require(self.targets <= _MAX_SUB_STREAMS, "too many sub-streams")
        self.column_map: list[int] | None = None
        self.row_stream: Symbols | None = None
        if self.columns > 1:
            require(self.row_length <= _MAX_COLUMNS, "too many columns to have classes")
            stream = open_stream(reader, self.row_length, _width(self.columns))
            self.column_map = read_map(stream, self.columns)
        if self.rows > 1:
            rows = -(-count // self.row_length)
            self.row_stream = open_stream(reader, rows, _width(self.rows))

    def start(self) -> None:
        """Called before the first symbol."""
        self.row_map = None if self.row_stream is None else read_map(self.row_stream, self.rows)

    def route(self, symbols: list[int]) -> int:
        """The number of the sub-stream for the symbol that follows these."""
        row, column = divmod(len(symbols), self.row_length)
        row_class = self.row_map[row] if self.row_map else 0
        return row_class * self.columns + (self.column_map[column] if self.column_map else 0)


class Filters:
    """What routers by neighbours share: filters of some width and height."""

    class_of: list[int]

    def __init__(self, reader: Reader) -> None:
        self.width = reader.u8("width of a filter")
        self.height = reader.u8("height of a filter")
        require(self.width and self.height, "an empty filter")

    def start(self) -> None:
        """Called before the first symbol."""

    def neighbours(self, symbols: list[int]) -> tuple[int, int]:
        """`left` and `up` of the symbol that follows these: 0, or 1 + the class of a symbol."""
        at = len(symbols)
        left = 1 + self.class_of[symbols[-1]] if at % self.width else 0
        up = 1 + self.class_of[symbols[-self.width]] if at // self.width % self.height else 0
        return left, up


class Neighbours(Filters):
    """Router 1: the classes of the symbols to the left and above, in the same filter."""

    def __init__(self, reader: Reader, width: int, open_stream: OpenStream) -> None:
        super().__init__(reader)
        numbers = reader.u8("classes and sub-streams")
        self.classes, self.targets = numbers % 16 + 1, numbers // 16 + 1
        require(self.classes <= 15, "classes of symbols")
        self.class_of = [0] * (1 << width)
        self.context_map = [0] * (self.classes + 1) ** 2
        if self.classes > 1:
            stream = open_stream(reader, 1 << width, _width(self.classes))
            self.class_of = read_map(stream, self.classes)
        if self.targets > 1:
            stream = open_stream(reader, len(self.context_map), _width(self.targets))
            self.context_map = read_map(stream, self.targets)

    def route(self, symbols: list[int]) -> int:
        """The number of the sub-stream for the symbol that follows these."""
        left, up = self.neighbours(symbols)
        return self.context_map[left * (self.classes + 1) + up]
