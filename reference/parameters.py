"""Section 5: the parameters, such as codebooks, scales, zero points and widths."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from .coded_floats import MODES, decode_floats
from .conventions import Reader, Unsupported, require
from .element_types import TABLE, ElementType, float_of
from .head import AFFINE, CODEBOOK, COPIES, CSR, DELTA, GAPS, PLANES, Head

_ALWAYS_CODED = 256  # this many values may be coded even if the tensor is smaller

_F32, _F16, _BF16, _U16, _F8E4M3, _E8M0 = 0, 1, 2, 6, 13, 15


@dataclass(frozen=True)
class Groups:
    """A parameter that differs by group of elements."""

    values: list[float]
    count: int
    inner: int
    ends: list[int]  # of groups that have lengths of their own

    def of(self, element: int) -> int:
        """The group of an element, given its index in the whole tensor."""
        if self.ends:
            return bisect_right(self.ends, element)
        return element // self.inner % self.count


@dataclass
class Parameters:
    """The parameters of a frame; those that do not apply keep their defaults."""

    width: int = 0
    zero_point: int = 0
    zero_points: list[float] | None = None
    entries: int = 0
    books: Groups | None = None
    stored_dtype: ElementType | None = None
    gap_width: int = 0
    scales: Groups | None = None
    second_scale: float | None = None
    coded: list[Callable[[], None]] = field(default_factory=list)
    coded_bytes: int = 0
    digest: bytes = b""
    step: int = 0
    filter: tuple[int, int] = (1, 1)

    def decode_coded(self) -> None:
        """Decode the bodies of coded parameters."""
        for decode in self.coded:
            decode()


def read_parameters(reader: Reader, head: Head) -> Parameters:
    """Read the parameters of a frame."""
    parameters = Parameters()
    zero_mode = 0
    if head.kind == PLANES and head.scaled:
        parameters.stored_dtype = TABLE[_read_float_type(reader, (_F16, _BF16))]
    if head.kind == AFFINE:
        zero_mode = _read_affine(reader, head, parameters)
    if head.kind == CODEBOOK:
        _read_codebook(reader, head, parameters)
    if head.kind == DELTA:
        _read_delta(reader, parameters)
    if head.positions in (GAPS, CSR):
        parameters.gap_width = _read_width(reader, "gap width")
    if head.scaled:
        dtype = reader.u8("dtype of the scales")
        has_second, dtype = dtype & 64, dtype & ~64
        allowed = (_F32, _F16, _BF16, _F8E4M3, _E8M0)
        require(dtype in allowed, "dtype of the scales", Unsupported)
        if has_second:
            parameters.second_scale = float_of(reader.take(4, "second scale"), "f32")
        inner = reader.vu("inner of the scales")
        count = _read_positive(reader, "count of the scales")
        ends = [] if inner else _read_ends(reader, head, parameters, count)
        parameters.scales = Groups([], count, inner, ends)
        _read_floats(reader, head, parameters, dtype, count, 1, parameters.scales.values)
    if zero_mode and parameters.scales:
        parameters.zero_points = []
        count = parameters.scales.count
        _read_floats(reader, head, parameters, _U16, count, 1, parameters.zero_points)
    if head.positions == COPIES:
        groups = [group.count for group in (parameters.books, parameters.scales) if group]
        require(max(groups, default=1) == 1, "copies between groups", Unsupported)
    return parameters


def _read_affine(reader: Reader, head: Head, parameters: Parameters) -> int:
    parameters.width = _read_width(reader, "width")
    zero_mode = reader.u8("zero mode")
    require(zero_mode <= 1, "reserved zero mode", Unsupported)
    if zero_mode == 0:
        parameters.zero_point = reader.vu("zero point")
        require(parameters.zero_point < 1 << 16, "zero point is not below 2^16")
    else:
        require(head.scaled, "zero points by group without scales")
    return zero_mode


def _read_codebook(reader: Reader, head: Head, parameters: Parameters) -> None:
    parameters.entries = reader.u8("entries") + 1
    parameters.width = max((parameters.entries - 1).bit_length(), 1)
    dtype = _read_float_type(reader, (_F32, _F16, _BF16))
    books = _read_positive(reader, "books")
    inner = reader.vu("inner of the books") if books > 1 else 1
    ends = [] if inner else _read_ends(reader, head, parameters, books)
    parameters.books = Groups([], books, inner, ends)
    entries = parameters.entries
    _read_floats(reader, head, parameters, dtype, books, entries, parameters.books.values)


def _read_delta(reader: Reader, parameters: Parameters) -> None:
    parameters.digest = reader.take(8, "digest of the base")
    parameters.step = reader.vu("step")
    require(parameters.step < 1 << 12, "step is not below 2^12")
    width = reader.u8("width of a filter")
    require(width, "width of a filter is 0")
    height = reader.u8("height of a filter")
    require(height, "height of a filter is 0")
    parameters.filter = (width, height)


def _read_width(reader: Reader, what: str) -> int:
    width = reader.u8(what)
    require(width, f"{what} is 0")
    require(width <= 16, f"{what} is above 16", Unsupported)
    return width


def _read_positive(reader: Reader, what: str) -> int:
    value = reader.vu(what)
    require(value, f"{what} is 0")
    return value


def _read_ends(reader: Reader, head: Head, parameters: Parameters, count: int) -> list[int]:
    """Where groups end that have lengths of their own."""
    ends = [0]
    for _ in range(count):
        length = reader.vu("length of a group")
        require(1 <= length <= head.elements - ends[-1], "a group of no elements, or of too many")
        ends.append(ends[-1] + length)
    require(ends[-1] == head.elements, "groups of fewer elements than there are")
    parameters.coded_bytes += 8 * count
    return ends[1:]


def _read_float_type(reader: Reader, allowed: tuple[int, ...]) -> int:
    dtype = reader.u8("dtype of a parameter")
    require(dtype in allowed, "dtype of a parameter", Unsupported)
    return dtype


def _check_coded(head: Head, parameters: Parameters, count: int, size: int) -> None:
    require(count <= max(head.elements, _ALWAYS_CODED), "more coded values than elements")
    parameters.coded_bytes += count * size


def _read_floats(
    reader: Reader,
    head: Head,
    parameters: Parameters,
    dtype: int,
    rows: int,
    entries: int,
    values: list[float],
) -> None:
    """Read floats(rows, entries) into `values`; if they are coded, `decode_coded` does so."""
    mode = reader.u8("mode of the values")
    element, count = TABLE[dtype], rows * entries

    def append(elements: list[bytes]) -> None:
        for bits in elements:
            value = (
                int.from_bytes(bits, "little") if dtype == _U16 else float_of(bits, element.name)
            )
            values.append(value)

    if mode == 0:
        content, size = reader.take(count * element.size, "floats"), element.size
        append([content[at : at + size] for at in range(0, len(content), size)])
        return
    require(mode in MODES, "reserved mode of the values", Unsupported)
    _check_coded(head, parameters, count, element.size)
    body = reader.take(reader.vu("length of coded floats"), "coded floats")
    decode = partial(decode_floats, mode, body, rows, entries, element, head.features)
    parameters.coded.append(lambda: append(decode()))
