"""Coded parameters, written straight from section 5 of docs/format.md.

Independent of the library's encoder: every way can be asked for, also where none would choose it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.writers.planes_writer import Coder, write_planes
from tests.writers.stream_writer import bitpacked_body, vu

MODES = ("verbatim", "planes", "deltas", "permuted")


def floats(mode: str, data: bytes, dtype: str, size: int, entries: int, coder: Coder) -> bytes:
    """floats(rows, entries) of values that stand in `data` verbatim."""
    if mode == "verbatim":
        return b"\0" + data
    if mode == "planes":
        return planes(data, dtype, size, 3, 0, coder)
    return _body(mode, _deltas(_bits(data, size), size, entries, coder, mode == "permuted"))


def planes(
    data: bytes, dtype: str, size: int, mantissa_bits: int, base: int, coder: Coder
) -> bytes:
    """Values as elements of kind planes."""
    return _body("planes", write_planes(dtype, size, _bits(data, size), mantissa_bits, base, coder))


def _body(mode: str, body: bytes) -> bytes:
    return bytes([MODES.index(mode)]) + vu(len(body)) + body


def _bits(data: bytes, size: int) -> list[int]:
    return [int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size)]


def key_of(bits: int, size: int) -> int:
    """An unsigned integer in the order of numbers."""
    return bits ^ ((1 << 8 * size) - 1 if bits >> 8 * size - 1 else 1 << 8 * size - 1)


def order_of(data: bytes, size: int) -> list[int]:
    """Of the values of a row, as they stand, their numbers in ascending order."""
    keys = [key_of(word, size) for word in _bits(data, size)]
    places = sorted(range(len(keys)), key=lambda place: keys[place])
    return [places.index(place) for place in range(len(keys))]


def _deltas(words: list[int], size: int, entries: int, coder: Coder, permuted: bool) -> bytes:
    deltas: list[int] = []
    order: list[int] = []
    for first in range(0, len(words), entries):
        keys = [key_of(word, size) for word in words[first : first + entries]]
        row = sorted(keys) if permuted else keys
        deltas += [
            (key - before) % (1 << 8 * size)
            for before, key in zip([0, *row[:-1]], row, strict=True)
        ]
        order += _order(keys, sorted(keys))
    lengths = [delta.bit_length() for delta in deltas]
    body = coder(lengths, {4: 6, 2: 5, 1: 4}[size])
    if permuted:
        body += coder(order, max((entries - 1).bit_length(), 1))
    return body + delta_bits(deltas)


def _order(keys: list[int], ascending: list[int]) -> list[int]:
    left, at, symbols = list(ascending), 0, []
    for key in keys:
        place = left.index(key)
        symbols.append((place - at) % len(left))
        del left[place]
        at = place
    return symbols


def delta_bits(deltas: Sequence[int]) -> bytes:
    """The bits of each delta under its leading one."""
    text = "".join(format(delta, "b")[:0:-1] for delta in deltas)  # the lowest first
    return bitpacked_body([int(bit) for bit in text], 1)
