"""Section 6: a chunk, from its bytes to its elements."""

from __future__ import annotations

from .codings import Streams
from .conventions import Reader
from .copies import make_copies, read_copies
from .delta import read_deltas
from .element_types import split_elements
from .head import BYTES, COPIES, DELTA, PLANES, Head
from .parameters import Parameters
from .planes import read_planes
from .positions import read_positions
from .values import convert_all, read_bytes, read_codes, scaled_elements, zero_of


def decode_chunk(
    reader: Reader, head: Head, parameters: Parameters, first: int, e: int, base: bytes, dtype: str
) -> bytes:
    """The e elements of a chunk that begins at element `first`, in the output type.

    `base` has the elements of the base of the same indices, if the kind is delta. `reader` has all
    bytes of the chunk.
    """
    streams = Streams(reader, head.features, routed=1)
    if head.positions == COPIES:
        copies = read_copies(reader, streams, e, head)
        # All elements share their parameters: it does not matter which indices they have.
        stored = _read_values(reader, streams, head, parameters, list(range(copies.stored)), [])
        reader.at_end("chunk")
        return b"".join(convert_all(make_copies(copies, stored, e), head.dtype, dtype))
    positions = read_positions(reader, streams, e, head, parameters.gap_width)
    indices = [first + position for position in positions]
    of_base = split_elements(base, head.form.item_size)
    base_of_stored = [of_base[position] for position in positions] if head.kind == DELTA else []
    stored = _read_values(reader, streams, head, parameters, indices, base_of_stored)
    reader.at_end("chunk")
    # Elements that are not stored are those of the base, or 0.
    elements = convert_all(of_base, head.dtype, dtype)
    if head.kind != DELTA:
        elements = [zero_of(dtype)] * e
    for position, element in zip(positions, convert_all(stored, head.dtype, dtype), strict=True):
        elements[position] = element
    return b"".join(elements)


def _read_values(
    reader: Reader,
    streams: Streams,
    head: Head,
    parameters: Parameters,
    indices: list[int],
    base: list[bytes],
) -> list[bytes]:
    """The stored elements, in the frame's dtype.

    `indices` has their indices in the tensor, and `base`, if the kind is delta, the elements of the
    base of the same indices.
    """
    m = len(indices)
    if head.kind == BYTES:
        return read_bytes(streams, m, head)
    if head.kind == PLANES and head.scaled:
        elements = read_planes(reader, streams, m, parameters.stored_dtype)
        return scaled_elements(elements, indices, head, parameters)
    if head.kind == PLANES:
        return read_planes(reader, streams, m, head.dtype)
    if head.kind == DELTA:
        return read_deltas(reader, streams, head, parameters, base)
    return read_codes(streams, indices, head, parameters)
