"""Elements of kind planes, written straight from section 4 of docs/format.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.writers.stream_writer import vu

EXPONENT_BITS = {"f32": 8, "f16": 5, "bf16": 8, "f64": 11}

ROTATED = (*EXPONENT_BITS, "f8e4m3", "f8e5m2")
SIGNED = ("i8", "i16", "i32", "i64")

#: Symbols and width to a whole stream.
Coder = Callable[[Sequence[int], int], bytes]


def turned(word: int, dtype: str, bits: int) -> int:
    """An element as the integer whose bytes are the planes."""
    if dtype in ROTATED:
        word = (word << 1 | word >> bits - 1) & (1 << bits) - 1
    return word ^ 1 << bits - 1 if dtype in SIGNED else word


def write_planes(
    dtype: str, size: int, words: Sequence[int], mantissa_bits: int, base: int, coder: Coder
) -> bytes:
    """The value streams of elements, given as unsigned integers.

    `mantissa_bits` and `base` are fields of f32, f16, bf16 and f64.
    """
    width = 1 if dtype == "bool" else 8
    words = [turned(word, dtype, 8 * size) for word in words]
    if dtype in EXPONENT_BITS:
        return _write_floats(dtype, size, words, mantissa_bits, base, coder)
    planes = range(8 * size - 8, -1, -8)
    return b"".join(coder([word >> shift & 255 for word in words], width) for shift in planes)


def _write_floats(
    dtype: str, size: int, words: Sequence[int], mantissa_bits: int, base: int, coder: Coder
) -> bytes:
    """Exponents by their distance from the base; those that are too far are escapes."""
    bits, exponent_bits = 8 * size, EXPONENT_BITS[dtype]
    rest_bits = 16 - exponent_bits - mantissa_bits
    escape = 255 >> mantissa_bits
    escapes: list[int] = []
    streams: list[list[int]] = [[] for _ in range(size)]
    for word in words:
        exponent, upper = word >> bits - exponent_bits, word >> bits - 16
        distance = (exponent - base) % (1 << exponent_bits)
        if distance >= escape:
            distance = escape
            escapes.append(exponent)
        mantissa = upper >> rest_bits & (1 << mantissa_bits) - 1
        streams[0].append(distance << mantissa_bits | mantissa)
        streams[1].append(upper & (1 << rest_bits) - 1)
        for i in range(2, size):
            streams[i].append(word >> bits - 8 - 8 * i & 255)
    widths = [8, rest_bits] + [8] * (size - 2)
    written = bytes([mantissa_bits | (base > 0) << 3 | bool(escapes) << 4])
    written += vu(base) if base else b""
    written += vu(len(escapes)) + coder(escapes, exponent_bits) if escapes else b""
    return written + b"".join(coder(s, w) for s, w in zip(streams, widths, strict=True))
