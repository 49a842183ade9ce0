"""Makes the directory of a file from the tensors that were found in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .._base.messages import quoted
from .._file.directory import Directory, Stored
from .._frame.notes import Notes
from .._io.source import Readable
from ..errors import CorruptError
from ..limits import Limits
from .located import Located, Unreadable, stored_of


def directory_of(
    found: Iterable[tuple[str, Located | Unreadable | Stored]],
    source: Readable,
    limits: Limits,
    *,
    format: str = "",  # noqa: A002 # the field's name
    check: Callable[[], None] | None = None,
) -> Directory:
    """Return the directory of a file of another format.

    Parameters
    ----------
    found : iterable of (str, Located, Unreadable or Stored)
        Names and tensors. Those that are the same bytes in the same form are one tensor.
    source : Readable
    limits : Limits
    format : str
        The format's name.
    check : callable, optional
        Checks the file's own checksums.

    Raises
    ------
    CorruptError
        If two tensors have one name, or one is not where it should be.
    LimitError
        If there are more tensors than the limits allow.
    """
    tensors: dict[str, Stored] = {}
    left_out: dict[str, str] = {}
    known: dict[tuple[Any, ...], str] = {}
    for name, tensor in found:
        if name in tensors or name in left_out:
            raise CorruptError(f"file has two tensors of the name {quoted(name)}")
        if isinstance(tensor, Unreadable):
            left_out[name] = tensor.kind
            continue
        if isinstance(tensor, Stored):
            stored = tensor._replace(name=name, target=name)
        else:
            stored = stored_of(name, tensor, source)
        if isinstance(tensor, Located) and tensor.source is None and tensor.convert is None:
            target = known.setdefault(tensor, name)
            stored = stored._replace(target=target)
        tensors[name] = stored
        limits.check_count(len(tensors) + len(left_out))
    return Directory(tensors, {}, 0, 0, {}, Notes(), format, left_out, check)
