"""The names of what a file holds: tensors and attached bytes share one space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._base.messages import quoted

#: The limit of packs (format, section 8).
_MAX_NAME_BYTES = 1024


def check_names(tensors: Mapping[str, Any], attached: Mapping[str, Any] | None = None) -> None:
    """Raise TypeError or ValueError unless every kind of file can hold these names.

    Examples
    --------
    >>> check_names({"tokenizer": 1}, {"tokenizer": 2})
    Traceback (most recent call last):
        ...
    ValueError: 'tokenizer' is the name of a tensor: what is attached needs another one
    """
    if not isinstance(tensors, Mapping):
        kind = type(tensors).__name__
        raise TypeError(f"a {kind} was given; allowed is a mapping of names to arrays")
    for name in tensors:
        _check_name(name, "a tensor is called")
    if attached is None:
        return
    if not isinstance(attached, Mapping):
        kind = type(attached).__name__
        raise TypeError(f"attached: found {kind}, allowed is a mapping of names to bytes")
    taken = set(tensors)  # a mapping that loads on demand would load a tensor to find its name
    for name in attached:
        _check_name(name, "attached: a name is")
        if name in taken:
            raise ValueError(
                f"{quoted(name)} is the name of a tensor: what is attached needs another one"
            )


def _check_name(name: Any, what: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{what} {name!r}: allowed names are str")
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError(f"{what} {quoted(name)}: allowed names are Unicode") from None
    if size > _MAX_NAME_BYTES:
        raise ValueError(
            f"{what} {quoted(name)}, {size:,} bytes of UTF-8; allowed are {_MAX_NAME_BYTES:,}"
        )
