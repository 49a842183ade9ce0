"""Section 5: `floats`, the codebooks, scales and zero points, which may be coded."""

from __future__ import annotations

from .codings import Streams
from .conventions import BitString, Reader, Unsupported, require
from .element_types import BY_NAME, split_elements
from .planes import read_planes
from .routers import codebook_width

MODES = ("verbatim", "planes", "deltas", "permuted")
VERBATIM, PLANES, DELTAS, PERMUTED = range(4)

FEWEST_OF_THE_LIMIT = 256
WIDTH_OF_BIT_LENGTHS = {4: 6, 2: 5, 1: 4}


def decode_floats(
    reader: Reader, rows: int, entries: int, dtype: str, n: int, features: int
) -> list[bytes]:
    """`floats(rows, entries)` of a frame of n elements: the values as elements of the dtype."""
    mode = reader.u8("mode of floats")
    require(mode < len(MODES), f"mode {mode} of floats", Unsupported)
    count = rows * entries
    item_size = BY_NAME[dtype].item_size
    if mode == VERBATIM:
        return split_elements(reader.take(count * item_size, "floats"), item_size)
    require(count <= max(n, FEWEST_OF_THE_LIMIT), "too many coded floats")
    body = reader.part(reader.vu("length of coded floats"), "coded floats")
    streams = Streams(body, features, routed=0)
    if mode == PLANES:
        values = read_planes(body, streams, count, dtype)
    else:
        lengths = streams.read(count, WIDTH_OF_BIT_LENGTHS[item_size])
        if mode == PERMUTED:
            _check_order(streams.read(count, codebook_width(entries)), rows, entries)
        values = _from_deltas(body.take(body.left, "bits"), lengths, entries, item_size)
    body.at_end("coded floats")
    return values


def _from_deltas(data: bytes, lengths: list[int], entries: int, item_size: int) -> list[bytes]:
    """The values of mode deltas, row after row."""
    size = 8 * item_size
    bits = BitString(data, "bits of deltas")
    values = []
    key = 0
    for i, length in enumerate(lengths):
        require(length <= size, f"a delta of {length} bits")
        delta = 0 if length == 0 else 1 << (length - 1) | bits.take(length - 1)
        key = delta if i % entries == 0 else (key + delta) % (1 << size)
        values.append(_value_of(key, size).to_bytes(item_size, "little"))
    bits.at_end()
    return values


def _value_of(key: int, size: int) -> int:
    """The bits of the value of a key: the keys of values with sign bit 1 have the top bit 0."""
    sign = 1 << (size - 1)
    return key ^ sign if key & sign else key ^ ((1 << size) - 1)


def _check_order(order: list[int], rows: int, entries: int) -> None:
    """The rules of the order stream, which do not depend on `c`. Nor do the values depend on it."""
    for row in range(rows):
        for left, z in zip(range(entries, 0, -1), order[row * entries :], strict=False):
            require(z < left, "the order stream names no value that is left")
