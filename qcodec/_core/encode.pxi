"""Frames, written: chunks in their codings, then the frame around them."""

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from .c cimport (
    QC_AFFINE,
    QC_CODEBOOK,
    QC_DELTA,
    QC_DELTA_DIGEST_BYTES,
    QC_OK,
    qc_bytes,
    qc_chunk_bound,
    qc_chunk_encode,
    qc_chunk_encode_workspace,
    qc_chunk_source,
    qc_dtype_size,
    qc_encoding,
    qc_error,
    qc_frame,
    qc_frame_plan,
    qc_frame_size,
    qc_frame_write,
    qc_parameters_bound,
    qc_parameters_encode,
    qc_parameters_encode_workspace,
    qc_status,
)
from .polling cimport Watch, begin

import numpy as np

from .interrupt import check


cdef int check_size(str what, const uint8_t[::1] view, size_t count, size_t item_size) except -1:
    """What C is told about a buffer must be true: that it holds `count` items."""
    if <size_t>view.shape[0] % item_size != 0 or <size_t>view.shape[0] // item_size != count:
        raise ValueError(
            f"{what}: {view.shape[0]:,} bytes, needed are {count:,} times {item_size:,}"
        )
    return 0


cdef class Plan:
    """What a frame will look like, but for the bytes of its chunks.

    Parameters are bytes as they stand in the file, little-endian; `fields` has the
    names of qc_frame. Threads share a plan: nothing of it changes once it is made.
    """

    cdef qc_frame head
    cdef const uint8_t[::1] codebook, codebook_order, scales, zero_points, digest, base

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
        head.codebook = address(codebook)
        head.codebook_order = address(codebook_order)
        head.zero_mode = fields["zero_mode"]
        head.zero_point = fields["zero_point"]
        head.zero_points = address(zero_points)
        head.scaled = fields["scaled"]
        head.scale_dtype = fields["scale_dtype"]
        head.scale_inner = fields["scale_inner"]
        head.scale_count = fields["scale_count"]
        head.scales = address(scales)
        head.step = fields["step"]
        head.kernel_width, head.kernel_height = fields["kernel"]
        head.digest = address(digest)
        # Of no elements any address will do.
        head.base = &base[0] if base.shape[0] > 0 else <const void *>head.digest
        status = qc_frame_plan(head, &error)
        if status != QC_OK:
            raise failure(status, &error)
        self.check_sizes()

    cdef int check_sizes(self) except -1:
        cdef qc_frame *head = &self.head
        cdef size_t book = head.entries * qc_dtype_size(head.codebook_dtype)
        if head.kind == QC_CODEBOOK:
            check_size("codebook", self.codebook, head.books, book)
            if self.codebook_order.shape[0] > 0:
                check_size("order of the codebook", self.codebook_order, head.books, head.entries)
        elif self.codebook_order.shape[0] > 0:
            raise ValueError("an order of the codebook, and no codebook")
        if head.scaled:
            check_size("scales", self.scales, head.scale_count, qc_dtype_size(head.scale_dtype))
        if head.kind == QC_AFFINE and head.zero_mode != 0:
            check_size("zero points", self.zero_points, head.scale_count, 2)
        if head.kind == QC_DELTA:
            check_size("digest", self.digest, QC_DELTA_DIGEST_BYTES, 1)
            check_size("base", self.base, head.elements, head.item_size)
        return 0

    cdef size_t value_size(self):
        """Bytes of a code, or of an element of kinds without codes."""
        if self.head.kind != QC_AFFINE and self.head.kind != QC_CODEBOOK:
            return self.head.item_size
        return 1 if self.head.width <= 8 else 2

    cdef object encode_parameters(
        self, qc_frame *head, uint64_t codings, int profile, uint64_t *features
    ):
        """Code the head's parameters where that takes fewer bytes; gives what keeps them alive."""
        cdef qc_error error
        cdef qc_status status
        cdef size_t bound = qc_parameters_bound(head)
        cdef size_t workspace_bytes = qc_parameters_encode_workspace(head)
        cdef void *workspace
        cdef uint8_t[::1] bodies
        cdef uint8_t *to
        if bound == 0:
            return None
        array = np.empty(bound, np.uint8)
        bodies = array
        to = &bodies[0]
        workspace = malloc(workspace_bytes)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_parameters_encode(
                head, codings, <int>profile, to, bound, features, workspace, workspace_bytes, &error
            )
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error)
        return array

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
        source.positions = <const uint32_t *>&positions[0] if positions.shape[0] > 0 else NULL
        source.values = address(values)
        source.filler = filler
        encoding.codings, encoding.effort = codings, effort
        encoding.profile = <int>profile
        check_size("values", values, entries, self.value_size())
        if self.head.positions != 0 and <size_t>positions.shape[0] != entries:
            raise ValueError(f"{positions.shape[0]:,} positions of {entries:,} entries")
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

    def write(self, list chunks, uint64_t features, uint64_t codings, int profile):
        """The frame around encoded chunks, as bytes; parameters may be in these codings."""
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame head = self.head
        # The views keep every chunk alive and as long as it is, whoever changes the list.
        cdef list views = [memoryview(chunk) for chunk in chunks]
        cdef size_t count = len(views), size, i
        cdef const uint8_t[::1] view
        cdef uint8_t *to
        cdef qc_bytes *pieces
        cdef Watch watch
        if count != head.chunks:
            raise ValueError(f"{count} chunks, the frame has {head.chunks}")
        head.poll = begin(&watch, check)
        bodies = self.encode_parameters(&head, codings, profile, &features)
        pieces = <qc_bytes *>PyMem_Malloc(count * sizeof(qc_bytes))
        if pieces == NULL:
            raise MemoryError
        try:
            for i in range(count):
                view = views[i]
                pieces[i].size = view.shape[0]
                pieces[i].data = address(view)
            size = qc_frame_size(&head, features, pieces)
            out = PyBytes_FromStringAndSize(NULL, size)
            to = <uint8_t *>PyBytes_AsString(out)
            with nogil:
                status = qc_frame_write(&head, features, pieces, to, size, &error)
            if status != QC_OK:
                raise failure(status, &error)
        finally:
            PyMem_Free(pieces)
        del bodies  # until here the head leads to them
        return out
