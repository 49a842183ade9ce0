"""NumPy's files: arrays (``.npy``), also pickled dicts of arrays, and archives (``.npz``).

NumPy's own reader is not used. It raises many kinds of exceptions for broken files, allocates what
a header declares before it knows the size of the data, offers ``d.npy`` of an archive under two
names, and unpickles by running the pickle.
"""

from __future__ import annotations

import math
import zipfile
from functools import partial
from io import BufferedReader
from typing import IO, Any, NamedTuple
from warnings import catch_warnings, simplefilter

import numpy as np

from .._base.messages import shape_text
from .._file.directory import Directory, Stored
from .._file.header import HeaderEntry
from .._io.source import Readable
from ..dtypes import element_type
from ..errors import CorruptError, UnsupportedError
from ..limits import Limits
from .archive import Archive, SourceFile, naming_faults, naming_member
from .directories import directory_of
from .located import Located, Unreadable, fortran_strides
from .numpy_calls import numpy_array
from .reading import Stream
from .symbolic_pickle import Call, read_pickle
from .tree import leaves

Array = np.ndarray[Any, Any]

#: What an array without a name is called.
NAME = "array"
MEMBER = ".npy"
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_ENCRYPTED = 1  # a bit of a member's flags
#: Decoded bytes per byte of a deflated member. The limit of deflate is 1,032; short members need
#: a little more.
_MAX_DEFLATION = 2048
_READ = 1 << 20


class _Header(NamedTuple):
    """What an array's header says, and the number of bytes before its data."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]
    size: int


def read_npy(source: Readable, limits: Limits) -> Directory:
    """Read the directory of a ``.npy`` file: one array, or pickled arrays in dicts and lists.

    Raises
    ------
    QCodecError
        If it is broken or larger than the limits allow; nothing is executed.
    """
    with naming_faults("not a .npy file"), BufferedReader(SourceFile(source)) as file:
        header = _read_header(file)
    found: list[tuple[str, Located | Unreadable]]
    if header.dtype.hasobject:
        objects = read_pickle(Stream(source, header.size, what="pickle"), limits)
        state = objects.state if isinstance(objects, Call) else None
        if isinstance(state, tuple) and len(state) == 5:  # of an array of objects
            objects = state[4]
        if header.shape == () and isinstance(objects, list) and len(objects) == 1:
            (objects,) = objects
        found = list(leaves(objects, numpy_array, limits, NAME))
    else:
        found = [(NAME, _located(header, header.size, source.size))]
    return directory_of(found, source, limits, format="NumPy array")


def read_pickled(source: Readable, limits: Limits) -> Directory:
    """Read the directory of a pickle of arrays in dicts and lists; raises as `read_npy`."""
    root = read_pickle(Stream(source, what="pickle"), limits)
    found = list(leaves(root, numpy_array, limits, NAME))
    return directory_of(found, source, limits, format="pickle")


def read_npz(source: Readable, limits: Limits) -> Directory:
    """Read the directory of a ``.npz`` file; raises as `read_npy`."""
    archive = Archive(source, "a .npz file", limits)
    found: dict[str, Located | Unreadable | Stored] = {}
    for info in archive.members:
        name = info.filename.removesuffix(MEMBER)
        with naming_member(info):
            if name in found:
                raise CorruptError("is there twice")
            found[name] = _member(archive, info, source, limits)
    return directory_of(found.items(), source, limits, format="NumPy archive", check=archive.check)


def _member(
    archive: Archive, info: zipfile.ZipInfo, source: Readable, limits: Limits
) -> Located | Unreadable | Stored:
    if not info.filename.endswith(MEMBER):
        raise UnsupportedError(f"is no array: allowed are names that end in {MEMBER}")
    if info.flag_bits & _ENCRYPTED:
        raise UnsupportedError("is encrypted")
    if info.compress_type not in _METHODS:
        allowed = ", ".join(f"{number} ({name})" for number, name in _METHODS.items())
        raise UnsupportedError(f"compressed by method {info.compress_type}, allowed: {allowed}")
    if info.file_size > _largest(info):
        raise CorruptError(f"declares {info.file_size:,} bytes, more than there can be")
    with archive.open(info) as file:
        header = _read_header(file)
    if info.compress_type == zipfile.ZIP_STORED:
        start, stop = archive.place(info)
        return _located(header, start + header.size, stop)
    tensor = _located(header, header.size, info.file_size)
    if isinstance(tensor, Unreadable):
        return tensor
    limits.check_tensor(info.file_size, source.size)
    entry = HeaderEntry(tensor.dtype, tensor.shape, info.header_offset, info.compress_size)
    load = partial(_inflated, archive, info, header)
    return Stored(info.filename, info.header_offset, info.compress_size, entry, "", load=load)


def _largest(info: zipfile.ZipInfo) -> int:
    """Return the largest size that a member can have, given its compressed size."""
    if info.compress_type == zipfile.ZIP_STORED:
        return info.compress_size
    return _MAX_DEFLATION * info.compress_size


def _read_header(file: IO[bytes]) -> _Header:
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(file)
    if version not in readers:
        raise UnsupportedError(f"has the format {version}, allowed are 1.0 and 2.0")
    with catch_warnings():
        simplefilter("ignore")  # Python warns of odd literals in a header
        shape, is_fortran, dtype = readers[version](file)
    return _Header(shape, is_fortran, dtype, file.tell())


def _located(header: _Header, start: int, stop: int) -> Located | Unreadable:
    """Return the array whose data begin and end at these offsets."""
    dtype, shape = header.dtype, header.shape
    try:
        element = element_type(dtype.newbyteorder("=")) if dtype.kind in "fiubc" else None
    except TypeError:
        element = None
    if element is None:
        return Unreadable(f"of NumPy's type {dtype}")
    if min(shape, default=0) < 0:
        raise CorruptError(f"has the shape {shape_text(shape)}")
    needed = math.prod(shape) * element.itemsize
    if needed != stop - start:
        what = f"{stop - start:,} bytes of data for {dtype}{shape_text(shape)}"
        raise CorruptError(f"{what}, which has {needed:,}", None, stop - start, needed)
    strides = fortran_strides(shape) if header.is_fortran else None
    return Located(element.safetensors, shape, start, stop, strides, dtype.byteorder == ">")


def _inflated(archive: Archive, info: zipfile.ZipInfo, header: _Header) -> Array:
    data = np.empty(info.file_size - header.size, np.uint8)
    with naming_member(info), archive.open(info) as file:
        file.read(header.size)
        for at in range(0, len(data), _READ):
            part = file.read(min(_READ, len(data) - at))
            data[at : at + len(part)] = np.frombuffer(part, np.uint8)
            if len(part) < min(_READ, len(data) - at):
                raise CorruptError("ends too early")
        file.read(1)  # zipfile checks the checksum at the end
    array: Array = data.view(header.dtype)
    if header.is_fortran:
        array = array.reshape(header.shape[::-1]).T
    found = np.ascontiguousarray(array, header.dtype.newbyteorder("="))
    return found.reshape(header.shape)
