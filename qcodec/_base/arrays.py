"""Conversion of arrays from and to NumPy, ml_dtypes and torch."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .._core import core
from ..dtypes import BY_NAME, ElementType, element_type

_UNSIGNED = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}
#: The byte order of files.
_FILE_ORDER: Literal["<", ">"] = "<"
# Signed integers carry the bits, because torch supports its unsigned ones only in part.
_TORCH_CARRIERS = {1: "int8", 2: "int16"}


@dataclass(frozen=True, eq=False)
class Typed:
    """An array and its element type, which the dtype alone does not tell.

    Without ml_dtypes, bfloat16 has the dtype uint16.

    Attributes
    ----------
    array : numpy.ndarray
        In C order, in the carrier dtype of `element`.
    element : ElementType
    """

    array: np.ndarray[Any, Any]
    element: ElementType


def as_array(x: Any, dtype: str | None = None) -> tuple[np.ndarray[Any, Any], ElementType]:
    """Return an array in C order and the machine's byte order, and its element type.

    Parameters
    ----------
    x : array_like, torch.Tensor or Typed
        An array of any strides and byte order, a number, or a tensor. Tensors may be on any
        device, and are moved to the CPU; they may require a gradient.
    dtype : str, optional
        The element type's name. It is needed for ``"bfloat16"`` and the float8 types if `x`
        holds their bits as unsigned integers. Otherwise it is only checked: nothing is cast.

    Returns
    -------
    array : numpy.ndarray
        The shape of `x`, in the type's carrier dtype. It is copied only if necessary.
    element : ElementType

    Raises
    ------
    TypeError
        If qcodec cannot store the type, or `dtype` names another one; if `x` is a masked
        array, or a tensor without its own dense memory (sparse, nested, on the meta device,
        inside a transform of `torch.func`, or a wrapper of other tensors).

    Examples
    --------
    >>> array, element = as_array(np.array([[1, 2], [3, 4]], ">f4").T)
    >>> array.flags.c_contiguous, array.dtype.isnative, element.name
    (True, True, 'float32')
    >>> as_array(np.array([0x3F80], np.uint16), "bfloat16")[1].name
    'bfloat16'
    """
    if isinstance(x, Typed):
        array, found = x.array, x.element
    else:
        array, found = _from_torch(x) if _is_torch(x) else _from_numpy(x)
    if dtype is None or dtype == found.name:
        return array, found
    wanted = element_type(dtype)
    is_float = wanted.name.startswith(("float", "bfloat"))
    is_carried = is_float and array.dtype == _UNSIGNED[wanted.itemsize]
    if wanted is not found and not is_carried:
        bits = f"uint{8 * wanted.itemsize}"
        raise TypeError(
            f"a {found.name} array was given as {wanted.name}: cast it first, or pass its bits "
            f"as {bits}"
        )
    return array.view(wanted.carrier), wanted


def as_float32(array: np.ndarray[Any, Any], element: ElementType) -> np.ndarray[Any, Any]:
    """Return the values of a float array as float32; float64 is rounded to nearest even.

    Examples
    --------
    >>> as_float32(*as_array(np.array([1.5, -2], np.float16)))
    array([ 1.5, -2. ], dtype=float32)
    """
    return cast(array, element, BY_NAME["float32"])


def cast(
    array: np.ndarray[Any, Any],
    source: ElementType,
    to: ElementType,
    out: np.ndarray[Any, Any] | None = None,
) -> np.ndarray[Any, Any]:
    """Convert between float types; rounds once, to nearest even (format, section 4).

    Parameters
    ----------
    array : numpy.ndarray
        In C order, in the carrier dtype of `source`.
    source, to : ElementType
        `to` is float32, float16, bfloat16 or float64, or equals `source`.
    out : numpy.ndarray, optional
        In C order, of the array's shape and the carrier dtype of `to`; it is filled and returned.

    Raises
    ------
    ValueError
        If there is no such conversion.

    Examples
    --------
    >>> third = np.array([1 / 3], np.float32)
    >>> float(cast(third, BY_NAME["float32"], BY_NAME["float16"])[0])
    0.333251953125
    """
    if source is to:
        if out is None:
            return array
        out[...] = array
        return out
    if out is None:
        out = np.empty(array.shape, to.carrier)
    core.convert(bytes_of(array), source.id, bytes_of(out), to.id)
    return out


def check_out(out: object, shape: tuple[int, ...], element: ElementType) -> None:
    """Raise TypeError or ValueError unless an array of this shape can be decoded into `out`.

    Examples
    --------
    >>> check_out(np.zeros(3, np.float32), (4,), BY_NAME["float32"])
    Traceback (most recent call last):
        ...
    ValueError: out is float32[3], the tensor is float32[4]
    """
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out: found {type(out).__name__}, allowed is a numpy.ndarray")
    if out.shape != shape or out.dtype != element.carrier:
        raise ValueError(
            f"out is {out.dtype}{list(out.shape)}, the tensor is {element.carrier}{list(shape)}"
        )
    if not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError("out must be C-contiguous and writable")


def bytes_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return a view of the bytes of an array in C order.

    Examples
    --------
    >>> bytes_of(np.array([1, 2], "<u2"))
    array([1, 0, 2, 0], dtype=uint8)
    """
    return array.reshape(-1).view(np.uint8)


def _word_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the integer whose bytes have an order; a complex number is two."""
    return _UNSIGNED[dtype.itemsize // (2 if dtype.kind == "c" else 1)]


def little_endian_bytes(array: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the bytes of an array in C order, little-endian; copies on big-endian machines only.

    Examples
    --------
    >>> little_endian_bytes(np.array([1, 2], np.uint16))
    array([1, 0, 2, 0], dtype=uint8)
    """
    word = _word_of(array.dtype)
    words = array.reshape(-1).view(word)
    return words.astype(word.newbyteorder(_FILE_ORDER), copy=False).view(np.uint8)


def from_little_endian(
    data: np.ndarray[Any, np.dtype[np.uint8]], carrier: np.dtype[Any]
) -> np.ndarray[Any, Any]:
    """Return little-endian bytes as elements, one dimension; copies on big-endian machines only.

    Examples
    --------
    >>> from_little_endian(np.array([0, 0, 128, 63], np.uint8), np.dtype(np.float32))
    array([1.], dtype=float32)
    """
    word = _word_of(carrier)
    words = data.view(word.newbyteorder(_FILE_ORDER))
    return words.astype(word, copy=False).view(carrier)


def numpy_array(x: Any) -> np.ndarray[Any, Any]:
    """Convert to an array; masked arrays are refused, because their mask would be lost.

    Examples
    --------
    >>> numpy_array(np.ma.masked_equal([1, 2], 2))
    Traceback (most recent call last):
        ...
    TypeError: a masked array was given; allowed are arrays whose elements all count: x.filled(0)
    """
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            "a masked array was given; allowed are arrays whose elements all count: x.filled(0)"
        )
    return np.asarray(x)


def to_torch(array: np.ndarray[Any, Any], element: ElementType) -> Any:
    """Return an array as a torch tensor that shares its memory.

    Parameters
    ----------
    array : numpy.ndarray
        Writable, in the carrier dtype of `element`.
    element : ElementType

    Returns
    -------
    torch.Tensor
    """
    torch = importlib.import_module("torch")
    if element.packed_bits:  # torch has no such types: one element in each byte
        return torch.from_numpy(array.view(np.uint8))
    if element.name.startswith(("bfloat", "float8")):
        # torch takes no NumPy dtype for these types, so their bits are passed as integers.
        bits = array.view(f"i{element.itemsize}")
        return torch.from_numpy(bits).view(getattr(torch, element.name))
    return torch.from_numpy(array)


def _from_numpy(x: Any) -> tuple[np.ndarray[Any, Any], ElementType]:
    array = numpy_array(x)
    if array.dtype == object and not isinstance(x, np.ndarray):
        raise TypeError(f"a {type(x).__name__} was given; allowed are arrays of numbers")
    element = element_type(array.dtype)
    return np.asarray(array, dtype=element.carrier, order="C"), element


def _is_torch(x: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def _from_torch(tensor: Any) -> tuple[np.ndarray[Any, Any], ElementType]:
    torch = sys.modules["torch"]
    unusual = unusual_tensor(tensor)
    if unusual:
        raise TypeError(
            f"a tensor {unusual} was given; allowed are dense tensors with memory of their own"
        )
    element = element_type(tensor.dtype)
    tensor = tensor.detach().cpu().contiguous().resolve_conj().resolve_neg()
    if element.name.startswith(("bfloat", "float8")):
        tensor = tensor.view(getattr(torch, _TORCH_CARRIERS[element.itemsize]))
        return tensor.numpy().view(element.carrier), element
    return np.asarray(tensor.numpy(), element.carrier), element


def unusual_tensor(tensor: Any) -> str:
    """Say why a torch tensor has no plain elements in memory; empty if it has.

    Examples
    --------
    >>> import torch
    >>> unusual_tensor(torch.eye(2).to_sparse()), unusual_tensor(torch.eye(2))
    ('of layout torch.sparse_coo', '')
    """
    torch = sys.modules["torch"]
    if torch.nn.parameter.is_lazy(tensor):
        return "whose shape is not known yet"
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        return "inside a transform of torch.func"
    if tensor.layout != torch.strided:
        return f"of layout {tensor.layout}"
    if tensor.is_nested:
        return "that is nested"
    # Wrappers implement operations themselves: they have no memory, or it is meaningless.
    if type(tensor).__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:
        return f"of type {type(tensor).__name__}"
    return "on the meta device" if tensor.is_meta else ""
