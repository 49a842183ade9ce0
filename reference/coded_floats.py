"""Section 5: coded floats."""

from __future__ import annotations

from .codings import Stream
from .conventions import Reader, require
from .element_types import ElementType
from .planes import open_planes

PLANES, DELTAS, PERMUTED = MODES = (1, 2, 3)


def decode_floats(
    mode: int, body: bytes, rows: int, entries: int, element: ElementType, features: int
) -> list[bytes]:
    """The values of a body, as mode verbatim stores them."""
    reader = body_reader(body)
    if mode == PLANES:
        return _planes(reader, rows * entries, element, features)
    lengths = Stream(reader, rows * entries, (8 * element.size).bit_length(), features)
    order = None
    if mode == PERMUTED:
        order = Stream(reader, rows * entries, max((entries - 1).bit_length(), 1), features)
    bits = reader.take(reader.left, "bits")
    values = [_value(key, element.size) for key in _keys(lengths.symbols(), bits, entries, element)]
    if order is not None:  # the rules of the original order hold, though values do not need it
        symbols = order.symbols()
        for first in range(0, len(values), entries):
            places(symbols[first : first + entries])
    return values


def body_reader(body: bytes) -> Reader:
    """A reader of a body, in which no stream may have a router."""
    reader = Reader(body, length_is_known=True)
    reader.has_routed = True
    return reader


def _planes(reader: Reader, count: int, element: ElementType, features: int) -> list[bytes]:
    planes = open_planes(reader, element, features, count)
    require(reader.left == 0, "bytes after the planes")
    return planes.elements()


def _keys(lengths: list[int], bits: bytes, entries: int, element: ElementType) -> list[int]:
    """The keys of all rows; each key follows from the one before it in its row."""
    low, at, key = int.from_bytes(bits, "little"), 0, 0
    keys = []
    for index, length in enumerate(lengths):
        require(length <= 8 * element.size, "a delta longer than its dtype")
        count = max(length - 1, 0)
        delta = (low >> at & (1 << count) - 1) + (1 << count if length else 0)
        at += count
        key = delta if index % entries == 0 else (key + delta) % (1 << 8 * element.size)
        keys.append(key)
    require(len(bits) == -(-at // 8), "bits of the deltas")
    require(low >> at == 0, "bits after the last delta")
    return keys


def _value(key: int, size: int) -> bytes:
    """The value of a key.

    >>> _value(0xBC00, 2).hex(), _value(0x43FF, 2).hex()  # 1 and -1 in f16
    ('003c', '00bc')
    """
    sign = 1 << 8 * size - 1
    bits = key ^ sign if key & sign else key ^ (2 * sign - 1)
    return bits.to_bytes(size, "little")


def places(symbols: list[int]) -> list[int]:
    """The original order of a row: at each place, the number of the value in ascending order.

    >>> places([2, 0, 1, 0])
    [2, 3, 1, 0]
    """
    left, at, order = list(range(len(symbols))), 0, []
    for symbol in symbols:
        require(symbol < len(left), "a value beyond those that are left")
        at = (at + symbol) % len(left)
        order.append(left.pop(at))
    return order
