"""Frames, read: the head, the chunks, and their elements."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc

from .c cimport (
    QC_DELTA_DIGEST_BYTES,
    QC_MAX_STREAMS,
    QC_OK,
    QC_U16,
    QC_VERIFY,
    QC_WHOLE,
    QC_WORKSPACE_BYTES,
    qc_chunk,
    qc_chunk_decode,
    qc_chunk_decode_codes,
    qc_chunk_entries,
    qc_chunk_streams,
    qc_coded,
    qc_coded_streams,
    qc_cpu_select,
    qc_error,
    qc_frame,
    qc_frame_chunks,
    qc_frame_decode,
    qc_frame_read,
    qc_parameters_decode,
    qc_status,
    qc_stream_info,
)

import numpy as np

from .cpu import allowed
from .status import error_of


#: The instruction sets that this module uses; see cpu.py.
CPU_FEATURES = qc_cpu_select(allowed())


cdef inline const uint8_t *address(const uint8_t[::1] view):
    # The address of an empty view must not be taken.
    return &view[0] if view.shape[0] > 0 else NULL


cdef uint8_t *output(uint8_t[::1] out, size_t count, size_t item_size) except? NULL:
    """Where `count` elements go; NULL for None (check only) and for none."""
    if out is None:
        return NULL
    if <size_t>out.shape[0] != count * item_size:
        raise ValueError("out has not the size of the elements")
    return &out[0] if count > 0 else NULL


cdef object failure(qc_status status, qc_error *error, size_t offset):
    return error_of(status, error.what, error.offset + offset, error.found, error.allowed)


cdef object parameter_bytes(const uint8_t *start, size_t size):
    if start == NULL:
        return b""
    return (<const char *>start)[:size]


cdef object coded_streams(const qc_coded *coded, int dtype):
    cdef qc_error error
    cdef qc_status status
    cdef qc_stream_info infos[QC_MAX_STREAMS]
    cdef size_t count
    if coded.how == 0:
        return None
    status = qc_coded_streams(coded, dtype, infos, &count, &error)
    if status != QC_OK:
        raise failure(status, &error, coded.offset)
    return coded.size, [infos[i].coding for i in range(count)]


cdef class Frame:
    """A frame's head, read and checked. `data` holds at least the head."""

    cdef qc_frame head
    # The head once more, its coded parameters decoded into `parameters`: NULL until they are, and
    # from then on neither changes, whatever thread reads them.
    cdef qc_frame *decoded
    cdef void *parameters
    cdef qc_chunk *table
    cdef const uint8_t[::1] data, base

    def __cinit__(self, const uint8_t[::1] data, bint whole, bint verify):
        cdef qc_error error
        cdef qc_status status
        cdef unsigned flags = (QC_WHOLE if whole else 0) | (QC_VERIFY if verify else 0)
        cdef const uint8_t *start = address(data)
        cdef size_t size = data.shape[0]
        self.table = NULL
        self.decoded = NULL
        self.parameters = NULL
        self.data = data
        with nogil:
            status = qc_frame_read(start, size, flags, &self.head, &error)
        if status != QC_OK:
            raise failure(status, &error, 0)
        self.table = <qc_chunk *>PyMem_Malloc(self.head.chunks * sizeof(qc_chunk))
        if self.table == NULL:
            raise MemoryError
        with nogil:
            status = qc_frame_chunks(&self.head, start, self.table, &error)
        if status != QC_OK:
            raise failure(status, &error, 0)

    def __dealloc__(self):
        PyMem_Free(self.table)
        free(self.decoded)
        free(self.parameters)

    cdef const qc_frame *best(self):
        """The head with decoded parameters, if it is there."""
        return self.decoded if self.decoded != NULL else &self.head

    def decode_parameters(self, bint keep):
        """Decode coded parameters, once; not `keep`: check them, without memory."""
        cdef qc_error error
        cdef qc_status status = QC_OK
        cdef qc_frame *decoded
        cdef void *memory = NULL
        cdef void *workspace
        if not self.head.undecoded or self.decoded != NULL:
            return
        workspace = malloc(QC_WORKSPACE_BYTES)
        decoded = <qc_frame *>malloc(sizeof(qc_frame))
        if keep:
            memory = malloc(self.head.coded_bytes)
        if workspace == NULL or decoded == NULL or (keep and memory == NULL):
            free(workspace)
            free(decoded)
            free(memory)
            raise MemoryError
        decoded[0] = self.head
        with nogil:
            status = qc_parameters_decode(decoded, memory, workspace, &error)
        free(workspace)
        if status == QC_OK and keep and self.decoded == NULL:
            self.decoded, self.parameters = decoded, memory
            return
        free(decoded)  # checked, refused, or another thread was faster
        free(memory)
        if status != QC_OK:
            raise failure(status, &error, 0)

    @property
    def fields(self):
        """The head's fields by name; parameters as views of the frame's bytes."""
        cdef qc_frame *head = &self.head
        return {
            "dtype": head.dtype,
            "kind": head.kind,
            "positions": head.positions,
            "shape": tuple([head.dims[axis] for axis in range(head.ndim)]),
            "elements": head.elements,
            "chunk_elements": head.chunk_elements,
            "chunks": head.chunks,
            "width": head.width,
            "gap_width": head.gap_width,
            "entries": head.entries,
            "books": head.books,
            "book_inner": head.book_inner,
            "codebook_dtype": head.codebook_dtype,
            "zero_mode": head.zero_mode,
            "zero_point": head.zero_point,
            "scaled": bool(head.scaled),
            "scale_dtype": head.scale_dtype,
            "scale_inner": head.scale_inner,
            "scale_count": head.scale_count,
            "step": head.step,
            "kernel_width": head.kernel_width,
            "kernel_height": head.kernel_height,
            "item_size": head.item_size,
            "features": head.features,
            "frame_bytes": head.frame_bytes,
            "head_bytes": head.head_bytes,
            "params_bytes": head.params_bytes,
            "directory_offset": head.directory_offset,
            "coded_bytes": head.coded_bytes,
        }

    def codebook_bytes(self, size_t item_size):
        cdef const qc_frame *head = self.best()
        return parameter_bytes(head.codebook, head.books * head.entries * item_size)

    def codebook_order_bytes(self):
        cdef const qc_frame *head = self.best()
        return parameter_bytes(head.codebook_order, head.books * head.entries)

    def scale_bytes(self, size_t item_size):
        cdef const qc_frame *head = self.best()
        return parameter_bytes(head.scales, head.scale_count * item_size)

    def zero_point_bytes(self):
        cdef const qc_frame *head = self.best()
        return parameter_bytes(head.zero_points, 2 * head.scale_count)

    @property
    def coded_parameters(self):
        """(bytes, codings) of the bodies of codebook, scales and zero points; None: not coded."""
        cdef qc_frame *head = &self.head
        return (
            coded_streams(&head.coded_codebook, head.codebook_dtype),
            coded_streams(&head.coded_scales, head.scale_dtype),
            coded_streams(&head.coded_zero_points, QC_U16),
        )

    def digest(self):
        """Of the base (kind delta); empty for other kinds."""
        return parameter_bytes(self.head.digest, QC_DELTA_DIGEST_BYTES)

    def set_base(self, const uint8_t[::1] base):
        """Take the base's elements, which the digest is not checked against here."""
        if <size_t>base.shape[0] != self.head.elements * self.head.item_size:
            raise ValueError("the base has not the size of the tensor")
        self.base = base
        # Of no elements any address will do.
        self.head.base = address(base) if base.shape[0] > 0 else <const void *>self.head.digest

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
        int dtype,
        size_t item_size,
        uint8_t[::1] out,
        bint verify,
    ):
        """Elements [first, first + count) into `out`; the frame was opened with all of its bytes."""
        cdef qc_error error
        cdef qc_status status
        cdef const qc_frame *head = self.best()
        cdef const uint8_t *start = address(self.data)
        cdef uint8_t *to = output(out, count, item_size)
        cdef void *workspace
        if <size_t>self.data.shape[0] != self.head.frame_bytes:
            raise ValueError("the frame's bytes are not all there")
        workspace = malloc(QC_WORKSPACE_BYTES)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_frame_decode(
                head, self.table, start, first, count, <int>dtype, to,
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
        int dtype,
        size_t item_size,
        uint8_t[::1] out,
        bint verify,
    ):
        """Elements [first, first + count) of a chunk into `out`; None: check only."""
        cdef qc_error error
        cdef qc_status status
        cdef const qc_frame *head = self.best()
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef const uint8_t *start = address(data)
        cdef uint8_t *to = output(out, count, item_size)
        cdef void *workspace = malloc(QC_WORKSPACE_BYTES)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_chunk_decode(
                head, chunk, start, first, count, <int>dtype, to,
                QC_VERIFY if verify else 0, workspace, &error,
            )
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)

    def decode_codes(self, size_t index, const uint8_t[::1] data, size_t code_size, bint verify):
        """(positions of uint32 from the chunk's start or None, codes as bytes) of a chunk."""
        cdef qc_error error
        cdef qc_status status
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef const uint8_t *start = address(data)
        cdef size_t entries
        cdef bint dense = self.head.positions == 0
        cdef uint32_t[::1] positions
        cdef uint8_t[::1] codes
        cdef uint32_t *to_positions = NULL
        cdef uint8_t *to_codes = NULL
        cdef void *workspace
        entries = self.entries(index, data)
        position_array = np.empty(0 if dense else entries, np.uint32)
        code_array = np.empty(entries * code_size, np.uint8)
        positions, codes = position_array, code_array
        if entries > 0:
            to_codes = &codes[0]
            to_positions = NULL if dense else &positions[0]
        workspace = malloc(QC_WORKSPACE_BYTES)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_chunk_decode_codes(
                &self.head, chunk, start, entries, to_positions, to_codes,
                QC_VERIFY if verify else 0, workspace, &error,
            )
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)
        return None if dense else position_array, code_array

    def entries(self, size_t index, const uint8_t[::1] data):
        """Stored elements of a chunk, fillers included."""
        cdef qc_error error
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef size_t entries
        cdef qc_status status = qc_chunk_entries(&self.head, chunk, address(data), &entries, &error)
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)
        return entries

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
