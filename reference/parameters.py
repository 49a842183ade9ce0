"""Section 5: the parameters that give codes their values, and gaps their width."""

from __future__ import annotations

from dataclasses import dataclass

from .conventions import Reader, Unsupported, require
from .element_types import TABLE, float_of
from .head import AFFINE, CODEBOOK, CSR, DELTA, GAPS, Head

_F32, _F16, _BF16, _F8E4M3, _E8M0 = 0, 1, 2, 13, 15


@dataclass(frozen=True)
class Groups:
    """Parameters that differ by group of elements."""

    values: list[float]
    count: int
    inner: int

    def of(self, element: int) -> int:
        """The group of an element, by its index in the whole tensor."""
        return element // self.inner % self.count


@dataclass
class Parameters:
    """What a frame's parameters say; each only where it applies."""

    width: int = 0
    zero_point: int = 0
    zero_points: list[int] | None = None
    entries: int = 0
    books: Groups | None = None
    gap_width: int = 0
    scales: Groups | None = None
    digest: bytes = b""
    step: int = 0
    kernel: tuple[int, int] = (1, 1)


def read_parameters(reader: Reader, head: Head) -> Parameters:
    """Read the parameters of a frame."""
    parameters = Parameters()
    zero_mode = 0
    if head.kind == AFFINE:
        zero_mode = _read_affine(reader, head, parameters)
    if head.kind == CODEBOOK:
        _read_codebook(reader, parameters)
    if head.kind == DELTA:
        _read_delta(reader, parameters)
    if head.positions in (GAPS, CSR):
        parameters.gap_width = _read_width(reader, "gap width")
    if head.scaled:
        dtype = _read_float_type(reader, (_F32, _F16, _BF16, _F8E4M3, _E8M0))
        inner = _read_positive(reader, "inner of the scales")
        count = _read_positive(reader, "count of the scales")
        parameters.scales = Groups(_read_floats(reader, dtype, count), count, inner)
    if zero_mode == 1 and parameters.scales:
        count = parameters.scales.count
        content = reader.take(2 * count, "zero points")
        parameters.zero_points = [
            int.from_bytes(content[2 * i : 2 * i + 2], "little") for i in range(count)
        ]
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


def _read_codebook(reader: Reader, parameters: Parameters) -> None:
    parameters.entries = reader.u8("entries") + 1
    parameters.width = max((parameters.entries - 1).bit_length(), 1)
    dtype = _read_float_type(reader, (_F32, _F16, _BF16))
    books = _read_positive(reader, "books")
    inner = _read_positive(reader, "inner of the books") if books > 1 else 1
    values = _read_floats(reader, dtype, books * parameters.entries)
    parameters.books = Groups(values, books, inner)


def _read_delta(reader: Reader, parameters: Parameters) -> None:
    parameters.digest = reader.take(8, "digest of the base")
    parameters.step = reader.vu("step")
    require(parameters.step < 1 << 12, "step is not below 2^12")
    width = reader.u8("width of a kernel")
    require(width, "width of a kernel is 0")
    height = reader.u8("height of a kernel")
    require(height, "height of a kernel is 0")
    parameters.kernel = (width, height)


def _read_width(reader: Reader, what: str) -> int:
    width = reader.u8(what)
    require(1 <= width <= 16, what)
    return width


def _read_positive(reader: Reader, what: str) -> int:
    value = reader.vu(what)
    require(value, f"{what} is 0")
    return value


def _read_float_type(reader: Reader, allowed: tuple[int, ...]) -> int:
    dtype = reader.u8("dtype of a parameter")
    require(dtype in allowed, "dtype of a parameter", Unsupported)
    return dtype


def _read_floats(reader: Reader, dtype: int, count: int) -> list[float]:
    require(reader.u8("how floats are stored") == 0, "reserved way to store floats", Unsupported)
    size = TABLE[dtype].size
    content = reader.take(count * size, "floats")
    name = TABLE[dtype].name
    return [float_of(content[at : at + size], name) for at in range(0, count * size, size)]
