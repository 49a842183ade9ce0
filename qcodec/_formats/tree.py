"""Nested dicts and lists of tensors, as names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .._base.messages import quoted
from ..errors import CorruptError, UnsupportedError
from ..limits import Limits
from .symbolic_pickle import Call

#: What torch's modules keep their parts in; the names of a state dict leave it out.
_PARTS_OF_MODULES = {"_parameters", "_buffers", "_modules"}
_MAX_DEPTH = 256
_MAX_NAME = 4096
#: Values for each tensor that the limits allow.
_VALUES_PER_TENSOR = 64


def leaves(
    root: Any, find: Callable[[Any], Any], limits: Limits, name_of_root: str = "tensor"
) -> Iterator[tuple[str, Any]]:
    """Yield what `find` takes for a tensor, with its name: the keys to it, joined by dots.

    Parameters
    ----------
    root : object
        As `read_pickle` returns it.
    find : callable
        Returns what to yield for a tensor, and None for anything else, which is then searched.
    limits : Limits
        `max_tensors` also limits how many values are searched: lists may contain each other.
    name_of_root : str
        For a root that is a tensor itself.

    Yields
    ------
    tuple of str and object
        In the order of the file.

    Raises
    ------
    UnsupportedError
        If values are nested too deeply, as a list within itself is.
    LimitError
        If there are too many.
    CorruptError
        If a name is too long.

    Examples
    --------
    >>> tree = {"net": {"weight": 1.5, "layers": [2.5, None]}}
    >>> list(leaves(tree, lambda value: value if isinstance(value, float) else None, Limits()))
    [('net.weight', 1.5), ('net.layers.0', 2.5)]
    """
    waiting: list[tuple[tuple[str, ...], Any]] = [((), root)]
    seen = 0
    while waiting:
        keys, value = waiting.pop()
        found = find(value)
        if found is not None:
            yield _name(keys) or name_of_root, found
            continue
        if len(keys) > _MAX_DEPTH:
            raise UnsupportedError(f"values are nested more than {_MAX_DEPTH} deep")
        inside = [((*keys, *key), child) for key, child in _children(value)]
        seen += len(inside)
        if seen > _VALUES_PER_TENSOR * limits.max_tensors:
            limits.check_count(seen // _VALUES_PER_TENSOR + 1, "tensors, by the number of values")
        waiting += reversed(inside)


def _name(keys: tuple[str, ...]) -> str:
    if sum(map(len, keys)) + len(keys) > _MAX_NAME:
        raise CorruptError(f"a name is longer than {_MAX_NAME:,}: {quoted(keys[0])}...")
    return ".".join(key for key in keys if key)


def _children(value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what is in a value. An empty key counts for the depth, and is left out of names."""
    if isinstance(value, Call):
        yield from ((("",), part) for part in (value.items, value.entries, value.state))
    elif isinstance(value, dict):
        for key, child in value.items():
            yield ("" if key in _PARTS_OF_MODULES else str(key),), child
    elif isinstance(value, list | tuple):
        for at, child in enumerate(value):
            yield (str(at),), child
