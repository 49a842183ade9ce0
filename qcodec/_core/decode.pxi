"""Frames, read: the head, the chunks, and their elements."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc

from .c cimport (
    QC_AFFINE,
    QC_CODEBOOK,
    QC_DELTA,
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
    qc_dtype_size,
    qc_error,
    qc_frame,
    qc_frame_chunks,
    qc_frame_decode,
    qc_frame_read,
    qc_parameters_decode,
    qc_poll,
    qc_status,
    qc_stream_info,
)
from .polling cimport Watch, begin

from threading import Lock

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
    """A frame's head, read and checked. `data` holds at least the head.

    Threads share it: nothing that C reads without the GIL is ever replaced. What belongs to one
    call, such as the base of a delta, is an argument of that call.
    """

    cdef qc_frame head
    # The head once more, its coded parameters decoded into `parameters`: NULL until they are, set
    # once under the lock, and never changed after that.
    cdef qc_frame *decoded
    cdef void *parameters
    cdef object decoding
    cdef qc_chunk *table
    cdef const uint8_t[::1] data

    def __cinit__(self, const uint8_t[::1] data, bint whole, bint verify):
        cdef qc_error error
        cdef qc_status status
        cdef unsigned flags = (QC_WHOLE if whole else 0) | (QC_VERIFY if verify else 0)
        cdef const uint8_t *start = address(data)
        cdef size_t size = data.shape[0]
        self.table = NULL
        self.decoded = NULL
        self.parameters = NULL
        self.decoding = Lock()
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

    def __dealloc__(self):
        PyMem_Free(self.table)
        free(self.decoded)
        free(self.parameters)

    cdef const qc_frame *best(self):
        """The head with decoded parameters, if it is there."""
        return self.decoded if self.decoded != NULL else &self.head

    cdef int bind(self, qc_frame *head, const uint8_t[::1] base) except -1:
        """The head for one call: with decoded parameters if they are there, and the call's base."""
        head[0] = self.best()[0]
        if head.kind != QC_DELTA or base is None:
            return 0
        if <size_t>base.shape[0] != head.elements * head.item_size:
            raise ValueError(
                f"the base has {base.shape[0]:,} bytes, the tensor {head.elements * head.item_size:,}"
            )
        # Of no elements any address will do.
        head.base = &base[0] if base.shape[0] > 0 else <const void *>head.digest
        return 0

    def decode_parameters(self, bint keep):
        """Decode coded parameters, once; not `keep`: check them, without memory."""
        if not self.head.undecoded:
            return
        # Not asked without the lock: it also lets this thread see what another has decoded.
        with self.decoding:
            if self.decoded == NULL:
                self.decode_parameters_once(keep)

    cdef int decode_parameters_once(self, bint keep) except -1:
        cdef qc_error error
        cdef qc_status status
        cdef Watch watch
        cdef const qc_poll *poll = begin(&watch, check)
        cdef void *workspace = malloc(QC_WORKSPACE_BYTES)
        cdef void *memory = malloc(self.head.coded_bytes) if keep else NULL
        cdef qc_frame *decoded = <qc_frame *>malloc(sizeof(qc_frame))
        if workspace == NULL or decoded == NULL or (keep and memory == NULL):
            free(workspace)
            free(decoded)
            free(memory)
            raise MemoryError
        decoded[0] = self.head
        decoded.poll = poll
        with nogil:
            status = qc_parameters_decode(decoded, memory, workspace, &error)
        decoded.poll = NULL
        free(workspace)
        if status == QC_OK and keep:
            self.parameters = memory
            self.decoded = decoded
            return 0
        free(decoded)
        free(memory)
        if status != QC_OK:
            raise failure(status, &error, 0)
        return 0

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

    def codebook_bytes(self):
        cdef const qc_frame *head = self.best()
        cdef size_t item_size = qc_dtype_size(head.codebook_dtype)
        return parameter_bytes(head.codebook, head.books * head.entries * item_size)

    def codebook_order_bytes(self):
        cdef const qc_frame *head = self.best()
        return parameter_bytes(head.codebook_order, head.books * head.entries)

    def scale_bytes(self):
        cdef const qc_frame *head = self.best()
        return parameter_bytes(head.scales, head.scale_count * qc_dtype_size(head.scale_dtype))

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

    cdef size_t code_size(self):
        """Bytes of a code as `decode_codes` gives it, or of an element of kinds without codes."""
        if self.head.kind != QC_AFFINE and self.head.kind != QC_CODEBOOK:
            return self.head.item_size
        return 1 if self.head.width <= 8 else 2

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
        cdef size_t entries
        cdef bint dense = self.head.positions == 0
        cdef uint32_t[::1] positions
        cdef uint8_t[::1] codes
        cdef uint32_t *to_positions = NULL
        cdef uint8_t *to_codes = NULL
        cdef void *workspace
        self.bind(&head, base)
        head.poll = begin(&watch, check)
        entries = self.entries(index, data)
        position_array = np.empty(0 if dense else entries, np.uint32)
        code_array = np.empty(entries * self.code_size(), np.uint8)
        positions, codes = position_array, code_array
        if entries > 0:
            to_codes = &codes[0]
            to_positions = NULL if dense else &positions[0]
        workspace = malloc(QC_WORKSPACE_BYTES)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_chunk_decode_codes(
                &head, chunk, start, entries, to_positions, to_codes,
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
