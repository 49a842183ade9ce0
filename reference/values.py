"""Section 4: what a stored element is."""

from __future__ import annotations

from .codings import Stream
from .conventions import Reader, require
from .element_types import element_of, float_of, round_to_f32
from .exponents import Exponents
from .head import AFFINE, BYTES, EXPONENTS, PLANES, Head
from .parameters import Parameters

_ROTATED = ("f32", "f16", "bf16", "f64")


def open_values(
    reader: Reader, head: Head, parameters: Parameters, count: int
) -> list[Stream] | Exponents:
    """Open the value streams of `count` stored elements."""
    if head.kind == EXPONENTS:
        return Exponents(reader, head, count)
    width = 1 if head.dtype.name == "bool" else 8
    if head.kind == BYTES:
        return [Stream(reader, count * head.dtype.size, width, head.features)]
    if head.kind == PLANES:
        return [Stream(reader, count, width, head.features) for _ in range(head.dtype.size)]
    return [Stream(reader, count, parameters.width, head.features)]


def values_of(
    streams: list[Stream] | Exponents,
    head: Head,
    parameters: Parameters,
    stored: list[int],
    dtype: str,
) -> list[bytes]:
    """The stored elements in the output type; `stored` has their indices in the tensor."""
    if isinstance(streams, Exponents):
        elements = streams.elements()
        return [convert(element, head.dtype.name, dtype) for element in elements]
    symbols = [stream.symbols() for stream in streams]
    if head.kind in (BYTES, PLANES):
        elements = (_bytes if head.kind == BYTES else _planes)(symbols, head)
        return [convert(element, head.dtype.name, dtype) for element in elements]
    value_of = _affine if head.kind == AFFINE else _codebook
    return [
        element_of(value_of(code, element, parameters), dtype)
        for code, element in zip(symbols[0], stored, strict=True)
    ]


def _bytes(symbols: list[list[int]], head: Head) -> list[bytes]:
    content, size = bytes(symbols[0]), head.dtype.size
    return [content[at : at + size] for at in range(0, len(content), size)]


def _planes(symbols: list[list[int]], head: Head) -> list[bytes]:
    size = head.dtype.size
    words = [int.from_bytes(column, "big") for column in zip(*symbols, strict=True)]
    if head.dtype.name in _ROTATED:
        words = [word >> 1 | (word & 1) << 8 * size - 1 for word in words]
    return [word.to_bytes(size, "little") for word in words]


def convert(element: bytes, source: str, dtype: str) -> bytes:
    """An element in another type, rounded once; in its own type, its bits unchanged."""
    return element if source == dtype else element_of(float_of(element, source), dtype)


def _affine(code: int, element: int, parameters: Parameters) -> float:
    scales = parameters.scales
    zero_point = parameters.zero_point
    if parameters.zero_points is not None and scales is not None:
        zero_point = parameters.zero_points[scales.of(element)]
    return _scaled(float(code - zero_point), element, parameters)


def _codebook(code: int, element: int, parameters: Parameters) -> float:
    books = parameters.books
    assert books is not None
    require(code < parameters.entries, "a code beyond the codebook")
    return _scaled(books.values[books.of(element) * parameters.entries + code], element, parameters)


def _scaled(value: float, element: int, parameters: Parameters) -> float:
    """One f32 multiplication. The product of two f32 is exact in f64, so this rounds once."""
    scales = parameters.scales
    return value if scales is None else round_to_f32(scales.values[scales.of(element)] * value)
