"""A strict reader for the header of safetensors files.

The safetensors library does not tell where a tensor's bytes are, and of duplicate names it takes
the last. This reader refuses all that the library refuses, and ambiguous headers too. It parses
the JSON member by member and checks the limits before each new member. A parser of the whole text
could build gigabytes of objects from a hostile header before any check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn

from .._base.messages import quoted, shape_text
from .._io.source import Readable
from ..errors import CorruptError, LimitError, TruncatedError
from ..limits import DEFAULT_LIMITS, Limits
from .foreign import refusal

#: The longest header that the safetensors library reads.
MAX_HEADER_BYTES = 100_000_000
#: Sizes of a name and of an entry in the text; real ones have a few hundred bytes.
MAX_NAME_BYTES = 1 << 16
MAX_ENTRY_BYTES = 4096
#: Bits per element of each type. The order is the reverse of that in which files are written.
BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8,
    "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
METADATA = "__metadata__"
_LENGTH_BYTES = 8
_FIELDS = {"dtype", "shape", "data_offsets"}
_DTYPE = re.compile(r"[A-Za-z0-9_]{1,32}")

# Possessive quantifiers keep the matcher's memory constant, whatever the text.
_SPACE = rb"[ \t\r\n]*+"
_STRING_PATTERN = _SPACE + rb'"((?:[^"\\\x00-\x1f]++|\\.)*+")'
_STRING = re.compile(_STRING_PATTERN)
_KEY = re.compile(_STRING_PATTERN + _SPACE + b":")
_OPEN = re.compile(_SPACE + rb"\{")
_CLOSE = re.compile(_SPACE + rb"\}")
_NEXT = re.compile(_SPACE + b"([,}])")
_FLAT_OBJECT = re.compile(_SPACE + rb"(\{[^{}]*+\})")
_NULL = re.compile(_SPACE + b"null")
_END = re.compile(_SPACE + rb"\Z")


@dataclass(frozen=True)
class HeaderEntry:
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
    scanner = _Scanner(bytes(source.read(_LENGTH_BYTES, size - _LENGTH_BYTES)))
    entries: dict[str, HeaderEntry] = {}
    metadata: dict[str, str] | None = None
    for name in scanner.members("is not JSON: no object"):
        if name == METADATA:
            if metadata is not None:
                _refuse(f"has the key {METADATA!r} twice", scanner.offset)
            metadata = _metadata(scanner, limits)
            continue
        if name in entries:
            _refuse(f"has the key {quoted(name)} twice", scanner.offset)
        entries[name] = _entry(name, _fields(name, scanner), size)
        limits.check_count(len(entries))
    scanner.take(_END, "is not JSON: text follows its end")
    ordered = dict(sorted(entries.items(), key=lambda item: (item[1].offset, item[1].size)))
    _check_coverage(ordered, size, source.size)
    return Header(ordered, metadata or {}, size)


def _refuse(rule: str, offset: int = _LENGTH_BYTES) -> NoReturn:
    raise CorruptError(f"safetensors header {rule}", offset)


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


class _Scanner:
    """Parses the members of a JSON text one after the other.

    Parameters
    ----------
    text : bytes
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0

    @property
    def offset(self) -> int:
        """The offset of the next byte, from the file's first byte."""
        return _LENGTH_BYTES + self._at

    def skip(self, pattern: re.Pattern[bytes]) -> bool:
        """Consume `pattern` if it comes next; return whether it did."""
        match = pattern.match(self._text, self._at)
        self._at = self._at if match is None else match.end()
        return match is not None

    def take(self, pattern: re.Pattern[bytes], rule: str) -> bytes:
        """Consume and return `pattern`, which must come next; otherwise refuse with `rule`."""
        match = pattern.match(self._text, self._at)
        if match is None:
            _refuse(rule, self.offset)
        self._at = match.end()
        return match[match.lastindex or 0]

    def members(self, rule: str) -> Iterator[str]:
        """Yield the keys of an object; the caller must take each value before the next key."""
        self.take(_OPEN, rule)
        if self.skip(_CLOSE):
            return
        while True:
            key = self.take(_KEY, "is not JSON: no key of an object")
            size = len(key) - 1  # without the quotation mark
            if size > MAX_NAME_BYTES:
                message = f"safetensors header: name of {size:,} bytes, allowed {MAX_NAME_BYTES:,}"
                raise LimitError(message, self.offset, size, MAX_NAME_BYTES)
            yield self.text(key)
            if self.take(_NEXT, "is not JSON: no comma or end after a value") == b"}":
                return

    def text(self, quoted_text: bytes) -> str:
        """Decode a JSON string; its closing quotation mark is included, its opening one is not."""
        try:
            text: str = quoted_text.decode("utf-8")
        except UnicodeDecodeError:
            _refuse("is not UTF-8", self.offset)
        if "\\" not in text:
            return text[:-1]
        try:
            text, _ = scanstring(text, 0, True)
            text.encode("utf-8")
        except UnicodeEncodeError:  # lone surrogates
            _refuse(f"has the string {quoted(text)}, which is not Unicode", self.offset)
        except json.JSONDecodeError as error:
            _refuse(f"is not JSON: {error.msg}", self.offset)
        return text


def _metadata(scanner: _Scanner, limits: Limits) -> dict[str, str]:
    rule = f"has a {METADATA} that is not a map of strings to strings"
    result: dict[str, str] = {}
    if scanner.skip(_NULL):
        return result
    for key in scanner.members(rule):
        if key in result:
            _refuse(f"has the key {quoted(key)} twice", scanner.offset)
        result[key] = scanner.text(scanner.take(_STRING, rule))
        limits.check_count(len(result), "entries of metadata")
    return result


def _fields(name: str, scanner: _Scanner) -> dict[str, Any]:
    """Parse the fields of an entry: an object that contains no objects."""
    text = scanner.take(_FLAT_OBJECT, f"is not JSON, or entry {quoted(name)} is not a flat object")
    if len(text) > MAX_ENTRY_BYTES:
        _refuse(f"entry {quoted(name)}: {len(text):,} bytes, allowed {MAX_ENTRY_BYTES:,}",
                scanner.offset)  # fmt: skip
    try:
        fields: dict[str, Any] = _DECODER.decode(text.decode("utf-8"))
    except UnicodeDecodeError:
        _refuse(f"entry {quoted(name)} is not UTF-8", scanner.offset)
    except json.JSONDecodeError as error:
        _refuse(f"is not JSON: entry {quoted(name)}: {error.msg}", scanner.offset)
    except CorruptError:
        raise
    except ValueError:  # Python's limit on the digits of an integer
        _refuse(f"entry {quoted(name)} has a number that is too large", scanner.offset)
    except RecursionError:
        _refuse(f"entry {quoted(name)} is nested too deeply", scanner.offset)
    return fields


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        _refuse("has an entry with a field twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    _refuse(f"is not JSON: {name}")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _entry(name: str, fields: dict[str, Any], header_size: int) -> HeaderEntry:
    if set(fields) != _FIELDS:
        allowed = ", ".join(sorted(_FIELDS))
        _refuse(f"entry {quoted(name)} has not exactly the fields {allowed}")
    dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        _refuse(f"entry {quoted(name)} has a shape or data_offsets that are not lists of sizes")
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        _refuse(f"entry {quoted(name)} has a dtype that is not the name of a type")
    begin, end = offsets
    size = end - begin
    if dtype in BITS:
        bits = _bits(name, BITS[dtype], shape)
        if bits % 8 or size != bits // 8:
            what = f"{size:,} bytes for {dtype} of shape {shape_text(shape)}"
            _refuse(f"entry {quoted(name)}: {what}")
    elif size < 0:
        _refuse(f"entry {quoted(name)}: {size:,} bytes")
    return HeaderEntry(dtype, tuple(shape), header_size + begin, size)


def _bits(name: str, bits: int, shape: list[int]) -> int:
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
    for name, entry in entries.items():
        if entry.offset != at:
            fault = "a hole before it" if entry.offset > at else "an overlap with another"
            _refuse(f"entry {quoted(name)} has {fault}: begins at {entry.offset:,}, not {at:,}")
        at += entry.size
    if at > file_size:
        _short(file_size, "data", at)
    if at < file_size:
        raise CorruptError(f"file has {file_size - at:,} bytes after its last tensor", at)
