"""A strict reader of the header of safetensors files.

The safetensors library writes our files and reads them; it does not say where a
tensor's bytes are, and it takes the last one of duplicate names. Hence this reader,
which refuses whatever that library refuses, and ambiguous headers too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from .dtypes import BY_SAFETENSORS
from .errors import CorruptError, TruncatedError, UnsupportedError
from .foreign import refusal
from .source import Readable

MAX_HEADER_BYTES = 100_000_000
_LENGTH_BYTES = 8
_METADATA = "__metadata__"
_FIELDS = {"dtype", "shape", "data_offsets"}
#: Bits of an element; the last four are types that qcodec does not decode, but steps over.
_BITS = {name: 8 * row.itemsize for name, row in BY_SAFETENSORS.items()}
_BITS |= {"C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}


@dataclass(frozen=True)
class HeaderEntry:
    """One tensor of a safetensors file.

    Attributes
    ----------
    dtype : str
        As the header spells it, such as ``"F32"``.
    shape : tuple of int
    offset, size : int
        Of its bytes, from the file's first byte.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True)
class Header:
    """A whole header.

    Attributes
    ----------
    entries : dict of str to HeaderEntry
        In the order of their bytes.
    metadata : dict of str to str
    size : int
        Bytes before the first tensor, the length field included.
    """

    entries: dict[str, HeaderEntry]
    metadata: dict[str, str]
    size: int


def read_header(source: Readable) -> Header:
    """Read and check the header of a safetensors file.

    Parameters
    ----------
    source : Readable
        The whole file; only the header is read.

    Raises
    ------
    TruncatedError
        If the file is shorter than its header says.
    CorruptError
        If a rule of the safetensors format is broken; the message names it.
    UnsupportedError
        For an element type that is not known, or a file of another format, which is named.
    """
    size = _header_size(source)
    try:
        fields = _parse(bytes(source.read(_LENGTH_BYTES, size - _LENGTH_BYTES)))
    except RecursionError:
        _refuse("is nested too deeply")
    metadata = _metadata(fields.pop(_METADATA, None))
    entries = {name: _entry(name, value, size) for name, value in fields.items()}
    ordered = dict(sorted(entries.items(), key=lambda item: (item[1].offset, item[1].size)))
    _check_coverage(ordered, size, source.size)
    return Header(ordered, metadata, size)


def _refuse(rule: str, offset: int = _LENGTH_BYTES) -> NoReturn:
    raise CorruptError(f"safetensors header {rule}", offset)


def _header_size(source: Readable) -> int:
    if source.size < _LENGTH_BYTES + 1:
        message = f"file is {source.size:,} bytes, a safetensors file is at least 10"
        raise TruncatedError(message, 0, source.size, 10)
    start = source.read(0, _LENGTH_BYTES + 1)
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    # Before the length: what begins differently is most likely another kind of file.
    if start[_LENGTH_BYTES] != ord("{"):
        raise refusal(source)
    if length > MAX_HEADER_BYTES:
        _refuse(f"is {length:,} bytes, allowed are {MAX_HEADER_BYTES:,}", 0)
    if _LENGTH_BYTES + length > source.size:
        _short(source.size, "header", _LENGTH_BYTES + length)
    return _LENGTH_BYTES + length


def _short(file_size: int, what: str, needed: int) -> NoReturn:
    message = f"file is {file_size:,} bytes, its {what} needs {needed:,}: incomplete download?"
    raise TruncatedError(message, file_size, file_size, needed)


def _parse(text: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(
            text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        _refuse("is not UTF-8", _LENGTH_BYTES + error.start)
    except json.JSONDecodeError as error:
        _refuse(f"is not JSON: {error.msg}", _LENGTH_BYTES + error.pos)
    except CorruptError:
        raise
    except ValueError:  # Python's limit on the digits of an integer
        _refuse("holds a number that is too large")
    return dict(fields)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                _refuse(f"has the key {name!r} twice")
            seen.add(name)
    for name in result:
        if any("\ud800" <= character <= "\udfff" for character in name):
            _refuse(f"has the key {name!r}, which is not Unicode")
    return result


def _refuse_constant(name: str) -> NoReturn:
    _refuse(f"is not JSON: {name}")


def _metadata(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        _refuse(f"has a {_METADATA} that is not a map of strings to strings")
    return value


def _entry(name: str, value: Any, header_size: int) -> HeaderEntry:
    if not isinstance(value, dict) or set(value) != _FIELDS:
        _refuse(f"entry {name!r} has not exactly the fields {', '.join(sorted(_FIELDS))}")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        _refuse(f"entry {name!r} has a shape or data_offsets that are not lists of sizes")
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise UnsupportedError(f"safetensors header entry {name!r} has the dtype {dtype!r}")
    begin, end = offsets
    bits = _bits(name, dtype, shape)
    if bits % 8 or end - begin != bits // 8:
        _refuse(f"entry {name!r}: {end - begin:,} bytes for {dtype} of shape {shape}")
    return HeaderEntry(dtype, tuple(shape), header_size + begin, end - begin)


def _bits(name: str, dtype: str, shape: list[int]) -> int:
    bits = _BITS[dtype]
    for dim in shape:
        bits *= dim
        if bits >= 1 << 64:  # at once: the product of a million dims would take minutes
            _refuse(f"entry {name!r} has a shape whose size overflows 64 bits")
    return bits


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(
        type(number) is int and 0 <= number < 1 << 64 for number in value
    )


def _check_coverage(entries: dict[str, HeaderEntry], start: int, file_size: int) -> None:
    """The tensors' bytes follow each other from the header to the end of the file."""
    at = start
    for name, entry in entries.items():
        if entry.offset != at:
            fault = "a hole before it" if entry.offset > at else "an overlap with another"
            _refuse(f"entry {name!r} has {fault}: begins at {entry.offset:,}, not {at:,}")
        at += entry.size
    if at > file_size:
        _short(file_size, "data", at)
    if at < file_size:
        raise CorruptError(f"file has {file_size - at:,} bytes after its last tensor", at)
