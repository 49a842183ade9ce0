"""Reads and writes NumPy's ``.npz`` files for the command line.

NumPy's own reader is not used. It raises many kinds of exceptions for broken files, allocates what
a header declares before it knows the size of the data, and offers ``d.npy`` under two names.
"""

from __future__ import annotations

import errno
import io
import math
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Self
from warnings import catch_warnings, simplefilter

import numpy as np

from .._base.messages import quoted, shape_text
from .._file.container import OnDemand, Opaque, Ordinary
from .._io.later import Part
from .._io.source import open_regular
from ..dtypes import BY_SAFETENSORS, ElementType
from ..errors import CorruptError, QCodecError, UnsupportedError
from ..limits import DEFAULT_LIMITS, Limits

Array = np.ndarray[Any, Any]

_MEMBER = ".npy"
#: Kinds of NumPy's types that .npz keeps; others are read back as bytes.
_KINDS = "fiub"
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_ENCRYPTED = 1  # a bit of a member's flags
#: Decoded bytes per byte of a deflated member. The limit of deflate is 1,032; short members need
#: a little more.
_MAX_DEFLATION = 2048
_MAX_MEMBER_NAME = (1 << 16) - 1
_READ = 1 << 20


@dataclass(frozen=True)
class _Member:
    """The header of one array of a file, checked against the size of its data."""

    info: zipfile.ZipInfo
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    is_fortran: bool
    offset: int


class NpzTensors(Mapping[str, Array]):
    """The arrays of an ``.npz`` file, as a context manager; nothing is unpickled.

    All headers are read and checked at once; each array is read on demand.

    Parameters
    ----------
    path : str
    limits : Limits

    Raises
    ------
    QCodecError
        If this is not an ``.npz`` file, or a member is broken, larger than the limits
        allow, or not an array of plain numbers; the message names the member.
    OSError
        If the file cannot be read.
    """

    def __init__(self, path: str, limits: Limits = DEFAULT_LIMITS) -> None:
        with ExitStack() as stack:
            file = stack.enter_context(io.BufferedReader(open_regular(path)))
            self._size = os.fstat(file.fileno()).st_size
            limits.check_file(self._size)
            with _naming("not a .npz file"):
                self._file = stack.enter_context(zipfile.ZipFile(file))
            members = self._file.infolist()
            limits.check_count(len(members))
            if sum(info.compress_size for info in members) > self._size:
                raise CorruptError("not a .npz file: its members overlap, as those of a bomb do")
            self._members: dict[str, _Member] = {}
            for info in members:
                name = info.filename.removesuffix(_MEMBER)
                with _naming_member(info):
                    if name in self._members:
                        raise CorruptError("is there twice")
                    self._members[name] = self._checked(info, limits)
            self._close = stack.pop_all().close

    def __getitem__(self, name: str) -> Array:
        member = self._members[name]
        data = np.empty(member.info.file_size - member.offset, np.uint8)
        with _naming_member(member.info), self._file.open(member.info) as file:
            file.read(member.offset)
            for at in range(0, len(data), _READ):
                part = file.read(min(_READ, len(data) - at))
                data[at : at + len(part)] = np.frombuffer(part, np.uint8)
                if len(part) < min(_READ, len(data) - at):
                    raise CorruptError("ends too early")
            file.read(1)  # zipfile checks the checksum at the end
        array: Array = data.view(member.dtype)
        if member.is_fortran:
            return array.reshape(member.shape[::-1]).T
        return array.reshape(member.shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _checked(self, info: zipfile.ZipInfo, limits: Limits) -> _Member:
        if not info.filename.endswith(_MEMBER):
            raise UnsupportedError(f"is no array: allowed are names that end in {_MEMBER}")
        if info.flag_bits & _ENCRYPTED:
            raise UnsupportedError("is encrypted")
        if info.compress_type not in _METHODS:
            allowed = ", ".join(f"{number} ({name})" for number, name in _METHODS.items())
            raise UnsupportedError(f"compressed by method {info.compress_type}, allowed: {allowed}")
        if info.file_size > _largest(info):
            raise CorruptError(f"declares {info.file_size:,} bytes, more than there can be")
        with self._file.open(info) as file:
            shape, is_fortran, dtype = _header(file)
            offset = file.tell()
        if dtype.hasobject or dtype.kind == "V" or dtype.itemsize == 0:
            raise UnsupportedError(f"has elements of type {dtype}: allowed are plain numbers")
        if min(shape, default=0) < 0:
            raise CorruptError(f"has the shape {shape_text(shape)}")
        needed, found = math.prod(shape) * dtype.itemsize, info.file_size - offset
        if needed != found:
            message = (
                f"{found:,} bytes of data for {dtype}{shape_text(shape)}, which has {needed:,}"
            )
            raise CorruptError(message, None, found, needed)
        limits.check_tensor(needed, self._size)
        np.broadcast_to(np.empty((), dtype), shape)  # raises if NumPy does not support the shape
        return _Member(info, dtype, shape, is_fortran, offset)


def _largest(info: zipfile.ZipInfo) -> int:
    """Return the largest size that a member can have, given its compressed size."""
    if info.compress_type == zipfile.ZIP_STORED:
        return info.compress_size
    return _MAX_DEFLATION * info.compress_size


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read (shape, whether in Fortran order, dtype) from an array's header."""
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(file)
    if version not in readers:
        raise UnsupportedError(f"has the format {version}, allowed are 1.0 and 2.0")
    with catch_warnings():
        simplefilter("ignore")  # Python warns of odd literals in a header
        return readers[version](file)


def _naming_member(info: zipfile.ZipInfo) -> AbstractContextManager[None]:
    return _naming(f"member {quoted(info.filename)}")


@contextmanager
def _naming(what: str) -> Iterator[None]:
    """Put `what` before the message of an error, and turn other errors into `CorruptError`.

    NumPy, zipfile and the decompressors may raise any exception for broken bytes.
    """
    try:
        yield
    except QCodecError as error:
        message = f"{what}: {error}"
        raise type(error)(message, error.offset, error.found, error.allowed) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise  # an error of the disk; EINVAL comes from a negative offset in a broken file
        lines = str(error).splitlines() or [type(error).__name__]
        raise CorruptError(f"{what}: {lines[0]}") from None


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
