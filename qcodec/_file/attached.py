"""Bytes that belong to a file and are no tensor, such as a tokenizer or a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._io.source import bytes_view
from ..errors import naming
from ..tensor import encode_frame
from .container import Attached


def encode_attached(attached: Mapping[str, Any], **encoding: Any) -> dict[str, Attached]:
    """Encode attached bytes, each as lossless uint8 of one dimension.

    Parameters
    ----------
    attached : mapping of str to bytes-like
        Values are requested one after the other, so a mapping may load them on demand.
    **encoding
        As in `encode`.

    Raises
    ------
    TypeError
        If a value is not bytes-like; the message names it.

    Examples
    --------
    >>> found = encode_attached({"vocabulary.txt": b"the of and " * 100})
    >>> len(found["vocabulary.txt"].frame) < 100
    True
    """
    contents = {}
    for name, value in attached.items():
        with naming(name, "attached"):
            contents[name] = Attached(encode_frame(_bytes_of(value), **encoding))
    return contents


def _bytes_of(value: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    if isinstance(value, np.ndarray):
        if value.dtype != np.uint8 or value.ndim != 1:
            raise TypeError(
                f"found {value.dtype}{list(value.shape)}, allowed are uint8 of one dimension, or "
                "bytes: array.tobytes()"
            )
        value = np.ascontiguousarray(value)
    return np.frombuffer(bytes_view(value), np.uint8)
