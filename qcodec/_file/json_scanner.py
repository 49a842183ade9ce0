"""Takes a JSON text apart member by member, so that limits are checked before objects are built.

A parser of the whole text could build gigabytes of objects from a hostile text before any check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import NoReturn

from .._base.messages import quoted
from ..errors import CorruptError, LimitError
from ..limits import Limits

#: Size of a key in the text; real ones have a few hundred bytes.
MAX_KEY_BYTES = 1 << 16

#: A key, as a pattern of `Scanner.usual_members`: it needs no decoding but that of UTF-8.
USUAL_KEY = rb'"([^"\\\x00-\x1f]*+)":'

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


class Scanner:
    """Parses the members of a JSON text one after the other.

    Parameters
    ----------
    text : bytes
    what : str
        What the text is, for errors.
    start : int
        The offset of its first byte, for errors.
    """

    def __init__(self, text: bytes, what: str, start: int = 0) -> None:
        self._text = text
        self._what = what
        self._start = start
        self._at = 0
        self._usual: re.Match[bytes] | None = None

    @property
    def offset(self) -> int:
        """The offset of the next byte."""
        return self._start + self._at

    def refuse(self, rule: str) -> NoReturn:
        """Raise a `CorruptError` about the text at this place."""
        raise CorruptError(f"{self._what} {rule}", self.offset)

    def _skip(self, pattern: re.Pattern[bytes]) -> bool:
        """Consume `pattern` if it comes next; return whether it did."""
        match = pattern.match(self._text, self._at)
        self._at = self._at if match is None else match.end()
        return match is not None

    def _take(self, pattern: re.Pattern[bytes], rule: str) -> bytes:
        """Consume and return `pattern`, which must come next; otherwise refuse with `rule`."""
        match = pattern.match(self._text, self._at)
        if match is None:
            self.refuse(rule)
        self._at = match.end()
        return match[match.lastindex or 0]

    def members(self, rule: str, usual: re.Pattern[bytes] | None = None) -> Iterator[str]:
        """Yield the keys of an object; the caller must take each value before the next key.

        Members that match `usual`, which begins with `USUAL_KEY`, are found by one search: their
        value is what `usual_value` returns.
        """
        self._take(_OPEN, rule)
        if self._skip(_CLOSE):
            return
        while True:
            match = usual.match(self._text, self._at) if usual else None
            if match is not None and match.end(1) - match.start(1) <= MAX_KEY_BYTES:
                self._usual, self._at = match, match.end(1) + len('":')
                key = match[1] + b'"'
            else:
                self._usual = None
                key = self._take(_KEY, "is not JSON: no key of an object")
            size = len(key) - 1  # without the quotation mark
            if size > MAX_KEY_BYTES:
                message = f"{self._what}: name of {size:,} bytes, allowed {MAX_KEY_BYTES:,}"
                raise LimitError(message, self.offset, size, MAX_KEY_BYTES)
            yield self._decoded(key)
            if self._is_last():
                return

    def usual_value(self, max_bytes: int) -> re.Match[bytes] | None:
        """Take the value of a usual member, unless it is longer; None if the member is another."""
        match = self._usual
        if match is None or match.end() - self._at > max_bytes:
            return None
        self._at = match.end()
        return match

    def _is_last(self) -> bool:
        """Consume what follows a value: a comma, or the end of the object."""
        if self._text[self._at : self._at + 1] == b",":  # as it nearly always is
            self._at += 1
            return False
        return self._take(_NEXT, "is not JSON: no comma or end after a value") == b"}"

    def strings(self, rule: str, limits: Limits) -> dict[str, str]:
        """Take an object whose values are strings, or null, which is an empty one."""
        found: dict[str, str] = {}
        if self._skip(_NULL):
            return found
        for key in self.members(rule):
            if key in found:
                self.refuse(f"has the key {quoted(key)} twice")
            found[key] = self._decoded(self._take(_STRING, rule))
            limits.check_count(len(found), "entries of metadata")
        return found

    def flat_object(self) -> bytes | None:
        """Take the text of an object that has no objects in it; None if there is none."""
        match = _FLAT_OBJECT.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return match[1]

    def end(self) -> None:
        """Refuse text that follows."""
        self._take(_END, "is not JSON: text follows its end")

    def _decoded(self, quoted_text: bytes) -> str:
        """Decode a JSON string; its closing quotation mark is included, its opening one is not."""
        try:
            text: str = quoted_text.decode("utf-8")
        except UnicodeDecodeError:
            self.refuse("is not UTF-8")
        if "\\" not in text:
            return text[:-1]
        try:
            text, _ = scanstring(text, 0, True)
            text.encode("utf-8")
        except UnicodeEncodeError:  # lone surrogates
            self.refuse(f"has the string {quoted(text)}, which is not Unicode")
        except json.JSONDecodeError as error:
            self.refuse(f"is not JSON: {error.msg}")
        return text
