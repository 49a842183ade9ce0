"""Writes the header of a safetensors file, byte for byte as the safetensors library does.

The library itself is not used: it cannot write all types that it reads (F6 and newer ones), and
the order of its metadata changes from one run to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .header import BITS, METADATA
from .metadata import to_json

_ALIGNMENT = 8
_ORDER = {dtype: number for number, dtype in enumerate(BITS)}


class TensorSpec(NamedTuple):
    """The description of a tensor in a header.

    Attributes
    ----------
    dtype : str
        As headers spell it, such as ``"F32"``.
    shape : tuple of int
    size : int
        Number of bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    size: int


def write_header(
    tensors: Mapping[str, TensorSpec], metadata: Mapping[str, str] | None = None
) -> tuple[bytes, list[str]]:
    """Return a header with its length before it, and the names in the order of their bytes.

    Tensors with wider elements come first, so that each tensor is aligned.

    Parameters
    ----------
    tensors : mapping of str to TensorSpec
    metadata : mapping of str to str, optional

    Examples
    --------
    >>> tensors = {"b": TensorSpec("U8", (2,), 2), "w": TensorSpec("F64", (), 8)}
    >>> header, order = write_header(tensors)
    >>> order, header[8:60]
    (['w', 'b'], b'{"w":{"dtype":"F64","shape":[],"data_offsets":[0,8]}')
    """
    # Unknown types come last, because their sizes could break the alignment of what follows.
    order = sorted(tensors, key=lambda name: (-_ORDER.get(tensors[name].dtype, -1), name))
    fields: dict[str, object] = {METADATA: dict(metadata)} if metadata else {}
    at = 0
    for name in order:
        dtype, shape, size = tensors[name]
        fields[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = to_json(fields)
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text, order
