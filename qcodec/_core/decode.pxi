"""Frames, read: the head, the chunks, and their elements."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc

from .c cimport (
    QC_DELTA,
    QC_DELTA_DIGEST_BYTES,
    QC_MAX_STREAMS,
    QC_OK,
    QC_VERIFY,
    QC_WHOLE,
    QC_WORKSPACE_BYTES,
    qc_chunk,
    qc_chunk_decode,
    qc_chunk_decode_codes,
    qc_chunk_stored,
    qc_chunk_streams,
    qc_coded_streams,
    qc_dtype_size,
    qc_error,
    qc_frame,
    qc_frame_chunks,
    qc_frame_decode,
    qc_frame_read,
    qc_groups,
    qc_parameters_decode,
    qc_status,
    qc_stored_size,
    qc_stream_info,
)
from .polling cimport Watch, begin

import numpy as np

from .interrupt import check


cdef uint8_t *output(uint8_t[::1] out, size_t count, unsigned dtype) except? NULL:
    """Where `count` elements of a dtype go; NULL for None (check only) and for none."""
    cdef size_t item_size = qc_dtype_size(dtype)
    if out is None:
        return NULL
    if item_size == 0 or <size_t>out.shape[0] % item_size != 0:
        raise ValueError(f"out has {out.shape[0]:,} bytes, no elements of type {dtype}")
    if <size_t>out.shape[0] // item_size != count:
        raise ValueError(f"out has {out.shape[0]:,} bytes, not those of {count:,} elements")
    return &out[0] if count > 0 else NULL


cdef object parameter_bytes(const uint8_t *start, size_t size):
    if start == NULL:
        return b""
    return (<const char *>start)[:size]


cdef int decode_parameters(qc_frame *head, void *memory) except -1:
    """Decode coded parameters to `memory`, where the head then points; NULL: check only."""
    cdef qc_error error
    cdef qc_status status
    cdef Watch watch
    cdef void *workspace
    head.poll = begin(&watch, check)
    workspace = malloc(QC_WORKSPACE_BYTES)
    if workspace == NULL:
        raise MemoryError
    with nogil:
        status = qc_parameters_decode(head, memory, workspace, &error)
    head.poll = NULL
    free(workspace)
    if status != QC_OK:
        raise failure(status, &error, 0)
    return 0


cdef class FrameGroups:
    """A parameter of a frame by groups of elements."""

    cdef Frame frame  # keeps alive what `groups` points to
    cdef const qc_groups *groups
    cdef size_t entries

    @property
    def dtype(self):
        return self.groups.dtype

    @property
    def inner(self):
        """Consecutive elements that share a group."""
        return self.groups.inner

    @property
    def count(self):
        return self.groups.count

    @property
    def verbatim_bytes(self):
        """Of the values, if they are not coded."""
        return self.groups.count * self.entries * qc_dtype_size(self.groups.dtype)

    @property
    def coded(self):
        """(bytes, codings) of the body; None: the values are verbatim."""
        cdef qc_error error
        cdef qc_status status
        cdef qc_stream_info infos[QC_MAX_STREAMS]
        cdef size_t count
        if self.groups.coded.mode == 0:
            return None
        status = qc_coded_streams(self.groups, infos, &count, &error)
        if status != QC_OK:
            raise failure(status, &error, self.groups.coded.offset)
        return self.groups.coded.size, [infos[i].coding for i in range(count)]

    def values(self):
        """The values, little-endian; empty if they are coded and the frame has only its head."""
        return parameter_bytes(self.groups.values, self.verbatim_bytes)


cdef class Frame:
    """A frame's head, read and checked. The data holds at least the head.

    It never changes, so threads share it. What belongs to one call, such as the base of a delta,
    is an argument of that call. Elements can be decoded of a frame whose parameters are verbatim,
    and of what `with_parameters` gives.
    """

    cdef qc_frame head
    cdef qc_chunk *table
    cdef const uint8_t[::1] data
    # Of a frame with decoded parameters: the memory that they are in, and the frame that was read,
    # whose table it shares.
    cdef void *memory
    cdef Frame origin

    def __cinit__(self):
        self.table = NULL
        self.memory = NULL

    def __dealloc__(self):
        if self.origin is None:
            PyMem_Free(self.table)
        free(self.memory)

    @staticmethod
    def read(const uint8_t[::1] data, bint whole, bint verify):
        """Read the head; `whole`: the data is all of the frame; `verify`: check the CRCs."""
        cdef Frame frame = Frame.__new__(Frame)
        frame.read_head(data, whole, verify)
        return frame

    cdef int read_head(self, const uint8_t[::1] data, bint whole, bint verify) except -1:
        cdef qc_error error
        cdef qc_status status
        cdef unsigned flags = (QC_WHOLE if whole else 0) | (QC_VERIFY if verify else 0)
        cdef const uint8_t *start = address(data)
        cdef size_t size = data.shape[0]
        self.data = data
        with nogil:
            status = qc_frame_read(start, size, flags, &self.head, &error)
        if status != QC_OK:
            raise failure(status, &error, 0)
        if self.head.chunks <= (<size_t>-1) // sizeof(qc_chunk):
            self.table = <qc_chunk *>PyMem_Malloc(self.head.chunks * sizeof(qc_chunk))
        if self.table == NULL:
            raise MemoryError
        with nogil:
            status = qc_frame_chunks(&self.head, start, self.table, &error)
        if status != QC_OK:
            raise failure(status, &error, 0)
        return 0

    cdef int bind(self, qc_frame *head, const uint8_t[::1] base) except -1:
        """The head for one call, with the call's base."""
        head[0] = self.head
        if head.kind != QC_DELTA or base is None:
            return 0
        if <size_t>base.shape[0] != head.elements * head.item_size:
            raise ValueError(
                f"the base has {base.shape[0]:,} bytes, the tensor {head.elements * head.item_size:,}"
            )
        # Of no elements any address will do.
        head.delta.base = &base[0] if base.shape[0] > 0 else <const void *>head.delta.digest
        return 0

    def with_parameters(self):
        """This frame with its coded parameters decoded; itself if none are coded."""
        cdef Frame opened
        if self.head.coded_bytes == 0 or self.memory != NULL:
            return self
        opened = Frame.__new__(Frame)
        opened.head, opened.table, opened.data = self.head, self.table, self.data
        opened.origin = self
        opened.memory = malloc(self.head.coded_bytes)
        if opened.memory == NULL:
            raise MemoryError
        decode_parameters(&opened.head, opened.memory)
        return opened

    def check_parameters(self):
        """Check coded parameters, without memory for them."""
        cdef qc_frame head = self.head
        if head.coded_bytes > 0:
            decode_parameters(&head, NULL)

    @property
    def dtype(self):
        return self.head.dtype

    @property
    def kind(self):
        return self.head.kind

    @property
    def positions(self):
        return self.head.positions

    @property
    def shape(self):
        return tuple([self.head.dims[axis] for axis in range(self.head.ndim)])

    @property
    def elements(self):
        return self.head.elements

    @property
    def item_size(self):
        return self.head.item_size

    @property
    def chunk_elements(self):
        return self.head.chunk_elements

    @property
    def chunks(self):
        return self.head.chunks

    @property
    def width(self):
        """Bits of a code, or of a symbol of kinds that store elements."""
        return self.head.width

    @property
    def gap_width(self):
        return self.head.gap_width

    @property
    def features(self):
        """The codings that may occur, as bits."""
        return self.head.features

    @property
    def frame_bytes(self):
        return self.head.frame_bytes

    @property
    def head_bytes(self):
        return self.head.head_bytes

    @property
    def coded_bytes(self):
        """Of coded parameters, once they are decoded."""
        return self.head.coded_bytes

    cdef object groups(self, const qc_groups *groups, size_t entries):
        cdef FrameGroups found
        if groups.count == 0:
            return None
        found = FrameGroups.__new__(FrameGroups)
        found.frame, found.groups, found.entries = self, groups, entries
        return found

    @property
    def codebook(self):
        """The books; None for kinds without."""
        return self.groups(&self.head.codebook.books, self.head.codebook.entries)

    def codebook_order(self):
        """One byte per entry of all books: its place before they were sorted; empty: they were not."""
        cdef size_t entries = self.head.codebook.entries
        return parameter_bytes(self.head.codebook.order, self.head.codebook.books.count * entries)

    @property
    def scales(self):
        """None: there are none."""
        return self.groups(&self.head.scales, 1)

    @property
    def zero_point(self):
        """Of all elements, if there are no `zero_points`."""
        return self.head.zero_points.common

    @property
    def zero_points(self):
        """One per scale; None: `zero_point` is that of all elements."""
        return self.groups(&self.head.zero_points.groups, 1)

    def digest(self):
        """Of the base (kind delta); empty for other kinds."""
        return parameter_bytes(self.head.delta.digest, QC_DELTA_DIGEST_BYTES)

    def chunk(self, size_t index):
        """(offset, bytes, first element, elements) of a chunk."""
        if index >= self.head.chunks:
            raise IndexError(index)
        cdef qc_chunk *chunk = &self.table[index]
        return chunk.offset, chunk.bytes, chunk.first, chunk.elements

    cdef qc_chunk *checked(self, size_t index, const uint8_t[::1] data) except NULL:
        # What C is told about the buffer must be true.
        if index >= self.head.chunks:
            raise IndexError(index)
        if <size_t>data.shape[0] != self.table[index].bytes:
            raise ValueError("the chunk's bytes are not all there")
        return &self.table[index]

    def decode(
        self,
        size_t first,
        size_t count,
        unsigned dtype,
        uint8_t[::1] out,
        const uint8_t[::1] base,
        bint verify,
    ):
        """Elements [first, first + count) into `out`; the frame was opened with all of its bytes.

        `base`: all elements of the base of kind delta, which the digest is not checked against
        here; else None.
        """
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame head
        cdef Watch watch
        cdef const uint8_t *start = address(self.data)
        cdef uint8_t *to = output(out, count, dtype)
        cdef void *workspace
        if <size_t>self.data.shape[0] != self.head.frame_bytes:
            raise ValueError("the frame's bytes are not all there")
        self.bind(&head, base)
        head.poll = begin(&watch, check)
        workspace = malloc(QC_WORKSPACE_BYTES)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_frame_decode(
                &head, self.table, start, first, count, <int>dtype, to,
                QC_VERIFY if verify else 0, workspace, &error,
            )
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error, 0)

    def decode_chunk(
        self,
        size_t index,
        const uint8_t[::1] data,
        size_t first,
        size_t count,
        unsigned dtype,
        uint8_t[::1] out,
        const uint8_t[::1] base,
        bint verify,
    ):
        """Elements [first, first + count) of a chunk into `out`; None: check only."""
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame head
        cdef Watch watch
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef const uint8_t *start = address(data)
        cdef uint8_t *to = output(out, count, dtype)
        cdef void *workspace
        self.bind(&head, base)
        head.poll = begin(&watch, check)
        workspace = malloc(QC_WORKSPACE_BYTES)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_chunk_decode(
                &head, chunk, start, first, count, <int>dtype, to,
                QC_VERIFY if verify else 0, workspace, &error,
            )
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)

    def decode_codes(
        self, size_t index, const uint8_t[::1] data, const uint8_t[::1] base, bint verify
    ):
        """(positions of uint32 from the chunk's start or None, codes as bytes) of a chunk."""
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame head
        cdef Watch watch
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef const uint8_t *start = address(data)
        cdef size_t stored
        cdef bint dense = self.head.positions == 0
        cdef uint32_t[::1] positions
        cdef uint8_t[::1] codes
        cdef uint32_t *to_positions = NULL
        cdef uint8_t *to_codes = NULL
        cdef void *workspace
        self.bind(&head, base)
        head.poll = begin(&watch, check)
        stored = self.stored(index, data)
        position_array = np.empty(0 if dense else stored, np.uint32)
        code_array = np.empty(stored * qc_stored_size(&self.head), np.uint8)
        positions, codes = position_array, code_array
        if stored > 0:
            to_codes = &codes[0]
            to_positions = NULL if dense else &positions[0]
        workspace = malloc(QC_WORKSPACE_BYTES)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_chunk_decode_codes(
                &head, chunk, start, stored, to_positions, to_codes,
                QC_VERIFY if verify else 0, workspace, &error,
            )
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)
        return None if dense else position_array, code_array

    def stored(self, size_t index, const uint8_t[::1] data):
        """Stored elements of a chunk, fillers included."""
        cdef qc_error error
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef size_t count
        cdef qc_status status = qc_chunk_stored(&self.head, chunk, address(data), &count, &error)
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)
        return count

    def streams(self, size_t index, const uint8_t[::1] data):
        """[(role, coding, bytes)] of a chunk's streams."""
        cdef qc_error error
        cdef qc_status status
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef const uint8_t *start = address(data)
        cdef qc_stream_info infos[QC_MAX_STREAMS]
        cdef size_t count
        status = qc_chunk_streams(&self.head, chunk, start, infos, &count, &error)
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)
        return [(infos[i].role, infos[i].coding, infos[i].bytes) for i in range(count)]
