"""Section 4: kinds bytes, affine and codebook; the arithmetic; and the output type."""

from __future__ import annotations

from functools import cache

from .codings import Streams
from .conventions import Unsupported, require
from .element_types import BY_NAME, FLOAT_TYPES, IEEE_TYPES, element_of, float_of, split_elements
from .head import AFFINE, Head
from .parameters import Parameters


def read_bytes(streams: Streams, m: int, head: Head) -> list[bytes]:
    """The m elements of a value stream of kind bytes."""
    size = head.form.item_size
    return split_elements(bytes(streams.read(m * size, min(head.form.bits, 8))), size)


def read_codes(
    streams: Streams, stored: list[int], head: Head, parameters: Parameters
) -> list[bytes]:
    """The elements of kind affine or codebook; `stored` has their indices in the tensor."""
    codes = streams.read(len(stored), parameters.code_width)

    @cache
    def element(code: int, book: int, group: int) -> bytes:
        return element_of(_value_of_code(code, book, group, head, parameters), head.dtype)

    book_of, group_of = parameters.codebook_groups.group_of, parameters.scale_groups.group_of
    return [element(code, book_of(i), group_of(i)) for code, i in zip(codes, stored, strict=True)]


def _value_of_code(code: int, book: int, group: int, head: Head, parameters: Parameters) -> float:
    if head.kind == AFFINE:
        by_group = parameters.zero_mode == 1
        value = float(code - parameters.zero_points[group if by_group else 0])
    else:
        require(code < parameters.entries, f"code {code} of {parameters.entries} entries")
        value = parameters.codebooks[book * parameters.entries + code]
    return _scaled(value, group, parameters) if head.scaled else value


def scaled_elements(
    elements: list[bytes], indices: list[int], head: Head, parameters: Parameters
) -> list[bytes]:
    """Stored elements of kind planes times their scales; `indices` has theirs in the tensor."""
    group_of, stored_dtype = parameters.scale_groups.group_of, parameters.stored_dtype
    values = [float_of(element, stored_dtype) for element in elements]
    return [
        element_of(_scaled(value, group_of(i), parameters), head.dtype)
        for value, i in zip(values, indices, strict=True)
    ]


def _scaled(value: float, group: int, parameters: Parameters) -> float:
    scale = parameters.scales[group]
    if parameters.second_scale is not None:
        scale = multiply(parameters.second_scale, scale)
    return multiply(scale, value)


def multiply(a: float, b: float) -> float:
    """One f32 multiplication, rounded to nearest even."""
    # The product of two f32 is exact in Python's f64, so this rounds once.
    return float_of(element_of(a * b, "f32"), "f32")


def may_be_given_as(source: str, dtype: str) -> bool:
    """Whether a tensor of the dtype `source` may have the output type `dtype`."""
    return source == dtype or (source in FLOAT_TYPES and dtype in IEEE_TYPES)


def require_output_type(source: str, dtype: str) -> None:
    """The document names no error for a reader that asks for another type: Unsupported here."""
    require(may_be_given_as(source, dtype), f"{source} is not given as {dtype}", Unsupported)


def convert(element: bytes, source: str, dtype: str) -> bytes:
    """An element of the dtype `source`, in the output type `dtype`."""
    if source == dtype:
        return element
    require_output_type(source, dtype)
    return element_of(float_of(element, source), dtype)


def convert_all(elements: list[bytes], source: str, dtype: str) -> list[bytes]:
    """The same of many elements, of which many may be equal."""
    if source == dtype:
        return elements
    converted = {element: convert(element, source, dtype) for element in set(elements)}
    return [converted[element] for element in elements]


def zero_of(dtype: str) -> bytes:
    """What an element is that is neither stored nor a copy: only 0 bits, in the output type."""
    return bytes(BY_NAME[dtype].item_size)
