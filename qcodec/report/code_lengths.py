"""The length of each symbol's code in a stream, from the tables at the stream's beginning.

Adaptive codings (contexts) have none, and split streams have several; docs/format.md, section 7,
describes the tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._core import core

Array = np.ndarray[Any, Any]
Lengths = dict[int, float]

_VALUES = 3  # the role of the stream of codes
_NAMES = core.coding_names()
_MAX_WIDTH = 8
_ESCAPED_BITS = 8
_REPEATED_ZERO, _REPEATED = 13, 14


def code_lengths(
    frame: core.Frame, read: Callable[[int, int], Any], index: int = 0
) -> tuple[str, Lengths | None]:
    """Return the coding of the codes in one chunk of a frame, and the bits of each symbol.

    Parameters
    ----------
    frame : Frame
        Of kind affine or codebook.
    read : callable
        Returns bytes of the frame by offset and size.
    index : int
        Of the chunk.

    Returns
    -------
    coding : str
        Empty if the chunk has no codes.
    lengths : dict of int to float, or None
        Whole bits of Huffman codes and of fixed widths; of tANS the bits that a symbol takes on
        average, which need not be whole. None if no table says.
    """
    offset, size, _, _ = frame.chunk(index)
    chunk = np.frombuffer(read(offset, size), np.uint8)
    for role, coding, length, start in frame.streams(index, chunk):
        if role == _VALUES:
            name = _NAMES[coding]
            reader = _READERS.get(name)
            body = _body(chunk[start : start + length])
            return name, None if reader is None else reader(body, frame.width)
    return "", None


def _body(stream: Array) -> Array:
    """Return a stream without its coding and its length."""
    at = 1
    while stream[at] & 0x80:
        at += 1
    return stream[at + 1 :]


def _constant(body: Array, width: int) -> Lengths:  # noqa: ARG001
    return {int.from_bytes(body.tobytes(), "little"): 0.0}


def _bitpacked(body: Array, width: int) -> Lengths:  # noqa: ARG001
    return {symbol: float(width) for symbol in range(1 << width)}


def _huffman(body: Array, width: int) -> Lengths:  # noqa: ARG001
    table = body[1 : 1 + (1 << _MAX_WIDTH)]  # the codes follow
    nibbles = np.stack([table & 15, table >> 4], axis=1).reshape(-1)
    symbols, lengths, at = int(body[0]) + 1, list[int](), 0
    while len(lengths) < symbols:
        nibble = int(nibbles[at])
        at += 1
        if nibble < _REPEATED_ZERO:
            lengths.append(nibble)
            continue
        last = lengths[-1] if nibble == _REPEATED else 0
        lengths += [last] * (int(nibbles[at]) + 3)
        at += 1
    return {symbol: float(length) for symbol, length in enumerate(lengths) if length}


def _lanes_huffman(body: Array, width: int) -> Lengths:
    classes, numbers = int(body[1]) + 1, body[2:9]
    lengths = np.repeat(np.arange(1, 8), numbers).tolist()
    return _of_classes(int(body[0]), lengths[:classes], body[9:], width)


def _lanes_tans(body: Array, width: int) -> Lengths:
    classes, states = int(body[1]) + 1, 32 << (int(body[0]) >> 4)
    counts = body[2 : 2 + classes]
    lengths = [math.log2(states / max(int(count), 1)) for count in counts]
    return _of_classes(int(body[0]) & 15, lengths, body[2 + classes :], width)


def _of_classes(first: int, lengths: Sequence[float], values: Array, width: int) -> Lengths:
    """Return the lengths of symbols by those of the classes that their upper bits are coded as."""
    low_bits, escape = first & 7, first >> 3 & 1
    found: Lengths = {}
    for length, value in zip(lengths[: len(lengths) - escape], values.tolist(), strict=False):
        for low in range(1 << low_bits):
            symbol = value << low_bits | low
            found[symbol] = min(found.get(symbol, math.inf), length + low_bits)
    if escape:
        for symbol in range(1 << width):
            found.setdefault(symbol, lengths[-1] + _ESCAPED_BITS)
    return found


_READERS: dict[str, Callable[[Array, int], Lengths]] = {
    "constant": _constant,
    "bitpacked": _bitpacked,
    "huffman": _huffman,
    "lanes_huffman": _lanes_huffman,
    "lanes_tans": _lanes_tans,
}
