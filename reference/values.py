"""Section 4: what a stored element is."""

from __future__ import annotations

from .codings import read_stream
from .conventions import Reader, require
from .element_types import element_of, float_of, round_to_f32
from .head import AFFINE, PLANES, RAW, Head
from .parameters import Parameters

_ROTATED = ("f32", "f16", "bf16", "f64")


def read_values(
    reader: Reader, head: Head, parameters: Parameters, stored: list[int], dtype: str
) -> list[bytes]:
    """The stored elements, given by their indices in the tensor, in the output type."""
    if head.kind in (RAW, PLANES):
        read = _read_raw if head.kind == RAW else _read_planes
        return [
            _convert(element, head.dtype.name, dtype) for element in read(reader, head, len(stored))
        ]
    codes = read_stream(reader, len(stored), parameters.width, head.features)
    value_of = _affine if head.kind == AFFINE else _codebook
    return [
        element_of(value_of(code, element, parameters), dtype)
        for code, element in zip(codes, stored, strict=True)
    ]


def _byte_width(head: Head) -> int:
    return 1 if head.dtype.name == "bool" else 8


def _read_raw(reader: Reader, head: Head, count: int) -> list[bytes]:
    size = head.dtype.size
    content = bytes(read_stream(reader, count * size, _byte_width(head), head.features))
    return [content[at : at + size] for at in range(0, count * size, size)]


def _read_planes(reader: Reader, head: Head, count: int) -> list[bytes]:
    size = head.dtype.size
    planes = [read_stream(reader, count, _byte_width(head), head.features) for _ in range(size)]
    words = [int.from_bytes(column, "big") for column in zip(*planes, strict=True)]
    if head.dtype.name in _ROTATED:
        words = [word >> 1 | (word & 1) << 8 * size - 1 for word in words]
    return [word.to_bytes(size, "little") for word in words]


def _convert(element: bytes, source: str, dtype: str) -> bytes:
    """Unchanged in its own type, whatever its bits; else rounded once."""
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
    """One f32 multiplication: the f64 product of two f32 is exact, so this rounds once."""
    scales = parameters.scales
    return value if scales is None else round_to_f32(scales.values[scales.of(element)] * value)
