"""The parameters of frames: codebooks, scales and zero points, by groups of elements."""

from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc

from .c cimport (
    QC_MAX_STREAMS, QC_OK, QC_WORKSPACE_BYTES, qc_coded_streams, qc_dtype_size, qc_error, qc_frame,
    qc_groups, qc_parameters_decode, qc_status, qc_stream_info,
)
from .polling cimport Watch, begin

from .interrupt import check


cdef object parameter_bytes(const uint8_t *start, size_t size):
    if start == NULL:
        return b""
    return (<const char *>start)[:size]


cdef int decode_parameters(qc_frame *head, void *memory) except -1:
    """Decode coded parameters to `memory`, to which the head then points; NULL: check only."""
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
    """A parameter of a frame, by groups of elements."""

    cdef Frame frame  # keeps the memory of `groups` alive
    cdef const qc_groups *groups
    cdef size_t entries

    @property
    def dtype(self):
        return self.groups.dtype

    @property
    def inner(self):
        """Number of consecutive elements that share a group."""
        return self.groups.inner

    @property
    def count(self):
        return self.groups.count

    @property
    def verbatim_bytes(self):
        """Size of the values if they are not coded."""
        return self.groups.count * self.entries * qc_dtype_size(self.groups.dtype)

    @property
    def coded(self):
        """(bytes, codings) of the body; None if the values are verbatim."""
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
        """Return the values, little-endian; empty if they are coded and not decoded yet."""
        return parameter_bytes(self.groups.values, self.verbatim_bytes)

    @property
    def lengths_bytes(self):
        """Size of the lengths of groups that have their own."""
        return self.groups.lengths_bytes

    def ends(self):
        """Where such groups end, as uint64; empty if they are not decoded yet, or have none."""
        return parameter_bytes(self.groups.ends, 8 * self.groups.count)
