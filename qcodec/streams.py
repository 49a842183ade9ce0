"""The integer codings and the relative index alone, without a frame around them.

These streams have no header: the decoder must know the number of symbols and their width.
The frames that `qcodec.encode` makes store both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._base.arrays import numpy_array
from ._core import core
from ._frame.ids import PROFILES
from ._io.source import bytes_view
from .limits import DEFAULT_LIMITS, Limits

Array = np.ndarray[Any, Any]

#: The codings of the format, in the order of their numbers.
CODINGS: tuple[str, ...] = core.coding_names()

MAX_WIDTH = 16
MAX_GAP_WIDTH = 16
_MAX_POSITION = 2**32 - 2


def encode(
    array: Array, coding: str = "auto", width: int | None = None, profile: str = "balanced"
) -> bytes:
    """Encode an array of small non-negative integers.

    Parameters
    ----------
    array : numpy.ndarray of integers or bool
        Any shape and strides; encoded in C order. Every value is below ``2**width``.
    coding : {"auto", "constant", "bitpacked", "huffman", "contexts", "lanes_huffman", "lanes_tans"}
        ``"auto"`` lets the profile choose. Some codings cannot store every array:
        ``"constant"`` needs all values to be equal; ``"huffman"`` and
        ``"lanes_huffman"`` need at least two different values; both of these and
        ``"lanes_tans"`` take at most 8 bits.
    width : int, optional
        Bits per symbol, 1 to 16. The default is what the largest value needs.
    profile : {"fast", "balanced", "small", "fixed"}
        What ``"auto"`` looks for: the fastest decoding, a balance, the fewest
        bytes, or a fixed width for each symbol.

    Returns
    -------
    bytes

    Raises
    ------
    TypeError
        If the elements of the array are not integers.
    ValueError
        If a value does not fit into the width, the coding cannot store the array, or
        a name is unknown.

    See Also
    --------
    decode : The inverse; it needs the number of symbols and the width.

    Examples
    --------
    >>> codes = np.array([0, 3, 0, 0, 1, 0, 2, 0])
    >>> encode(codes, coding="bitpacked").hex()
    '01020c21'
    >>> decode(encode(codes), count=8, width=2)
    array([0, 3, 0, 0, 1, 0, 2, 0], dtype=uint8)
    """
    symbols, width = _symbols(array, width)
    if coding == "auto":
        codings = _every_coding()
        chosen_profile = _number(PROFILES, profile, "profile")
    else:
        names = {name: number for number, name in enumerate(CODINGS)}
        codings = 1 << _number(names, coding, "coding")
        chosen_profile = PROFILES["small"]  # only this profile allows every coding
        _number(PROFILES, profile, "profile")
    return core.encode_stream(symbols.view(np.uint8), len(symbols), width, codings, chosen_profile)


def decode(data: Any, count: int, width: int, limits: Limits | None = None) -> Array:
    """Decode what `encode` made.

    Parameters
    ----------
    data : bytes-like
        Exactly one stream.
    count : int
        The number of symbols.
    width : int
        Bits per symbol, as encoded.
    limits : Limits, optional
        The largest array that may be built. A few bytes can encode any number of
        equal symbols.

    Returns
    -------
    numpy.ndarray
        Shape (count,), uint8 if width is at most 8, else uint16.

    Raises
    ------
    QCodecError
        If the bytes are not a stream of that many symbols of that width.
    LimitError
        If the array would be larger than the limits allow.
    ValueError
        If `count` or `width` is out of range.

    Examples
    --------
    >>> decode(bytes([0, 1, 5]), count=4, width=3)
    array([5, 5, 5, 5], dtype=uint8)
    """
    view = bytes_view(data)
    _check_range("width", width, 1, MAX_WIDTH)
    _check_range("count", count, 0, None)
    (limits or DEFAULT_LIMITS).check_tensor(count * _carrier(width).itemsize, len(view))
    return core.decode_stream(view, count, width)


def best_gap_width(positions: Array, value_bits: int = 0) -> int:
    """Return the gap width that takes the fewest bits when gaps are bitpacked.

    Parameters
    ----------
    positions : numpy.ndarray of integers
        Strictly ascending.
    value_bits : int
        Bits of each stored value. A filler costs a value too.

    Returns
    -------
    int
        1 to 16.

    Raises
    ------
    ValueError
        If positions are negative, 2**32 - 1 or more, or not strictly ascending.

    Examples
    --------
    >>> best_gap_width(np.array([2, 3, 6, 20]), value_bits=4)
    4
    """
    _check_range("value_bits", value_bits, 0, 64)
    return core.relative_index_width(_ascending(positions), value_bits)


def relative_index(positions: Array, gap_width: int | None = None) -> tuple[Array, Array]:
    """Convert positions to the gaps between them: the relative index of Deep Compression.

    A gap is the number of absent elements before a stored element. A gap that does not
    fit into `gap_width` bits is bridged by fillers: extra stored elements with the
    largest gap, to which the caller gives the value zero.

    Parameters
    ----------
    positions : numpy.ndarray of integers
        Strictly ascending, counted from 0.
    gap_width : int, optional
        1 to 16 bits; by default `best_gap_width` of the positions.

    Returns
    -------
    gaps : numpy.ndarray
        One per stored element, fillers included; uint8 up to 8 bits, else uint16.
    sources : numpy.ndarray of int32
        For each gap the index into `positions` of the position that it ends at;
        -1 for a filler.

    Raises
    ------
    ValueError
        If positions are negative, 2**32 - 1 or more, or not strictly ascending, or
        the gap width is out of range.

    Examples
    --------
    >>> gaps, sources = relative_index(np.array([1, 2, 10]), gap_width=2)
    >>> gaps
    array([1, 0, 3, 3], dtype=uint8)
    >>> sources
    array([ 0,  1, -1,  2], dtype=int32)
    """
    ascending = _ascending(positions)
    if gap_width is None:
        gap_width = core.relative_index_width(ascending, 0)
    _check_range("gap_width", gap_width, 1, MAX_GAP_WIDTH)
    gaps, sources = core.relative_index_encode(ascending, gap_width)
    return gaps, sources.view(np.int32)


def positions(gaps: Array, gap_width: int, limit: int) -> Array:
    """Convert gaps back to positions, fillers included.

    Parameters
    ----------
    gaps : numpy.ndarray of integers
        One dimension, each below ``2**gap_width``.
    gap_width : int
        1 to 16 bits.
    limit : int
        The number of elements of the tensor, below 2**32.

    Returns
    -------
    numpy.ndarray of uint32

    Raises
    ------
    CorruptError
        If a position is not below the limit.
    TypeError
        If gaps are not integers.
    ValueError
        If a gap does not fit into the width, or the width or limit is out of range.

    Examples
    --------
    >>> positions(np.array([1, 0, 3, 3]), gap_width=2, limit=16)
    array([ 1,  2,  6, 10], dtype=uint32)
    """
    _check_range("gap_width", gap_width, 1, MAX_GAP_WIDTH)
    _check_range("limit", limit, 0, 2**32 - 1)
    symbols, _ = _symbols(gaps, gap_width)
    return core.relative_index_decode(symbols.view(np.uint8), len(symbols), gap_width, limit)


def _every_coding() -> int:
    return (1 << len(CODINGS)) - 1


def _carrier(width: int) -> np.dtype[Any]:
    return np.dtype(np.uint8 if width <= 8 else np.uint16)


def _symbols(array: Array, width: int | None) -> tuple[Array, int]:
    """Return the array, flat and in its carrier type, and the width; both are checked."""
    flat = numpy_array(array).reshape(-1)
    _check_integers("array", flat)
    minimum, largest = (int(flat.min()), int(flat.max())) if flat.size else (0, 0)
    if width is None:
        width = max(1, largest.bit_length())
    _check_range("width", width, 1, MAX_WIDTH)
    if minimum < 0 or largest >= 1 << width:
        raise ValueError(
            f"values from {minimum:,} to {largest:,}; {width} bits hold 0 to {(1 << width) - 1:,}"
        )
    return np.require(flat, _carrier(width), ["C", "A"]), width


def _ascending(array: Array) -> np.ndarray[Any, np.dtype[np.uint32]]:
    flat = numpy_array(array)
    _check_integers("positions", flat)
    if flat.ndim != 1:
        raise ValueError(f"positions have {flat.ndim} dimensions, allowed is 1")
    if flat.size and (flat[0] < 0 or flat.max() > _MAX_POSITION):
        raise ValueError(f"positions from {flat.min():,} to {flat.max():,} are not below 2**32 - 1")
    if not (flat[1:] > flat[:-1]).all():
        raise ValueError("positions are not strictly ascending")
    return np.require(flat, np.uint32, ["C", "A"])


def _check_integers(what: str, array: Array) -> None:
    # An empty list is an array of floats to NumPy.
    if array.dtype.kind not in "iub" and array.size:
        raise TypeError(f"{what} of {array.dtype}, allowed are integers and bool")


def _check_range(what: str, value: int, minimum: int, largest: int | None) -> None:
    if value < minimum or (largest is not None and value > largest):
        allowed = f"at least {minimum:,}" if largest is None else f"{minimum:,} to {largest:,}"
        raise ValueError(f"{what} is {value:,}, allowed: {allowed}")


def _number(table: dict[str, int], name: str, what: str) -> int:
    if name not in table:
        raise ValueError(f"{what} {name!r} is unknown; known are {', '.join(table)}")
    return table[name]
