"""Frames, written: chunks in their codings, then the frame around them."""

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from .c cimport (
    QC_DELTA,
    QC_INTERRUPTED,
    QC_OK,
    qc_bytes,
    qc_chunk_bound,
    qc_chunk_encode,
    qc_chunk_encode_workspace,
    qc_chunk_source,
    qc_cpu_select,
    qc_encoding,
    qc_error,
    qc_frame,
    qc_frame_plan,
    qc_frame_size,
    qc_frame_write,
    qc_parameters_bound,
    qc_parameters_encode,
    qc_parameters_encode_workspace,
    qc_poll,
    qc_status,
)
from .polling cimport Watch, begin, raise_pending

import numpy as np

from .cpu import allowed
from .interrupt import check
from .status import error_of


#: The instruction sets that this module uses; see cpu.py.
CPU_FEATURES = qc_cpu_select(allowed())


cdef object failure(qc_status status, qc_error *error):
    if status == QC_INTERRUPTED:
        raise_pending()
    return error_of(status, error.what, error.offset, error.found, error.allowed)


cdef class Plan:
    """What a frame will look like, but for the bytes of its chunks.

    Parameters are bytes as they stand in the file, little-endian; `fields` has the
    names of qc_frame.
    """

    cdef qc_frame head
    cdef const uint8_t[::1] codebook, codebook_order, scales, zero_points, digest, base
    cdef uint8_t[::1] bodies  # of coded parameters
    cdef uint64_t features  # that occur in them

    def __cinit__(
        self,
        dict fields,
        tuple shape,
        const uint8_t[::1] codebook,
        const uint8_t[::1] codebook_order,
        const uint8_t[::1] scales,
        const uint8_t[::1] zero_points,
        const uint8_t[::1] digest,
        const uint8_t[::1] base,
    ):
        cdef qc_error error
        cdef qc_frame *head = &self.head
        cdef qc_status status
        if len(shape) > 8:
            raise ValueError(f"an array of {len(shape)} dimensions; at most 8 can be stored")
        self.codebook, self.codebook_order = codebook, codebook_order
        self.scales, self.zero_points = scales, zero_points
        self.digest, self.base = digest, base
        head.dtype = fields["dtype"]
        head.kind = fields["kind"]
        head.positions = fields["positions"]
        head.ndim = len(shape)
        for axis, dim in enumerate(shape):
            head.dims[axis] = dim
        head.chunk_elements = fields["chunk_elements"]
        head.gap_width = fields["gap_width"]
        head.width = fields["width"]
        head.entries = fields["entries"]
        head.codebook_dtype = fields["codebook_dtype"]
        head.books = fields["books"]
        head.book_inner = fields["book_inner"]
        head.codebook = &codebook[0] if codebook.shape[0] > 0 else NULL
        head.codebook_order = &codebook_order[0] if codebook_order.shape[0] > 0 else NULL
        head.zero_mode = fields["zero_mode"]
        head.zero_point = fields["zero_point"]
        head.zero_points = &zero_points[0] if zero_points.shape[0] > 0 else NULL
        head.scaled = fields["scaled"]
        head.scale_dtype = fields["scale_dtype"]
        head.scale_inner = fields["scale_inner"]
        head.scale_count = fields["scale_count"]
        head.scales = &scales[0] if scales.shape[0] > 0 else NULL
        head.step = fields["step"]
        head.kernel_width, head.kernel_height = fields["kernel"]
        head.digest = &digest[0] if digest.shape[0] > 0 else NULL
        # Of no elements any address will do.
        head.base = &base[0] if base.shape[0] > 0 else <const void *>head.digest
        status = qc_frame_plan(head, &error)
        if status != QC_OK:
            raise failure(status, &error)
        if head.kind == QC_DELTA and <size_t>base.shape[0] != head.elements * head.item_size:
            raise ValueError("the base has not the size of the tensor")

    def encode_parameters(self, uint64_t codings, int profile):
        """Code the parameters, where that takes fewer bytes."""
        cdef qc_error error
        cdef qc_status status
        cdef size_t bound = qc_parameters_bound(&self.head)
        cdef size_t workspace_bytes = qc_parameters_encode_workspace(&self.head)
        cdef Watch watch
        cdef void *workspace
        cdef uint8_t *to
        if bound == 0:
            return
        cdef const qc_poll *poll = begin(&watch, check)
        self.bodies = np.empty(bound, np.uint8)
        to = &self.bodies[0]
        workspace = malloc(workspace_bytes)
        if workspace == NULL:
            raise MemoryError
        self.head.poll = poll
        with nogil:
            status = qc_parameters_encode(
                &self.head, codings, <int>profile, to, bound, &self.features,
                workspace, workspace_bytes, &error,
            )
        self.head.poll = NULL
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error)

    @property
    def chunks(self):
        return self.head.chunks

    @property
    def row_elements(self):
        return self.head.row_elements

    def encode_chunk(
        self,
        size_t first,
        size_t elements,
        const uint32_t[::1] positions,
        const uint8_t[::1] values,
        size_t entries,
        int32_t filler,
        uint64_t codings,
        int profile,
        unsigned effort,
    ):
        """(bytes, codings used) of one chunk; `positions` is empty if dense."""
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame head = self.head  # of this call: others may run at the same time
        cdef Watch watch
        cdef qc_chunk_source source
        cdef qc_encoding encoding
        cdef size_t bound, workspace_bytes, size = 0
        cdef uint64_t features = 0
        cdef void *workspace
        cdef uint8_t[::1] out
        cdef uint8_t *to
        source.first = first
        source.elements = elements
        source.entries = entries
        source.positions = &positions[0] if positions.shape[0] > 0 else NULL
        source.values = &values[0] if values.shape[0] > 0 else NULL
        source.filler = filler
        encoding.codings, encoding.effort = codings, effort
        encoding.profile = <int>profile
        if self.head.positions != 0 and <size_t>positions.shape[0] != entries:
            raise ValueError("a position for every entry")
        head.poll = begin(&watch, check)
        bound = qc_chunk_bound(&head, &source)
        workspace_bytes = qc_chunk_encode_workspace(&head, &source)
        out_array = np.empty(bound, np.uint8)
        out = out_array
        to = &out[0]
        workspace = malloc(workspace_bytes)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_chunk_encode(
                &head, &source, &encoding, to, bound, &size, &features, workspace,
                workspace_bytes, &error,
            )
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error)
        return out_array[:size].tobytes(), features

    def write(self, list chunks, uint64_t features):
        """The frame around encoded chunks, as bytes."""
        cdef qc_error error
        cdef qc_status status
        cdef size_t count = len(chunks), size, i
        cdef const uint8_t[::1] view
        cdef uint8_t *to
        cdef qc_bytes *pieces
        cdef qc_frame head = self.head
        cdef Watch watch
        features |= self.features
        if count != self.head.chunks:
            raise ValueError(f"{count} chunks, the frame has {self.head.chunks}")
        pieces = <qc_bytes *>PyMem_Malloc(count * sizeof(qc_bytes))
        if pieces == NULL:
            raise MemoryError
        try:
            for i in range(count):
                view = chunks[i]
                pieces[i].size = view.shape[0]
                pieces[i].data = &view[0] if view.shape[0] > 0 else NULL
            size = qc_frame_size(&head, features, pieces)
            out = PyBytes_FromStringAndSize(NULL, size)
            to = <uint8_t *>PyBytes_AsString(out)
            head.poll = begin(&watch, check)
            with nogil:
                status = qc_frame_write(&head, features, pieces, to, size, &error)
            if status != QC_OK:
                raise failure(status, &error)
        finally:
            PyMem_Free(pieces)
        return out
