"""The metadata of a file: in the header of a safetensors file, in the JSON note of a pack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .._base.messages import quoted
from ..errors import CorruptError
from ..limits import DEFAULT_LIMITS, Limits
from .json_scanner import Scanner


def check_metadata(metadata: Any) -> None:
    """Raise `TypeError` for metadata that a file cannot hold.

    Examples
    --------
    >>> check_metadata({"epoch": 3})
    Traceback (most recent call last):
        ...
    TypeError: metadata 'epoch': found int, allowed is str; a recipe is given as recipe=...
    """
    advice = "a recipe is given as recipe=..."
    if metadata is None:
        return
    if not isinstance(metadata, Mapping):
        found = type(metadata).__name__
        raise TypeError(f"metadata: found {found}, allowed is a mapping of str to str; {advice}")
    for key, value in metadata.items():
        if not isinstance(key, str):
            found = type(key).__name__
            raise TypeError(f"metadata: found a key of type {found}, allowed is str; {advice}")
        if not isinstance(value, str):
            found = type(value).__name__
            raise TypeError(f"metadata {quoted(key)}: found {found}, allowed is str; {advice}")


def to_json(value: object) -> bytes:
    """Return JSON as files have it: in UTF-8, without spaces.

    Examples
    --------
    >>> to_json({"author": "Ada"})
    b'{"author":"Ada"}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def metadata_of(note: bytes | None, limits: Limits = DEFAULT_LIMITS) -> dict[str, str]:
    """Return the metadata in a pack's JSON note; a note that is no object of strings has none.

    Raises
    ------
    LimitError
        If there are more entries than the limits allow, or the name of one is too long.

    Examples
    --------
    >>> metadata_of(b'{"author": "Ada"}'), metadata_of(b'{"epoch": 3}'), metadata_of(None)
    ({'author': 'Ada'}, {}, {})
    """
    if note is None:
        return {}
    scanner = Scanner(note, "metadata of the pack")
    try:
        found = scanner.strings("is not a map of strings to strings", limits)
        scanner.end()
    except CorruptError:
        return {}
    return found
