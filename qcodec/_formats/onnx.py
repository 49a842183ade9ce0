"""ONNX files: the initializers of the graph are tensors.

Those that lie in the file, or beside it in a file of external data, as plain bytes are read where
they are. The rest of the file is attached: everything but the bytes of these tensors. So the same
file can be written again, with other weights.

Source: onnx.proto of ONNX 1.19: `ModelProto`, `GraphProto`, `TensorProto`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .._base.messages import quoted, shape_text
from .._file.directory import Directory
from .._io.source import Readable
from ..dtypes import BY_NAME, BY_SAFETENSORS
from ..errors import CorruptError, UnsupportedError, naming
from ..limits import Limits
from .directories import directory_of
from .located import Located, Unreadable
from .protobuf import BYTES, MAX_VARINT_BYTES, Field, fields, varint
from .reading import Stream

Array = np.ndarray[Any, Any]

#: The attached bytes: the file without the bytes of its tensors.
REST = "onnx.rest"

_GRAPH, _OPSETS, _INITIALIZER = 7, 8, 5
#: The fields of `TensorProto`.
_DIMS, _TYPE, _FLOATS, _INT32S, _INT64S, _NAME, _RAW, _DOUBLES, _UINT64S = (
    1, 2, 4, 5, 7, 8, 9, 10, 11
)  # fmt: skip
_EXTERNAL, _LOCATION = 13, 14
_IS_EXTERNAL = 1
#: `TensorProto.DataType`.
_TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64",
    16: "bfloat16", 17: "float8_e4m3fn", 18: "float8_e4m3fnuz", 19: "float8_e5m2",
    20: "float8_e5m2fnuz", 24: "float8_e8m0fnu",
}  # fmt: skip
#: Fields whose bytes, packed, are the elements.
_PLAIN = {_RAW, _FLOATS, _DOUBLES}
_NUMBERS = {_INT32S, _INT64S, _UINT64S}
_MAX_NAME = 4096
_MAX_DIMS = 64


#: Opens a file beside the ONNX file.
Beside = Callable[[str], tuple[int, int]]


_START = re.compile(rb"\x08[\x01-\x1f][\x12\x1a\x22\x3a\x42]")


def begins(start: bytes) -> bool:
    """Whether a file that begins so is probably one: the first field is the version."""
    return _START.match(start) is not None


def read_onnx(source: Readable, limits: Limits, beside: Beside | None = None) -> Directory:
    """Read the directory of an ONNX file.

    Parameters
    ----------
    source : Readable
    limits : Limits
    beside : callable, optional
        Opens a file beside this one, by its name; returns the offset of its first byte in
        `source` and of what follows it.

    Raises
    ------
    QCodecError
        If it is broken, or has more tensors than the limits allow.
    """
    size = source.size  # without what is opened later
    found = [
        (name, tensor)
        for message in initializers(source, size, limits)
        for name, tensor in [_initializer(source, message, beside)]
    ]
    return directory_of(found, source, limits, format="ONNX")


def initializers(source: Readable, size: int, limits: Limits) -> Iterator[Field]:
    """Yield the messages of the graph's initializers, in the order of the file.

    Raises
    ------
    CorruptError
        If there is no graph, or what every file has behind it is missing.
    """
    count = 0
    missing = {_GRAPH, _OPSETS}
    for graph in fields(source, 0, size):
        missing.discard(graph.number)
        if graph.number == _GRAPH and graph.wire == BYTES:
            for one in fields(source, graph.start, graph.stop):
                if one.number == _INITIALIZER and one.wire == BYTES:
                    count += 1
                    limits.check_count(count)
                    yield one
    if missing:
        raise CorruptError("ONNX: the graph or its operator sets are missing: incomplete download?")


def _initializer(
    source: Readable, message: Field, beside: Beside | None
) -> tuple[str, Located | Unreadable]:
    name, dims, kind, location = "", [], 0, 0
    external: dict[str, str] = {}
    data: list[Field] = []
    for field in fields(source, message.start, message.stop):
        if field.number == _NAME and field.wire == BYTES:
            name = _text(source, field)
        elif field.number == _DIMS:
            dims += _numbers(source, field)
            if len(dims) > _MAX_DIMS:
                raise CorruptError(f"ONNX: a tensor of more than {_MAX_DIMS} dimensions")
        elif field.number == _TYPE:
            kind = field.value
        elif field.number == _LOCATION:
            location = field.value
        elif field.number == _EXTERNAL and field.wire == BYTES:
            external.update([_entry(source, field)])
        elif field.number in _PLAIN | _NUMBERS:
            data.append(field)
    shape = tuple(dims)
    with naming(name):
        if kind not in _TYPES:
            return name, Unreadable(f"of ONNX's type {kind}")
        dtype = BY_NAME[_TYPES[kind]].safetensors
        if location == _IS_EXTERNAL:
            return name, _external(dtype, shape, external, beside)
        return name, _inside(dtype, shape, data)


def _inside(dtype: str, shape: tuple[int, ...], data: list[Field]) -> Located | Unreadable:
    """Return a tensor of the file itself."""
    if not data:
        return Located(dtype, shape, 0, 0)
    if len(data) > 1:
        return Unreadable("in several pieces")
    (field,) = data
    if field.wire != BYTES:
        return Unreadable("in several pieces")
    tensor = Located(dtype, shape, field.start, field.stop)
    if field.number in _PLAIN:
        return tensor
    convert = partial(_unpacked, shape=shape, dtype=dtype)
    return tensor._replace(size=field.stop - field.start, convert=convert)


def _external(
    dtype: str, shape: tuple[int, ...], external: dict[str, str], beside: Beside | None
) -> Located:
    """Return a tensor of a file beside this one."""
    if beside is None:
        raise UnsupportedError("its data are in another file: open the ONNX file by its path")
    start, stop = beside(external.get("location", ""))
    offset, length = (_size(external.get(key)) for key in ("offset", "length"))
    begin = start + (offset or 0)
    return Located(dtype, shape, begin, stop if length is None else min(stop, begin + length))


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise CorruptError(f"external data at {quoted(text)}")
    return int(text)


def _entry(source: Readable, message: Field) -> tuple[str, str]:
    """Return key and value of a `StringStringEntryProto`."""
    found = {1: "", 2: ""}
    for field in fields(source, message.start, message.stop):
        if field.number in found and field.wire == BYTES:
            found[field.number] = _text(source, field)
    return found[1], found[2]


def _text(source: Readable, field: Field) -> str:
    if field.stop - field.start > _MAX_NAME:
        raise CorruptError(f"ONNX: a name of more than {_MAX_NAME:,} bytes", field.start)
    try:
        return str(source.read(field.start, field.stop - field.start), "utf-8")
    except UnicodeDecodeError:
        raise CorruptError("ONNX: a name is not UTF-8", field.start) from None


def _numbers(source: Readable, field: Field) -> list[int]:
    """Return the numbers of a field, which may be packed."""
    if field.wire != BYTES:
        return [field.value]
    stream = Stream(source, field.start, field.stop, "packed numbers")
    found: list[int] = []
    while stream.left > 0 and len(found) <= _MAX_DIMS:
        found.append(varint(stream))
    return found


def _unpacked(data: Array, shape: tuple[int, ...], dtype: str) -> Array:
    """Return the elements that are stored as numbers, each of one to ten bytes."""
    ends = np.flatnonzero(data < 0x80) + 1
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    lengths = ends - starts
    carrier = BY_SAFETENSORS[dtype].carrier
    if len(ends) != math.prod(shape) or (len(ends) and ends[-1] != len(data)):
        raise CorruptError(f"{len(ends):,} numbers for {dtype}{shape_text(shape)}")
    if len(ends) and lengths.max() > MAX_VARINT_BYTES:
        raise CorruptError("a number that is too long")
    values = np.zeros(len(ends), np.uint64)
    for at in range(int(lengths.max(initial=0))):
        has = np.flatnonzero(lengths > at)
        part = (data[starts[has] + at] & 0x7F).astype(np.uint64)
        values[has] |= part << np.uint64(7 * at)
    unsigned = np.dtype(f"u{carrier.itemsize}")
    found: Array = values.astype(unsigned).view(carrier)
    return found.reshape(shape)
