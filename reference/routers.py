"""Section 7.4: the routers, which name the table, or the sub-stream (7.6), of the next symbol."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from .contexts import Route
from .conventions import Reader, Unsupported, ceil_div, require

MOST_CLASSES = 16
LONGEST_COLUMN_MAP = 1 << 14
LARGEST_FILTER_SIDE, LARGEST_SUPPORTED_FILTER_WIDTH = 1 << 22, 1 << 16
MOST_SYMBOL_CLASSES, MOST_SYMBOL_CLASSES_OF_BOTH = 63, 15
BOTH, LEFT, UP, RESERVED = 0, 1, 2, 3

ReadSymbols = Callable[[int, int], list[int]]
"""Opens the next stream, of a count of symbols of a width, and decodes it."""


@dataclass
class Router:
    """How many tables there are, and which is the next."""

    tables: int
    route: Route


def codebook_width(entries: int) -> int:
    """Section 4: the width of the numbers below `entries`."""
    return max((entries - 1).bit_length(), 1)


def read_classes_router(reader: Reader, count: int, read_symbols: ReadSymbols) -> Router:
    """The router of model classes, which uses the row and the column of a symbol."""
    symbols_per_row = reader.vu("symbols per row")
    require(1 <= symbols_per_row <= max(count, 1), "symbols per row")
    classes = reader.u8("classes of rows and of columns")
    row_classes, column_classes = classes % 16 + 1, classes // 16 + 1
    require(row_classes * column_classes <= MOST_CLASSES, "too many classes of rows and columns")
    require(
        column_classes == 1 or symbols_per_row <= LONGEST_COLUMN_MAP,
        "a column map that is too long",
    )
    class_of_column = _read_map(read_symbols, symbols_per_row, column_classes)
    class_of_row = _read_map(read_symbols, ceil_div(count, symbols_per_row), row_classes)

    def route(before: list[int]) -> int:
        row, column = divmod(len(before), symbols_per_row)
        return class_of_row[row] * column_classes + class_of_column[column]

    return Router(row_classes * column_classes, route)


def _read_map(read_symbols: ReadSymbols, length: int, classes: int) -> list[int]:
    """The class of each row or column. A map is stored only if there are several classes."""
    if classes == 1:
        return [0] * length
    numbers = read_symbols(length, codebook_width(classes))
    require(all(number < classes for number in numbers), "a map has a number that is no class")
    return numbers


def read_neighbours_router(reader: Reader, width: int) -> Router:
    """The router of model neighbours, which uses the preceding symbols in the same filter."""
    filter_width, filter_height = reader.vu("filter width"), reader.vu("filter height")
    require(1 <= filter_width <= LARGEST_FILTER_SIDE, "filter width")
    require(1 <= filter_height <= LARGEST_FILTER_SIDE, "filter height")
    require(filter_width <= LARGEST_SUPPORTED_FILTER_WIDTH, "filter width", Unsupported)
    which, classes = divmod(reader.u8("classes of symbols"), 64)
    require(which != RESERVED, "reserved neighbours", Unsupported)
    most = MOST_SYMBOL_CLASSES_OF_BOTH if which == BOTH else MOST_SYMBOL_CLASSES
    require(1 <= classes <= most, f"{classes} classes of symbols")
    firsts = list(reader.take(classes - 1, "first symbols of classes"))
    bounds = [0, *firsts, 1 << width]
    ascend = all(low < high for low, high in pairwise(bounds))
    require(ascend, "the first symbols of classes do not ascend")

    def neighbour_class(symbol: int) -> int:
        return 1 + bisect_right(firsts, symbol)

    def route(before: list[int]) -> int:
        i = len(before)
        x, y = i % filter_width, i // filter_width % filter_height
        left = 0 if x == 0 else neighbour_class(before[i - 1])
        up = 0 if y == 0 else neighbour_class(before[i - filter_width])
        if which == BOTH:
            return left * (classes + 1) + up
        return left if which == LEFT else up

    return Router((classes + 1) ** 2 if which == BOTH else classes + 1, route)
