"""Element types: the format's ids, their names, and their NumPy counterparts.

NumPy has no bfloat16 and no floats of 8, 6 or 4 bits. If the package ml_dtypes is installed, its
types are used. Otherwise arrays of these types have an unsigned integer dtype of the same size
(`uint16`, `uint8`) that holds the bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

try:
    import ml_dtypes
except ImportError:  # optional: the integer carriers below take its place
    ml_dtypes = None


@dataclass(frozen=True)
class ElementType:
    """One row of the table in section 3 of docs/format.md.

    Attributes
    ----------
    id : int
        The number in a frame.
    name : str
        NumPy's and PyTorch's name.
    carrier : numpy.dtype
        The dtype of NumPy arrays that hold elements of this type.
    safetensors : str
        The name in safetensors headers.
    is_float : bool
        Whether it can be decoded as another float type.
    packed_bits : int
        Bits of an element in safetensors files if it is less than a byte; otherwise 0. Arrays hold
        such an element in the lowest bits of a byte.
    """

    id: int
    name: str
    carrier: np.dtype[Any]
    safetensors: str
    is_float: bool
    packed_bits: int = 0

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.carrier.itemsize


def _carrier(name: str, fallback: str) -> np.dtype[Any]:
    return np.dtype(getattr(ml_dtypes, name, fallback) if ml_dtypes is not None else fallback)


_TABLE = (
    ElementType(0, "float32", np.dtype("f4"), "F32", True),
    ElementType(1, "float16", np.dtype("f2"), "F16", True),
    ElementType(2, "bfloat16", _carrier("bfloat16", "u2"), "BF16", True),
    ElementType(3, "float64", np.dtype("f8"), "F64", True),
    ElementType(4, "uint8", np.dtype("u1"), "U8", False),
    ElementType(5, "int8", np.dtype("i1"), "I8", False),
    ElementType(6, "uint16", np.dtype("u2"), "U16", False),
    ElementType(7, "int16", np.dtype("i2"), "I16", False),
    ElementType(8, "uint32", np.dtype("u4"), "U32", False),
    ElementType(9, "int32", np.dtype("i4"), "I32", False),
    ElementType(10, "uint64", np.dtype("u8"), "U64", False),
    ElementType(11, "int64", np.dtype("i8"), "I64", False),
    ElementType(12, "bool", np.dtype("?"), "BOOL", False),
    ElementType(13, "float8_e4m3fn", _carrier("float8_e4m3fn", "u1"), "F8_E4M3", True),
    ElementType(14, "float8_e5m2", _carrier("float8_e5m2", "u1"), "F8_E5M2", True),
    ElementType(15, "float8_e8m0fnu", _carrier("float8_e8m0fnu", "u1"), "F8_E8M0", True),
    ElementType(16, "float4_e2m1fn", _carrier("float4_e2m1fn", "u1"), "F4", False, 4),
    ElementType(17, "float6_e2m3fn", _carrier("float6_e2m3fn", "u1"), "F6_E2M3", False, 6),
    ElementType(18, "float6_e3m2fn", _carrier("float6_e3m2fn", "u1"), "F6_E3M2", False, 6),
    ElementType(19, "complex64", np.dtype("c8"), "C64", False),
    ElementType(20, "float8_e4m3fnuz", _carrier("float8_e4m3fnuz", "u1"), "F8_E4M3FNUZ", False),
    ElementType(21, "float8_e5m2fnuz", _carrier("float8_e5m2fnuz", "u1"), "F8_E5M2FNUZ", False),
)

BY_ID = {row.id: row for row in _TABLE}
BY_NAME = {row.name: row for row in _TABLE}
BY_SAFETENSORS = {row.safetensors: row for row in _TABLE}
# Integer types come first: an array of uint16 is uint16, although it may also carry bfloat16.
_BY_CARRIER = {row.carrier: row for row in reversed(_TABLE) if row.carrier.kind in "fiubc"}
_BY_CARRIER |= {row.carrier: row for row in _TABLE if row.carrier.name == row.name}

#: The types that affine and codebook values can have (format, section 4).
QUANTIZABLE = ("float32", "float16", "bfloat16", "float64")
#: The types to which any float tensor can be decoded, besides its own type.
OUTPUT_TYPES = QUANTIZABLE


def element_type(dtype: object) -> ElementType:
    """Return the element type of a name, a NumPy dtype or scalar type, or a torch dtype.

    Raises
    ------
    TypeError
        If qcodec cannot store the type (complex128, objects, strings).

    Examples
    --------
    >>> element_type("bfloat16").itemsize
    2
    >>> element_type(np.float32).safetensors
    'F32'
    """
    if isinstance(dtype, np.dtype) and dtype in _BY_CARRIER:  # the text of a dtype takes long
        return _BY_CARRIER[dtype]
    name = dtype if isinstance(dtype, str) else str(dtype).removeprefix("torch.")
    if name in BY_NAME:
        return BY_NAME[name]
    try:
        carrier = np.dtype(dtype).newbyteorder("=")  # type: ignore[call-overload]
    except TypeError:
        carrier = None
    if carrier is None or carrier not in _BY_CARRIER:
        raise TypeError(f"dtype {dtype!r} cannot be stored; allowed are {', '.join(BY_NAME)}")
    return _BY_CARRIER[carrier]


def output_type(stored: ElementType, dtype: object) -> ElementType:
    """Return the element type to which a tensor is decoded.

    Parameters
    ----------
    stored : ElementType
    dtype : optional
        What the caller asks for; None: the tensor's own type.

    Raises
    ------
    TypeError
        If the tensor cannot be decoded as `dtype`.

    Examples
    --------
    >>> output_type(BY_NAME["float16"], "float32").name
    'float32'
    """
    if dtype is None:
        return stored
    target = element_type(dtype)
    if target != stored and not (stored.is_float and target.name in OUTPUT_TYPES):
        raise TypeError(
            f"a tensor of {stored.name} cannot be decoded as {target.name}; allowed "
            f"are its own type and, for floats, {', '.join(OUTPUT_TYPES)}"
        )
    return target


def check_dtype(name: object) -> None:
    """Raise TypeError unless a codec's `dtype` is None or the name of an element type.

    Examples
    --------
    >>> check_dtype(np.float32)
    Traceback (most recent call last):
        ...
    TypeError: dtype=<class 'numpy.float32'>: allowed are None and names such as 'bfloat16'
    """
    if name is None:
        return
    if type(name) is not str:
        raise TypeError(f"dtype={name!r}: allowed are None and names such as 'bfloat16'")
    element_type(name)
