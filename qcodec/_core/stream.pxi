"""Integer streams, relative index and CRC32C."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from . cimport c
from .polling cimport Watch, begin, check_signals

import numpy as np

from .interrupt import check


#: Bytes between two checks for signals: at most a tenth of a second on any machine.
cdef size_t CRC32C_PIECE = 1 << 24


def crc32c(const uint8_t[::1] data, uint32_t crc=0):
    cdef size_t first, size, left = data.shape[0]
    for first in range(0, left, CRC32C_PIECE):
        size = min(left - first, CRC32C_PIECE)
        with nogil:
            crc = c.qc_crc32c(crc, &data[first], size)
        check_signals(check)
    return crc


def coding_name(unsigned coding):
    """Return the name of a coding of the format, or None."""
    cdef const char *name = c.qc_coding_name(coding)
    return None if name == NULL else name.decode("ascii")


def coding_names():
    """Return the names of all codings, by number."""
    return tuple([coding_name(coding) for coding in range(c.QC_CODING_COUNT)])


cdef int check_count(str what, const uint8_t[::1] view, size_t count, unsigned width) except -1:
    """Check that a buffer has exactly `count` symbols, because C relies on it."""
    cdef size_t bytes = view.shape[0], size = 1 if width <= 8 else 2
    if bytes % size != 0 or bytes // size != count:
        raise ValueError(f"{count:,} {what} of {width} bits in {bytes:,} bytes")
    return 0


def stream_bound(size_t count, unsigned width):
    """Return the largest size of a stream of `count` symbols."""
    return c.qc_stream_bound(count, width)


def encode_stream(
    const uint8_t[::1] symbols, size_t count, unsigned width, uint64_t codings, int profile
):
    """Encode one stream; `symbols` are the bytes of `count` uint8 or uint16."""
    check_count("symbols", symbols, count, width)
    cdef size_t capacity = c.qc_stream_bound(count, width), size = 0
    out = np.empty(capacity, np.uint8)
    cdef uint8_t[::1] view = out
    cdef uint8_t[::1] workspace = np.empty(c.QC_STREAM_ENCODE_WORKSPACE(count), np.uint8)
    cdef const uint8_t *source = &symbols[0] if count > 0 else NULL
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_stream_encode(
            source, count, width, codings, profile, &view[0], capacity, &size, &workspace[0],
            poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return out[:size].tobytes()


def decode_stream(const uint8_t[::1] data, size_t count, unsigned width):
    """Decode the `count` symbols of one stream, as uint8 or uint16."""
    symbols = np.empty(count, np.uint8 if width <= 8 else np.uint16)
    cdef uint8_t[::1] view = symbols.view(np.uint8)
    cdef uint8_t[::1] workspace = np.empty(c.QC_WORKSPACE_BYTES, np.uint8)
    cdef const uint8_t *source = &data[0] if data.shape[0] > 0 else NULL
    cdef uint8_t *out = &view[0] if count > 0 else NULL
    cdef size_t size = data.shape[0]
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_stream_decode(source, size, count, width, out, &workspace[0], poll, &error)
    if status != c.QC_OK:
        raise failure(status, &error)
    return symbols


def relative_index_width(const uint32_t[::1] positions, unsigned value_bits):
    """Return the best gap width if each stored element costs gap width + value_bits."""
    cdef size_t count = positions.shape[0]
    cdef const uint32_t *source = &positions[0] if count > 0 else NULL
    cdef unsigned width
    with nogil:
        width = c.qc_relative_index_width(source, count, value_bits)
    return width


def relative_index_encode(const uint32_t[::1] positions, unsigned gap_width):
    """Return gaps, and for each the index of its position, or 2^32 - 1 for a filler."""
    # A copy, because the caller's array may change after the gaps were counted.
    cdef const uint32_t[::1] own = np.array(positions)
    cdef size_t count = own.shape[0], stored
    cdef const uint32_t *source = &own[0] if count > 0 else NULL
    cdef c.qc_error error
    cdef c.qc_status status
    if not 1 <= gap_width <= 16:
        raise ValueError(f"gap width {gap_width}, allowed are 1 to 16")
    with nogil:
        stored = c.qc_relative_index_count(source, count, gap_width)
    gaps = np.empty(stored, np.uint8 if gap_width <= 8 else np.uint16)
    index_of = np.empty(stored, np.uint32)
    if count == 0:
        return gaps, index_of
    cdef uint8_t[::1] gap_view = gaps.view(np.uint8)
    cdef uint32_t[::1] index_view = index_of
    with nogil:
        status = c.qc_relative_index_encode(
            source, count, gap_width, &gap_view[0], &index_view[0], &stored, &error
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return gaps[:stored], index_of[:stored]


def relative_index_decode(
    const uint8_t[::1] gaps, size_t stored, unsigned gap_width, size_t limit
):
    """Convert gaps, which are the bytes of `stored` uint8 or uint16, to positions."""
    check_count("gaps", gaps, stored, gap_width)
    positions = np.empty(stored, np.uint32)
    if stored == 0:
        return positions
    cdef uint32_t[::1] view = positions
    cdef c.qc_error error
    cdef c.qc_status status
    with nogil:
        status = c.qc_relative_index_decode(
            &gaps[0], stored, gap_width, limit, &view[0], &error
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return positions
