"""Elements of fewer than 8 bits: safetensors packs them, arrays hold one in each byte.

The first element is in the lowest bits of the first byte.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def unpack(data: Array, bits: int, first: int, count: int) -> Array:
    """Return elements, one per byte.

    Parameters
    ----------
    data : numpy.ndarray
        Bytes.
    bits : int
        Of an element.
    first : int
        The first element's first bit in `data`.
    count : int

    Examples
    --------
    >>> unpack(np.array([0x21, 0x43], np.uint8), 4, 0, 4)
    array([1, 2, 3, 4], dtype=uint8)
    """
    places = np.unpackbits(data, bitorder="little")[first : first + bits * count]
    return np.packbits(places.reshape(count, bits), axis=1, bitorder="little").reshape(count)


def pack(elements: Array, bits: int) -> Array:
    """Return the bytes of elements; the inverse of `unpack`.

    Raises
    ------
    ValueError
        If they end within a byte, which safetensors does not allow.

    Examples
    --------
    >>> pack(np.array([1, 2, 3, 4], np.uint8), 4)
    array([33, 67], dtype=uint8)
    """
    if elements.size * bits % 8:
        raise ValueError(
            f"{elements.size:,} elements of {bits} bits end within a byte, which safetensors does "
            "not allow"
        )
    places = np.unpackbits(elements.reshape(-1, 1), axis=1, bitorder="little")
    return np.packbits(places[:, :bits], bitorder="little")
