"""ONNX files: the initializers and constants of the graph, and of the graphs in it, are tensors.

Those that lie in the file, or beside it in a file of external data, as plain bytes are read where
they are. Others are stored as numbers of one to ten bytes each.

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

#: Fields of `ModelProto`, `GraphProto`, `NodeProto` and `AttributeProto`.
_GRAPH, _OPSETS = 7, 8
_NODE, _INITIALIZER = 1, 5
_OUTPUT, _ATTRIBUTE = 2, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 1, 5, 6
#: The attribute of a node that is a constant.
_VALUE = "value"
#: Constants of fewer bytes stay in the rest of the file: shapes, axes and single numbers.
_SMALLEST_CONSTANT = 256
#: Between the names of a node, of its graph, and of a tensor of that.
_SEPARATOR = "/"
_MAX_DEPTH = 16
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
    missing = {_GRAPH, _OPSETS}
    found: list[tuple[str, Located | Unreadable]] = []
    for field in fields(source, 0, source.size):
        missing.discard(field.number)
        if field.number == _GRAPH and field.wire == BYTES:
            for name, message in _messages(source, field, limits):
                found.append((name, _tensor(source, name, message, beside)))
                limits.check_count(len(found))
    if missing:
        raise CorruptError("ONNX: the graph or its operator sets are missing: incomplete download?")
    return directory_of(found, source, limits, format="ONNX")


def _messages(source: Readable, graph: Field, limits: Limits) -> Iterator[tuple[str, Field]]:
    """Yield the names and messages of the tensors of a graph, and of the graphs within it."""
    waiting = [("", graph)]
    graphs = 0
    while waiting:
        prefix, graph = waiting.pop()
        graphs += 1
        limits.check_count(graphs, "graphs of an ONNX file")
        if prefix.count(_SEPARATOR) > _MAX_DEPTH:
            raise UnsupportedError(f"ONNX: graphs are nested more than {_MAX_DEPTH} deep")
        for field in fields(source, graph.start, graph.stop):
            if field.wire != BYTES:
                continue
            if field.number == _INITIALIZER:
                yield prefix + _name_of(source, field, _NAME), field
            elif field.number == _NODE:
                tensors, inside = _node(source, field)
                yield from ((prefix + name, message) for name, message in tensors)
                waiting += [(prefix + name + _SEPARATOR, message) for name, message in inside]


def _node(source: Readable, node: Field) -> tuple[list[tuple[str, Field]], list[tuple[str, Field]]]:
    """Return the tensor of a constant, called as its output, and the graphs of a node."""
    output = _name_of(source, node, _OUTPUT)
    tensors: list[tuple[str, Field]] = []
    graphs: list[tuple[str, Field]] = []
    for attribute in fields(source, node.start, node.stop):
        if attribute.number != _ATTRIBUTE or attribute.wire != BYTES:
            continue
        name = ""
        for field in fields(source, attribute.start, attribute.stop):
            if field.number == _ATTRIBUTE_NAME and field.wire == BYTES:
                name = _text(source, field)
            elif field.number == _ATTRIBUTE_GRAPH and field.wire == BYTES:
                graphs.append((f"{output}.{name}", field))
            elif field.number == _ATTRIBUTE_TENSOR and _is_constant(name, field):
                tensors.append((output, field))
    return tensors, graphs


def _is_constant(name: str, tensor: Field) -> bool:
    return name == _VALUE and tensor.stop - tensor.start >= _SMALLEST_CONSTANT


def _name_of(source: Readable, message: Field, number: int) -> str:
    """Return the first text of a message under a number."""
    for field in fields(source, message.start, message.stop):
        if field.number == number and field.wire == BYTES:
            return _text(source, field)
    return ""


def _tensor(
    source: Readable, name: str, message: Field, beside: Beside | None
) -> Located | Unreadable:
    dims, kind, location = [], 0, 0
    external: dict[str, str] = {}
    data: list[Field] = []
    for field in fields(source, message.start, message.stop):
        if field.number == _DIMS:
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
            return Unreadable(f"of ONNX's type {kind}")
        dtype = BY_NAME[_TYPES[kind]].safetensors
        if location == _IS_EXTERNAL:
            return _external(dtype, shape, external, beside)
        return _inside(dtype, shape, data)


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
