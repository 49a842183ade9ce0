"""Section 6: which elements of a chunk are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .codings import Stream
from .conventions import Reader, require
from .head import BIT_MASK, CSR, DENSE, GAPS, MASK, Head
from .parameters import Parameters

_WIDEST_ROW_COUNT = 16


@dataclass(frozen=True)
class Positions:
    """The number of stored elements of a chunk, and the streams of its positions, opened."""

    stored: int
    streams: tuple[Stream, ...] = ()


def open_positions(reader: Reader, head: Head, parameters: Parameters, elements: int) -> Positions:
    """Read the number of stored elements of a chunk, and open the streams of its positions."""
    if head.positions == DENSE:
        return Positions(elements)
    stored = reader.vu("stored")
    require(stored <= elements, "more stored elements than elements")
    if head.positions == MASK:
        return Positions(stored, (Stream(reader, -(-elements // 4), 4, head.features),))
    if head.positions == BIT_MASK:
        return Positions(stored, (Stream(reader, elements, 1, head.features),))
    counts: tuple[Stream, ...] = ()
    if head.positions == CSR:
        rows = elements // head.row_length if elements else 0
        width = min(max(head.row_length.bit_length(), 1), _WIDEST_ROW_COUNT)
        counts = (Stream(reader, rows, width, head.features),)
    return Positions(stored, (*counts, Stream(reader, stored, parameters.gap_width, head.features)))


def positions_of(positions: Positions, head: Head, elements: int) -> Sequence[int]:
    """The positions of the stored elements, ascending, counted from the start of the chunk."""
    symbols = [stream.symbols() for stream in positions.streams]
    if head.positions == GAPS:
        return walk(symbols[0], 0, elements)
    if head.positions == MASK:
        return _positions_of_mask(symbols[0], 4, positions.stored, elements)
    if head.positions == BIT_MASK:
        return _positions_of_mask(symbols[0], 1, positions.stored, elements)
    if head.positions == CSR:
        counts, gaps = symbols
        require(sum(counts) == positions.stored, "the rows have another number of stored elements")
        return _positions_of_rows(counts, gaps, head.row_length)
    return range(elements)


def walk(gaps: Iterable[int], start: int, length: int) -> list[int]:
    """The positions that gaps give, from `start` on, each below start + length.

    >>> walk([0, 2, 1], 10, 6)
    [10, 13, 15]
    """
    positions = []
    at = start - 1
    for gap in gaps:
        at += gap + 1
        require(at < start + length, "a gap leads beyond the end")
        positions.append(at)
    return positions


def _positions_of_mask(symbols: list[int], width: int, stored: int, elements: int) -> list[int]:
    positions = [
        width * place + bit
        for place, symbol in enumerate(symbols)
        for bit in range(width)
        if symbol >> bit & 1
    ]
    require(not positions or positions[-1] < elements, "mask bits after the last element")
    require(len(positions) == stored, "the mask has another number of stored elements")
    return positions


def _positions_of_rows(counts: list[int], gaps: list[int], row_length: int) -> list[int]:
    positions: list[int] = []
    for row, count in enumerate(counts):
        at = len(positions)
        positions += walk(gaps[at : at + count], row * row_length, row_length)
    return positions
