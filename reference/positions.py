"""Section 6: which elements of a chunk are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .codings import read_stream
from .conventions import Reader, require
from .head import CSR, DENSE, MASK, Head
from .parameters import Parameters

_WIDEST_ROW_COUNT = 16


def read_positions(
    reader: Reader, head: Head, parameters: Parameters, elements: int
) -> Sequence[int]:
    """The stored elements of a chunk, ascending, counted from the chunk's start."""
    if head.positions == DENSE:
        return range(elements)
    entries = reader.vu("entries")
    require(entries <= elements, "more entries than elements")
    if head.positions == MASK:
        return _read_mask(reader, head, entries, elements)
    if head.positions == CSR:
        return _read_csr(reader, head, parameters, entries, elements)
    gaps = read_stream(reader, entries, parameters.gap_width, head.features)
    return walk(gaps, 0, elements)


def walk(gaps: Iterable[int], start: int, length: int) -> list[int]:
    """Positions from gaps: relative index from `start`, staying below start + length.

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


def _read_mask(reader: Reader, head: Head, entries: int, elements: int) -> list[int]:
    symbols = read_stream(reader, -(-elements // 4), 4, head.features)
    positions = [
        4 * place + bit
        for place, symbol in enumerate(symbols)
        for bit in range(4)
        if symbol >> bit & 1
    ]
    require(not positions or positions[-1] < elements, "mask bits after the last element")
    require(len(positions) == entries, "the mask has another number of entries")
    return positions


def _read_csr(
    reader: Reader, head: Head, parameters: Parameters, entries: int, elements: int
) -> list[int]:
    row_length = head.row_length
    rows = elements // row_length if elements else 0
    width = min(max(row_length.bit_length(), 1), _WIDEST_ROW_COUNT)
    counts = read_stream(reader, rows, width, head.features)
    require(sum(counts) == entries, "the rows have another number of entries")
    gaps = read_stream(reader, entries, parameters.gap_width, head.features)
    positions: list[int] = []
    for row, count in enumerate(counts):
        at = len(positions)
        positions += walk(gaps[at : at + count], row * row_length, row_length)
    return positions
