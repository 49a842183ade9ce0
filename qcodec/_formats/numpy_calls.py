"""The calls by which pickles make NumPy's arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._io.source import BytesSource
from ..dtypes import element_type
from ..errors import CorruptError
from .located import Located, Unreadable, fortran_strides
from .symbolic_pickle import Bytes, Call

_CORES = ("core", "_core")  # of NumPy 1 and 2
_RECONSTRUCT = tuple(f"numpy.{core}.multiarray._reconstruct" for core in _CORES)
_FROM_BUFFER = tuple(f"numpy.{core}.numeric._frombuffer" for core in _CORES)
_SCALAR = tuple(f"numpy.{core}.multiarray.scalar" for core in _CORES)
_ORDERS = {"<": False, "=": False, "|": False, ">": True}


def numpy_array(value: Any) -> Located | Unreadable | None:
    """Return where the array is that a call would make; None if it would make none.

    Of an array of objects, too, None is returned: its objects may be arrays.

    Raises
    ------
    CorruptError
        If the call's arguments are not those of an array.
    """
    if not isinstance(value, Call):
        return None
    if value.calls(*_RECONSTRUCT):
        state = value.state
        if not isinstance(state, tuple) or len(state) != 5:
            return None
        return _array(state[1], state[2], bool(state[3]), state[4])
    arguments = value.arguments if isinstance(value.arguments, tuple) else ()
    if value.calls(*_FROM_BUFFER) and len(arguments) == 4:
        data, dtype, shape, order = arguments
        return _array(shape, dtype, order == "F", data)
    if value.calls(*_SCALAR) and len(arguments) == 2:
        return _array((), arguments[0], False, arguments[1])
    return None


def _array(shape: Any, dtype: Any, is_fortran: bool, data: Any) -> Located | Unreadable | None:
    if isinstance(data, list):  # of objects
        return None
    if not isinstance(shape, tuple) or not all(
        type(dim) is int and 0 <= dim < 1 << 56 for dim in shape
    ):
        raise CorruptError("a NumPy array whose shape is no tuple of sizes")
    name, is_big_endian = _type_of(dtype)
    if name is None:
        return Unreadable("of a NumPy type that is no number")
    strides = fortran_strides(shape) if is_fortran else None
    if isinstance(data, Bytes):
        stop = data.offset + data.size
        return Located(name, shape, data.offset, stop, strides, is_big_endian)
    text = _text_of(data)
    return Located(name, shape, 0, text.size, strides, is_big_endian, text)


def _text_of(data: Any) -> BytesSource:
    """Return bytes that an old pickle has as text, by ``_codecs.encode(text, "latin1")``."""
    if isinstance(data, str):
        text = data
    elif (
        isinstance(data, Call)
        and data.calls("_codecs.encode")
        and data.arguments[1:] == ("latin1",)
    ):
        text = data.arguments[0]
    elif isinstance(data, Call) and data.calls("__builtin__.bytes", "builtins.bytes"):
        text = ""
    else:
        raise CorruptError("a NumPy array without its bytes")
    try:
        return BytesSource(text.encode("latin-1"))
    except (AttributeError, UnicodeEncodeError):
        raise CorruptError("a NumPy array whose bytes are no bytes") from None


def _type_of(value: Any) -> tuple[str | None, bool]:
    """Return the element type as safetensors spells it, and whether it is big-endian."""
    if not isinstance(value, Call) or not value.calls("numpy.dtype"):
        return None, False
    arguments, state = value.arguments, value.state
    code = arguments[0] if isinstance(arguments, tuple) and arguments else None
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
    try:
        dtype = np.dtype(code) if isinstance(code, str) and len(code) <= 16 else None
        element = None if dtype is None or dtype.kind not in "fiubc" else element_type(dtype)
    except TypeError:
        element = None
    known = isinstance(order, str) and order in _ORDERS
    return (element.safetensors if element and known else None), known and _ORDERS[order]
