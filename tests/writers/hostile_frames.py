"""Frames that are hostile by what they declare, written by hand for the tests of their cost."""

from dataclasses import replace

from tests.writers.frame_writer import Floats, Frame, Parts, assemble, write_fields
from tests.writers.lanes_stream_writer import LanesCode
from tests.writers.lanes_stream_writer import assemble as assemble_lanes
from tests.writers.stream_writer import stream_of, vu

MIB = 1 << 20
LARGEST_CHUNK = 1 << 22
ONE = (LARGEST_CHUNK,)  # the dims of one chunk
CONSTANT = b"\0\1\0"
ALL_FEATURES = 0b1111111


def frame_of(row, dims, chunks, parameters=b"", chunk_elements=None):
    """A frame of a row of the tables (dtype, kind, positions) whose chunks are these bytes."""
    frame = Frame(*row.split(), dims, (), (), chunk_elements)
    size = None if chunk_elements is None else vu(chunk_elements)
    return assemble(Parts(write_fields(frame, ALL_FEATURES), size, parameters, tuple(chunks)))


def scaled_frame(dtype, elements, scales, chunks, chunk_elements, zero_points=b""):
    """Codes of 8 bits, and an f32 scale for each, which are coded in these planes."""
    frame = Frame(dtype, "affine", "dense", (elements,), (), (), chunk_elements)
    frame = replace(frame, scales=Floats("f32", b"", elements))
    zero_mode = b"\2" if zero_points else b"\0\0"
    scales = b"\0" + scales  # no mantissa bits, base exponent 0, no escapes
    parameters = b"\x08" + zero_mode + b"\0\1" + vu(elements) + b"\1" + vu(len(scales)) + scales
    size = None if chunk_elements is None else vu(chunk_elements)
    fields = write_fields(frame, ALL_FEATURES)
    return assemble(Parts(fields, size, parameters + zero_points, tuple(chunks)))


def one_class(last_state=0):
    """All states are of one class, and no symbol takes a bit: so it may have any number of them."""
    words = [0] * 127 + [last_state << 11] + [0] * 128
    return stream_of(5, assemble_lanes(LanesCode((7,), (32,), states=32), b"", words, b""))
