"""Section 6: positions, the elements of a chunk that are stored. Form copies is in `copies`."""

from __future__ import annotations

from .codings import Streams
from .conventions import Reader, ceil_div, require
from .head import BIT_MASK, CSR, DENSE, GAPS, MASK, Head

BITS_OF_MASK_SYMBOL = 4
WIDEST_ROW_COUNT = 16


def read_stored(reader: Reader, e: int) -> int:
    """The field `stored` of a chunk of e elements."""
    stored = reader.vu("stored")
    require(stored <= e, f"{stored} stored elements of {e}")
    return stored


def read_positions(
    reader: Reader, streams: Streams, e: int, head: Head, gap_width: int
) -> list[int]:
    """The indices in the chunk of the stored elements, in all forms but copies."""
    if head.positions == DENSE:
        return list(range(e))
    m = read_stored(reader, e)
    if head.positions == GAPS:
        return _follow_gaps(streams.read(m, gap_width), e)
    if head.positions == MASK:
        return _read_mask(streams, m, e)
    if head.positions == BIT_MASK:
        return _of_mask(streams.read(e, 1), m)
    assert head.positions == CSR
    return _read_csr(streams, m, e, head.row_length, gap_width)


def _follow_gaps(gaps: list[int], end: int) -> list[int]:
    positions = []
    position = -1
    for gap in gaps:
        position += gap + 1
        positions.append(position)
    require(position < end, "a position beyond the end")
    return positions


def _read_mask(streams: Streams, m: int, e: int) -> list[int]:
    symbols = streams.read(ceil_div(e, BITS_OF_MASK_SYMBOL), BITS_OF_MASK_SYMBOL)
    bits = [symbol >> k & 1 for symbol in symbols for k in range(BITS_OF_MASK_SYMBOL)]
    require(not any(bits[e:]), "bits of a mask for elements beyond the end")
    return _of_mask(bits, m)


def _of_mask(bits: list[int], m: int) -> list[int]:
    positions = [i for i, bit in enumerate(bits) if bit == 1]
    require(len(positions) == m, f"a mask of {len(positions)} elements, of which {m} are stored")
    return positions


def _read_csr(streams: Streams, m: int, e: int, row_length: int, gap_width: int) -> list[int]:
    rows = e // row_length if e > 0 else 0
    counts = streams.read(rows, min(max(row_length.bit_length(), 1), WIDEST_ROW_COUNT))
    require(sum(counts) == m, "the counts of the rows do not add up to the stored elements")
    gaps = streams.read(m, gap_width)
    positions: list[int] = []
    at = 0
    for row, count in enumerate(counts):
        in_row = _follow_gaps(gaps[at : at + count], row_length)
        positions += [row * row_length + column for column in in_row]
        at += count
    return positions
