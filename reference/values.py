"""Section 4: what a stored element is."""

from __future__ import annotations

import math

from .codings import Stream
from .conventions import Reader, require
from .element_types import converted_nan, element_of, float_of, round_to_f32
from .head import AFFINE, BYTES, PLANES, Head
from .parameters import Parameters
from .planes import FloatPlanes, PlainPlanes, open_planes


def open_values(
    reader: Reader, head: Head, parameters: Parameters, count: int
) -> Stream | PlainPlanes | FloatPlanes:
    """Open the value streams of `count` stored elements."""
    if head.kind == PLANES:
        dtype = parameters.stored_dtype or head.dtype
        return open_planes(reader, dtype, head.features, count)
    if head.kind == BYTES:
        return Stream(reader, count * head.dtype.size, min(head.dtype.bits, 8), head.features)
    return Stream(reader, count, parameters.width, head.features)


def values_of(
    streams: Stream | PlainPlanes | FloatPlanes,
    head: Head,
    parameters: Parameters,
    stored: list[int],
    dtype: str,
) -> list[bytes]:
    """The stored elements in the output type; `stored` has their indices in the tensor."""
    if not isinstance(streams, Stream) and head.scaled:
        values = _scaled_elements(streams.elements(), parameters, stored)
        return [element_of(value, dtype) for value in values]
    if head.kind in (BYTES, PLANES):
        elements = _bytes(streams, head) if isinstance(streams, Stream) else streams.elements()
        return [convert(element, head.dtype.name, dtype) for element in elements]
    assert isinstance(streams, Stream)
    value_of = _affine if head.kind == AFFINE else _codebook
    return [
        element_of(value_of(code, element, parameters), dtype)
        for code, element in zip(streams.symbols(), stored, strict=True)
    ]


def _bytes(stream: Stream, head: Head) -> list[bytes]:
    content, size = bytes(stream.symbols()), head.dtype.size
    return [content[at : at + size] for at in range(0, len(content), size)]


def _scaled_elements(
    elements: list[bytes], parameters: Parameters, stored: list[int]
) -> list[float]:
    assert parameters.stored_dtype is not None
    name = parameters.stored_dtype.name
    numbers = [float_of(element, name) for element in elements]
    return [_scaled(number, at, parameters) for number, at in zip(numbers, stored, strict=True)]


def convert(element: bytes, source: str, dtype: str) -> bytes:
    """An element in another type, rounded once; in its own type, its bits unchanged."""
    if source == dtype:
        return element
    value = float_of(element, source)
    return converted_nan(element, source, dtype) if math.isnan(value) else element_of(value, dtype)


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
    if parameters.scales is None:
        return value
    scale = parameters.scales.values[parameters.scales.of(element)]
    if parameters.second_scale is not None:
        scale = round_to_f32(parameters.second_scale * scale)
    return round_to_f32(scale * value)
