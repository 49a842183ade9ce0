"""Writes NumPy's ``.npz`` files, one tensor at a time."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .._base.messages import quoted
from .._file.container import OnDemand, Opaque, Ordinary
from .._io.later import Part
from ..dtypes import BY_SAFETENSORS, ElementType

Array = np.ndarray[Any, Any]

_MEMBER = ".npy"
#: Kinds of NumPy's types that .npz keeps; others are read back as bytes.
_KINDS = "fiub"
_MAX_MEMBER_NAME = (1 << 16) - 1


def npz_parts(tensors: Mapping[str, Ordinary | Opaque | OnDemand]) -> Iterator[Part]:
    """Return the parts of an ``.npz`` file, one per tensor, which is requested when it is written.

    Raises
    ------
    TypeError
        For element types that NumPy does not have.
    ValueError
        For a name that readers could not find, or that would unpack outside the chosen
        folder. Nothing is requested then.
    """
    for name, tensor in tensors.items():
        _check_name(name, tensors)
        _check_type(name, tensor)
    return _members(tensors)


def _members(tensors: Mapping[str, Ordinary | Opaque | OnDemand]) -> Iterator[Part]:
    window = _Window()
    # numpy.savez is not used, because it does not take an array called "file".
    with zipfile.ZipFile(window, "w") as archive:
        for name, tensor in tensors.items():
            array = _array_of(tensor)
            with archive.open(f"{name}{_MEMBER}", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
            del array
            part = window.taken()
            yield part
            part.release()  # while the next tensor is requested, nothing holds these bytes
    yield window.taken()


class _Window(io.BytesIO):
    """The end of a file that is written: what was taken from it cannot be changed any more.

    `zipfile` goes back to the header of a member once it knows its size and checksum.
    """

    def __init__(self) -> None:
        super().__init__()
        self._start = 0

    def taken(self) -> memoryview:
        """Return the bytes so far, which are let go of."""
        found = self.getvalue()
        self._start += len(found)
        super().seek(0)
        self.truncate()
        return memoryview(found)

    def tell(self) -> int:
        return self._start + super().tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence != os.SEEK_SET or offset < self._start:
            raise io.UnsupportedOperation("what was taken cannot be written again")
        return self._start + super().seek(offset - self._start)


def _check_name(name: str, names: Mapping[str, object]) -> None:
    size = len(name.encode("utf-8", "surrogatepass")) + len(_MEMBER)
    fault = ""
    if not name:
        fault = "is empty"
    elif "\0" in name or any("\ud800" <= character <= "\udfff" for character in name):
        fault = "has characters that are not text"
    elif "\\" in name or name.startswith("/") or re.match("[A-Za-z]:", name):
        fault = "is an absolute path, or has a backslash"
    elif ".." in name.split("/"):
        fault = "leads out of the folder"
    elif size > _MAX_MEMBER_NAME:
        fault = f"is {size:,} bytes long, allowed are {_MAX_MEMBER_NAME:,}"
    elif f"{name}{_MEMBER}" in names:
        fault = f"cannot be told from {quoted(f'{name}{_MEMBER}')}"
    if fault:
        raise ValueError(f"tensor {quoted(name)}: its name {fault}: decode to .safetensors")


def _check_type(name: str, tensor: Ordinary | Opaque | OnDemand) -> None:
    element = BY_SAFETENSORS.get(tensor.type_name) if isinstance(tensor, OnDemand) else None
    if isinstance(tensor, Ordinary):
        element = tensor.element
    if element is None or not _is_of_numpy(element):
        type_name = tensor.type_name if element is None else element.name
        raise TypeError(
            f"tensor {quoted(name)}: .npz has no {type_name}: "
            "decode to .safetensors, or floats with --dtype float32"
        )


def _is_of_numpy(element: ElementType) -> bool:
    return element.carrier.kind in _KINDS and element.carrier.name == element.name


def _array_of(tensor: Ordinary | Opaque | OnDemand) -> Array:
    found = tensor.tensor() if isinstance(tensor, OnDemand) else tensor
    assert isinstance(found, Ordinary)
    return found.array
