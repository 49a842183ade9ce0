"""A strict reader for the header of safetensors files.

The safetensors library does not tell where a tensor's bytes are, and of duplicate names it takes
the last. This reader refuses all that the library refuses, and ambiguous headers too. It checks the
limits before each new member of the JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from .._base.messages import quoted, shape_text
from .._io.source import Readable
from ..errors import CorruptError, TruncatedError
from ..limits import DEFAULT_LIMITS, Limits
from .foreign import refusal
from .json_scanner import USUAL_KEY, Scanner

#: The longest header that the safetensors library reads.
MAX_HEADER_BYTES = 100_000_000
#: Size of an entry in the text; real ones have a few hundred bytes.
MAX_ENTRY_BYTES = 4096
#: Bits per element of each type. The order is the reverse of that in which files are written.
BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8,
    "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
METADATA = "__metadata__"
_WHAT = "safetensors header"
_LENGTH_BYTES = 8
_FIELDS = {"dtype", "shape", "data_offsets"}
_DTYPE = re.compile(r"[A-Za-z0-9_]{1,32}")
_SIZE = rb"(?:0|[1-9][0-9]{0,17})"
# An entry as the safetensors library writes it, for which no JSON parser is needed.
_USUAL_ENTRY = re.compile(
    rb'%b\{"dtype":"([A-Za-z0-9_]{1,32})","shape":\[((?:%b(?:,%b)*+)?+)\],'
    rb'"data_offsets":\[(%b),(%b)\]\}' % (USUAL_KEY, _SIZE, _SIZE, _SIZE, _SIZE)
)


class HeaderEntry(NamedTuple):
    """One tensor of a safetensors file.

    Attributes
    ----------
    dtype : str
        As the header spells it, such as ``"F32"``. Unknown types are not refused, so that
        the other tensors of the file can be read.
    shape : tuple of int
    offset, size : int
        Where its bytes are, from the file's first byte.
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
        Number of bytes before the first tensor, including the length field.
    """

    entries: dict[str, HeaderEntry]
    metadata: dict[str, str]
    size: int


def read_header(source: Readable, limits: Limits = DEFAULT_LIMITS) -> Header:
    """Read and check the header of a safetensors file.

    Parameters
    ----------
    source : Readable
        The whole file; only the header is read.
    limits : Limits

    Raises
    ------
    TruncatedError
        If the file is shorter than its header says.
    CorruptError
        If a rule of the safetensors format is broken; the message names the rule.
    LimitError
        If the header is larger than the limits allow.
    UnsupportedError
        If the file has another known format; the message names the format.
    """
    size = _header_size(source, limits)
    text = bytes(source.read(_LENGTH_BYTES, size - _LENGTH_BYTES))
    scanner = Scanner(text, _WHAT, _LENGTH_BYTES)
    entries: dict[str, HeaderEntry] = {}
    metadata: dict[str, str] | None = None
    for name in scanner.members("is not JSON: no object", _USUAL_ENTRY):
        if name == METADATA:
            if metadata is not None:
                scanner.refuse(f"has the key {METADATA!r} twice")
            rule = f"has a {METADATA} that is not a map of strings to strings"
            metadata = scanner.strings(rule, limits)
            continue
        if name in entries:
            scanner.refuse(f"has the key {quoted(name)} twice")
        entries[name] = _entry(name, *_parsed(name, scanner), size)
        limits.check_count(len(entries))
    scanner.end()
    ordered = dict(sorted(entries.items(), key=lambda item: item[1][2:]))
    _check_coverage(ordered, size, source.size)
    return Header(ordered, metadata or {}, size)


def _refuse(rule: str, offset: int = _LENGTH_BYTES) -> NoReturn:
    raise CorruptError(f"{_WHAT} {rule}", offset)


def _header_size(source: Readable, limits: Limits) -> int:
    if source.size < _LENGTH_BYTES + 1:
        message = f"file is {source.size:,} bytes, a safetensors file is at least 10"
        raise TruncatedError(message, 0, source.size, 10)
    start = source.read(0, _LENGTH_BYTES + 1)
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    # Checked before the length, because other kinds of files fail here with a better message.
    if start[_LENGTH_BYTES] != ord("{"):
        raise refusal(source)
    if length > MAX_HEADER_BYTES:
        _refuse(f"is {length:,} bytes, allowed are {MAX_HEADER_BYTES:,}", 0)
    if _LENGTH_BYTES + length > source.size:
        _short(source.size, "header", _LENGTH_BYTES + length)
    limits.check_header(length)
    return _LENGTH_BYTES + length


def _short(file_size: int, what: str, needed: int) -> NoReturn:
    message = f"file is {file_size:,} bytes, its {what} needs {needed:,}: incomplete download?"
    raise TruncatedError(message, file_size, file_size, needed)


def _parsed(name: str, scanner: Scanner) -> tuple[str, tuple[int, ...], int, int]:
    """Parse an entry: an object that contains no objects."""
    usual = scanner.usual_value(MAX_ENTRY_BYTES)
    if usual is not None:
        _, dtype, shape, begin, end = usual.groups()
        dims = tuple(map(int, shape.split(b","))) if shape else ()
        return dtype.decode("ascii"), dims, int(begin), int(end)
    text = scanner.flat_object()
    if text is None:
        scanner.refuse(f"is not JSON, or entry {quoted(name)} is not a flat object")
    if len(text) > MAX_ENTRY_BYTES:
        scanner.refuse(f"entry {quoted(name)}: {len(text):,} bytes, allowed {MAX_ENTRY_BYTES:,}")
    return _values(name, _fields(name, text, scanner))


def _fields(name: str, text: bytes, scanner: Scanner) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = _DECODER.decode(text.decode("utf-8"))
    except UnicodeDecodeError:
        scanner.refuse(f"entry {quoted(name)} is not UTF-8")
    except json.JSONDecodeError as error:
        scanner.refuse(f"is not JSON: entry {quoted(name)}: {error.msg}")
    except CorruptError:
        raise
    except ValueError:  # Python's limit on the digits of an integer
        scanner.refuse(f"entry {quoted(name)} has a number that is too large")
    except RecursionError:
        scanner.refuse(f"entry {quoted(name)} is nested too deeply")
    return fields


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        _refuse("has an entry with a field twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    _refuse(f"is not JSON: {name}")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _values(name: str, fields: dict[str, Any]) -> tuple[str, tuple[int, ...], int, int]:
    """Check the fields of an entry."""
    if set(fields) != _FIELDS:
        allowed = ", ".join(sorted(_FIELDS))
        _refuse(f"entry {quoted(name)} has not exactly the fields {allowed}")
    dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        _refuse(f"entry {quoted(name)} has a shape or data_offsets that are not lists of sizes")
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        _refuse(f"entry {quoted(name)} has a dtype that is not the name of a type")
    return dtype, tuple(shape), *offsets


def _entry(
    name: str, dtype: str, shape: tuple[int, ...], begin: int, end: int, header_size: int
) -> HeaderEntry:
    """Check that an entry's size is that of its elements."""
    size = end - begin
    if dtype in BITS:
        bits = _bits(name, BITS[dtype], shape)
        if bits % 8 or size != bits // 8:
            what = f"{size:,} bytes for {dtype} of shape {shape_text(shape)}"
            _refuse(f"entry {quoted(name)}: {what}")
    elif size < 0:
        _refuse(f"entry {quoted(name)}: {size:,} bytes")
    return HeaderEntry(dtype, shape, header_size + begin, size)


def _bits(name: str, bits: int, shape: tuple[int, ...]) -> int:
    for dim in shape:
        bits *= dim
        if bits >= 1 << 64:
            _refuse(f"entry {quoted(name)} has a shape whose size overflows 64 bits")
    return bits


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(
        type(number) is int and 0 <= number < 1 << 64 for number in value
    )


def _check_coverage(entries: dict[str, HeaderEntry], start: int, file_size: int) -> None:
    """Check that the tensors' bytes cover the file from the header to its end, without gaps."""
    at = start
    for name, (_, _, offset, size) in entries.items():
        if offset != at:
            fault = "a hole before it" if offset > at else "an overlap with another"
            _refuse(f"entry {quoted(name)} has {fault}: begins at {offset:,}, not {at:,}")
        at += size
    if at > file_size:
        _short(file_size, "data", at)
    if at < file_size:
        raise CorruptError(f"file has {file_size - at:,} bytes after its last tensor", at)
