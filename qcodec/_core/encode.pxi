"""Writes frames: encodes the chunks, then writes the frame around them."""

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from .c cimport (
    QC_CONTEXTS,
    QC_COPIES,
    QC_DECISIONS_PER_BYTE,
    QC_DELTA_DIGEST_BYTES,
    QC_DENSE,
    QC_DTYPE_COUNT,
    QC_MAX_DIMS, QC_MAX_STREAMS, QC_OK,
    QC_ROLE_COPIES, QC_ROLE_GAPS, QC_ROLE_MASK, QC_ROLE_VALUES,
    qc_bytes,
    qc_chunk,
    qc_chunk_bound,
    qc_chunk_encode,
    qc_chunk_encode_workspace,
    qc_chunk_input,
    qc_chunk_least, qc_chunk_stored, qc_chunk_streams,
    qc_copies_may_pay,
    qc_dtype_size,
    qc_encoding,
    qc_error,
    qc_frame,
    qc_frame_plan,
    qc_frame_size,
    qc_frame_write,
    qc_groups,
    qc_parameters_bound,
    qc_parameters_encode,
    qc_parameters_encode_workspace,
    qc_status,
    qc_stored_size,
    qc_stream_info,
)
from .polling cimport Watch, begin, check_signals

import numpy as np

from .interrupt import check


cdef int check_size(str what, const uint8_t[::1] view, size_t count, size_t item_size) except -1:
    """Check that a buffer has exactly `count` items, because C relies on it."""
    if <size_t>view.shape[0] % item_size != 0 or <size_t>view.shape[0] // item_size != count:
        raise ValueError(
            f"{what}: {view.shape[0]:,} bytes, needed are {count:,} times {item_size:,}"
        )
    return 0


def copies_may_pay(const uint8_t[::1] values not None, size_t item_size, unsigned dtype):
    """Return whether a sample shows repeats; `values` are elements, or codes if `dtype` is bool."""
    cdef const uint8_t *start = address(values)
    cdef size_t count = 0
    cdef bint found
    if item_size not in (1, 2, 4, 8) or dtype >= QC_DTYPE_COUNT:
        raise ValueError(f"items of {item_size} bytes, dtype {dtype}")
    count = values.shape[0] // item_size
    with nogil:
        found = qc_copies_may_pay(start, count, item_size, <int>dtype)
    return found


cdef class PlanGroups:
    """A parameter of a frame, by groups of elements; `values` are little-endian."""

    cdef readonly unsigned dtype
    cdef readonly size_t inner, count
    cdef const uint8_t[::1] values, ends

    def __cinit__(
        self,
        unsigned dtype,
        size_t inner,
        size_t count,
        const uint8_t[::1] values not None,
        const uint8_t[::1] ends = None,
    ):
        if inner == 0:
            check_size("ends of the groups", ends, count, sizeof(uint64_t))
        self.dtype, self.inner, self.count, self.values = dtype, inner, count, values
        self.ends = ends

    cdef int fill(self, qc_groups *groups) except -1:
        groups.dtype, groups.inner, groups.count = <int>self.dtype, self.inner, self.count
        groups.values = address(self.values)
        groups.ends = address(self.ends) if self.inner == 0 else NULL
        return 0


cdef int check_groups(str what, PlanGroups groups, size_t entries) except -1:
    return check_size(what, groups.values, groups.count, entries * qc_dtype_size(groups.dtype))


cdef class Plan:
    """The description of a frame before its chunks are encoded.

    A Plan never changes, so threads can share it.
    """

    cdef qc_frame head
    # The head points into these.
    cdef const uint8_t[::1] order, digest, base, notes
    cdef PlanGroups codebook, scales, zero_points

    def __cinit__(
        self,
        tuple shape,
        unsigned dtype,
        unsigned kind,
        unsigned positions,
        *,
        size_t chunk_elements = 0,
        unsigned gap_width = 0,
        unsigned width = 0,
        unsigned stored_dtype = 0,
        unsigned entries = 0,
        PlanGroups codebook = None,
        const uint8_t[::1] codebook_order = None,
        PlanGroups scales = None,
        object second_scale = None,
        uint32_t zero_point = 0,
        PlanGroups zero_points = None,
        unsigned step = 0,
        tuple filter_sides = (1, 1),
        const uint8_t[::1] digest = None,
        const uint8_t[::1] base = None,
        const uint8_t[::1] notes = None,
    ):
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame *head = &self.head
        if len(shape) > QC_MAX_DIMS:
            raise ValueError(
                f"an array of {len(shape)} dimensions; at most {QC_MAX_DIMS} can be stored"
            )
        self.codebook, self.scales, self.zero_points = codebook, scales, zero_points
        self.order, self.digest, self.base, self.notes = codebook_order, digest, base, notes
        head.dtype, head.kind, head.positions = <int>dtype, <int>kind, <int>positions
        head.ndim = len(shape)
        for axis, dim in enumerate(shape):
            head.dims[axis] = dim
        head.chunk_elements, head.gap_width, head.width = chunk_elements, gap_width, width
        head.stored_dtype = <int>stored_dtype
        head.codebook.entries = entries
        head.zero_points.common = zero_point
        if second_scale is not None:
            head.has_second_scale, head.second_scale = 1, second_scale
        head.delta.step = step
        head.delta.filter_width, head.delta.filter_height = filter_sides
        self.point_to_parameters()
        status = qc_frame_plan(head, &error)
        if status != QC_OK:
            raise failure(status, &error)
        self.check_sizes()

    cdef int point_to_parameters(self) except -1:
        cdef qc_frame *head = &self.head
        if self.codebook is not None:
            self.codebook.fill(&head.codebook.books)
        if self.order is not None:
            head.codebook.order = address(self.order)
        if self.scales is not None:
            self.scales.fill(&head.scales)
        if self.zero_points is not None:
            self.zero_points.fill(&head.zero_points.groups)
        if self.digest is not None:
            head.delta.digest = address(self.digest)
        if self.base is not None:
            # Without elements, any address that is not NULL will do.
            head.delta.base = &self.base[0] if self.base.shape[0] > 0 else <const void *>head
        if self.notes is not None:
            head.notes.bytes, head.notes.size = address(self.notes), self.notes.shape[0]
        return 0

    cdef int check_sizes(self) except -1:
        """Check the sizes of the buffers that C will read."""
        cdef qc_frame *head = &self.head
        cdef size_t entries = head.codebook.entries
        if head.codebook.books.count > 0:
            check_groups("codebook", self.codebook, entries)
            if self.order is not None:
                check_size("order of the codebook", self.order, self.codebook.count, entries)
        elif self.order is not None:
            raise ValueError("an order of the codebook was given, but no codebook")
        if head.scales.count > 0:
            check_groups("scales", self.scales, 1)
        if head.zero_points.groups.count > 0:
            check_groups("zero points", self.zero_points, 1)
        if self.digest is not None:
            check_size("digest", self.digest, QC_DELTA_DIGEST_BYTES, 1)
        if self.base is not None:
            check_size("base", self.base, head.elements, head.item_size)
        return 0

    cdef object encode_parameters(
        self, qc_frame *head, uint64_t codings, int profile, uint64_t *features
    ):
        """Code the head's parameters if that takes fewer bytes; returns their memory's owner."""
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

    def chunk_least(self, const uint8_t[::1] values, size_t stored, uint64_t codings, int profile):
        """Return the bytes that a dense chunk surely takes; 0 if they are not known."""
        cdef qc_chunk_input chunk
        cdef qc_encoding encoding
        cdef size_t least
        check_size("values", values, stored, qc_stored_size(&self.head))
        chunk.first, chunk.elements, chunk.stored = 0, stored, stored
        chunk.positions, chunk.values, chunk.filler = NULL, address(values), -1
        encoding.codings, encoding.effort, encoding.profile = codings, 1, <int>profile
        with nogil:
            least = qc_chunk_least(&self.head, &chunk, &encoding)
        return least

    def chunk_price(self, size_t elements, const uint8_t[::1] data):
        """Return the bytes that the contexts of an encoded chunk have to save to be worth their time.

        Copies and row counts are no elements; they are few, and free.
        """
        cdef qc_error error
        cdef qc_chunk chunk
        cdef qc_stream_info infos[QC_MAX_STREAMS]
        cdef size_t count, stored, i, decisions = 0
        cdef qc_status status
        chunk.index = chunk.offset = chunk.first = 0
        chunk.bytes, chunk.elements = data.shape[0], elements
        status = qc_chunk_streams(&self.head, &chunk, address(data), infos, &count, &error)
        if status == QC_OK:
            status = qc_chunk_stored(&self.head, &chunk, address(data), &stored, &error)
        if status != QC_OK:
            raise failure(status, &error)
        for i in range(count):
            if infos[i].coding != QC_CONTEXTS:
                continue
            if infos[i].role == QC_ROLE_MASK:
                decisions += elements
            elif infos[i].role == QC_ROLE_GAPS:
                decisions += stored * self.head.gap_width
            elif QC_ROLE_VALUES <= infos[i].role < QC_ROLE_COPIES:
                decisions += stored * self.head.width
        return decisions // QC_DECISIONS_PER_BYTE

    def encode_chunk(
        self,
        size_t first,
        size_t elements,
        const uint32_t[::1] positions,
        const uint8_t[::1] values,
        size_t stored,
        int32_t filler,
        uint64_t codings,
        int profile,
        unsigned effort,
    ):
        """Encode one chunk; returns (bytes, codings used). `positions` is empty if every element has a value."""
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame head = self.head  # a copy, because other calls may run at the same time
        cdef Watch watch
        cdef qc_chunk_input chunk
        cdef qc_encoding encoding
        cdef size_t bound, workspace_bytes, size = 0
        cdef uint64_t features = 0
        cdef void *workspace
        cdef uint8_t[::1] out
        cdef uint8_t *to
        chunk.first = first
        chunk.elements = elements
        chunk.stored = stored
        chunk.positions = <const uint32_t *>&positions[0] if positions.shape[0] > 0 else NULL
        chunk.values = address(values)
        chunk.filler = filler
        encoding.codings, encoding.effort = codings, effort
        encoding.profile = <int>profile
        check_size("values", values, stored, qc_stored_size(&self.head))
        if self.head.positions not in (QC_DENSE, QC_COPIES) and <size_t>positions.shape[0] != stored:
            raise ValueError(f"{positions.shape[0]:,} positions of {stored:,} stored elements")
        head.poll = begin(&watch, check)
        bound = qc_chunk_bound(&head, &chunk)
        workspace_bytes = qc_chunk_encode_workspace(&head, &chunk)
        out_array = np.empty(bound, np.uint8)
        out = out_array
        to = &out[0]
        workspace = malloc(workspace_bytes)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_chunk_encode(
                &head, &chunk, &encoding, to, bound, &size, &features, workspace,
                workspace_bytes, &error,
            )
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error)
        return out_array[:size].tobytes(), features

    def write(self, chunks, uint64_t codings, int profile):
        """Return the frame around all chunks; its parameters may use these codings.

        `chunks` yields (bytes, codings used) of each. Chunks are gathered in large blocks, which
        the allocator takes from the system and gives back one by one: so the chunks and the frame
        are never both in memory as a whole.
        """
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame head = self.head
        cdef uint64_t features = 0, used
        cdef size_t count = 0, size, total = 0, of_block = 0, i
        cdef list blocks = [], block = [], sizes = []
        cdef uint8_t *to
        cdef qc_bytes *pieces
        cdef Watch watch
        for chunk, used in chunks:
            data = bytes(chunk)  # of a fixed size, even if the caller changes the chunk
            size = len(data)
            sizes.append(size)
            block.append(data)
            features |= used
            total += size
            of_block += size
            if of_block >= BLOCK_BYTES:
                blocks.append(joined(block, of_block))
                block, of_block = [], 0
            del chunk, data
            count += 1
        if count != head.chunks:
            raise ValueError(f"{count} chunks, the frame has {head.chunks}")
        blocks += block
        block = []
        head.poll = begin(&watch, check)
        bodies = self.encode_parameters(&head, codings, profile, &features)
        pieces = <qc_bytes *>PyMem_Malloc(count * sizeof(qc_bytes))
        if pieces == NULL:
            raise MemoryError
        try:
            for i in range(count):
                pieces[i].size = sizes[i]
            size = qc_frame_size(&head, features, pieces)
            out = large_bytes(size)
            to = <uint8_t *>PyBytes_AsString(out)
            place_blocks(to + size - total, blocks)
            total = size - total
            for i in range(count):
                pieces[i].data = to + total
                total += pieces[i].size
            with nogil:
                status = qc_frame_write(&head, features, pieces, to, size, &error)
            if status != QC_OK:
                raise failure(status, &error)
        finally:
            PyMem_Free(pieces)
        del bodies  # the head pointed to them until now
        return out


# Larger than what malloc ever keeps for itself: up to 32 MiB in the C library of Linux.
cdef size_t BLOCK_BYTES = 33 << 20


cdef extern from *:
    """
    #if defined(__linux__)
    #include <stdint.h>
    #include <sys/mman.h>
    #endif

    /* Ask for large pages, as NumPy does for arrays of this size: the faults of small ones would
       take half of the time in which a frame is written. Where there are none, nothing is lost. */
    static void qc_use_large_pages(void *memory, size_t size)
    {
    #if defined(__linux__) && defined(MADV_HUGEPAGE)
        const uintptr_t page = 4096;
        uintptr_t start = ((uintptr_t)memory + page - 1) / page * page;
        if (size >= (size_t)1 << 22)
            (void)madvise((void *)start, ((uintptr_t)memory + size - start) / page * page,
                          MADV_HUGEPAGE);
    #else
        (void)memory, (void)size;
    #endif
    }
    """
    void qc_use_large_pages(void *memory, size_t size)


cdef bytes large_bytes(size_t size):
    """Return new bytes, which the caller fills."""
    out = PyBytes_FromStringAndSize(NULL, size)
    qc_use_large_pages(PyBytes_AsString(out), size)
    return out


cdef bytes joined(list pieces, size_t size):
    out = large_bytes(size)
    cdef char *to = PyBytes_AsString(out)
    for piece in pieces:
        memcpy(to, PyBytes_AsString(piece), len(piece))
        to += <size_t>len(piece)
    return out


cdef int place_blocks(uint8_t *to, list blocks) except -1:
    """Copy the blocks one after the other, and release each once it is copied."""
    cdef Py_ssize_t size
    blocks.reverse()
    while blocks:
        block = blocks.pop()
        size = len(block)
        memcpy(to, PyBytes_AsString(block), size)
        to += size
        check_signals(check)
    return 0
