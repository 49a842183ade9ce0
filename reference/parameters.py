"""Section 5: the parameters, which all chunks of a frame share."""

from __future__ import annotations

from dataclasses import dataclass, field

from .coded_floats import decode_floats
from .conventions import Reader, Unsupported, require
from .element_types import TABLE, float_of
from .groups import ONE_GROUP, Groups, read_lengths
from .head import AFFINE, CODEBOOK, COPIES, CSR, DELTA, DENSE, GAPS, PLANES, Head
from .routers import codebook_width

WIDEST = 16
STORED_DTYPES = (1, 2)
CODEBOOK_DTYPES = (0, 1, 2)
SCALE_DTYPES = (0, 1, 2, 13, 15)
WITH_SECOND_SCALE = 64
ZERO_POINT_LIMIT, STEP_LIMIT = 1 << 16, 1 << 12
DIGEST_LENGTH = 8


@dataclass
class Parameters:
    """The parameters; each is used only where it applies."""

    stored_dtype: str = ""
    code_width: int = 0
    zero_mode: int = 0
    zero_points: list[int] = field(default_factory=list)
    entries: int = 0
    codebooks: list[float] = field(default_factory=list)
    codebook_groups: Groups = ONE_GROUP
    digest: bytes = b""
    step: int = 0
    filter_width: int = 1
    filter_height: int = 1
    gap_width: int = 0
    scales: list[float] = field(default_factory=list)
    second_scale: float | None = None
    scale_groups: Groups = ONE_GROUP


def read_parameters(reader: Reader, head: Head) -> Parameters:
    """All parameters, in their order."""
    parameters = Parameters()
    if head.kind == PLANES and head.scaled:
        dtype_id = reader.u8("stored dtype")
        require(dtype_id in STORED_DTYPES, f"stored elements of dtype {dtype_id}", Unsupported)
        parameters.stored_dtype = TABLE[dtype_id].name
    if head.kind == AFFINE:
        _read_affine(reader, head, parameters)
    if head.kind == CODEBOOK:
        _read_codebooks(reader, head, parameters)
    if head.kind == DELTA:
        _read_delta(reader, head, parameters)
    if head.positions in (GAPS, CSR):
        parameters.gap_width = _read_width(reader, "gap width")
    if head.scaled:
        _read_scales(reader, head, parameters)
    if parameters.zero_mode == 1:
        count = parameters.scale_groups.count
        elements = decode_floats(reader, count, 1, "u16", head.n, head.features)
        parameters.zero_points = [int.from_bytes(element, "little") for element in elements]
    if head.positions == COPIES:
        one_of_each = parameters.codebook_groups.count == 1 and parameters.scale_groups.count == 1
        require(one_of_each, "copies with several codebooks or scales", Unsupported)
    return parameters


def _read_width(reader: Reader, what: str) -> int:
    width = reader.u8(what)
    require(width >= 1, f"{what} 0")
    require(width <= WIDEST, f"{what} {width}", Unsupported)
    return width


def _read_affine(reader: Reader, head: Head, parameters: Parameters) -> None:
    parameters.code_width = _read_width(reader, "width of codes")
    parameters.zero_mode = reader.u8("zero mode")
    require(parameters.zero_mode <= 1, f"zero mode {parameters.zero_mode}", Unsupported)
    if parameters.zero_mode == 0:
        zero_point = reader.vu("zero point")
        require(zero_point < ZERO_POINT_LIMIT, f"zero point {zero_point}")
        parameters.zero_points = [zero_point]
    else:
        require(head.scaled, "zero points by group without scales")


def _read_codebooks(reader: Reader, head: Head, parameters: Parameters) -> None:
    parameters.entries = reader.u8("entries") + 1
    parameters.code_width = codebook_width(parameters.entries)
    dtype_id = reader.u8("dtype of entries")
    require(dtype_id in CODEBOOK_DTYPES, f"entries of dtype {dtype_id}", Unsupported)
    books = reader.vu("books")
    require(books >= 1, "no codebook")
    if books > 1:
        parameters.codebook_groups = read_lengths(reader, reader.vu("inner"), books, head.n)
    dtype = TABLE[dtype_id].name
    elements = decode_floats(reader, books, parameters.entries, dtype, head.n, head.features)
    parameters.codebooks = [float_of(element, dtype) for element in elements]


def _read_delta(reader: Reader, head: Head, parameters: Parameters) -> None:
    parameters.digest = reader.take(DIGEST_LENGTH, "digest")
    parameters.step = reader.vu("step")
    require(parameters.step < STEP_LIMIT, f"step {parameters.step}")
    width, height = reader.u8("filter width"), reader.u8("filter height")
    require(width >= 1 and height >= 1, "a filter of no elements")
    has_one_element = width == 1 and height == 1
    require(has_one_element or head.positions == DENSE, "a filter of elements that are not dense")
    parameters.filter_width, parameters.filter_height = width, height


def _read_scales(reader: Reader, head: Head, parameters: Parameters) -> None:
    field_ = reader.u8("dtype of scales")
    has_second, dtype_id = bool(field_ & WITH_SECOND_SCALE), field_ & ~WITH_SECOND_SCALE
    require(dtype_id in SCALE_DTYPES, f"scales of dtype {field_}", Unsupported)
    if has_second:
        parameters.second_scale = float_of(reader.take(4, "second scale"), "f32")
    inner = reader.vu("inner")
    count = reader.vu("count")
    require(count >= 1, "no scale")
    parameters.scale_groups = read_lengths(reader, inner, count, head.n)
    dtype = TABLE[dtype_id].name
    elements = decode_floats(reader, count, 1, dtype, head.n, head.features)
    parameters.scales = [float_of(element, dtype) for element in elements]
