"""Reads small frames that follow each other, in a call or two for each."""

from libc.stdint cimport uint8_t

from .c cimport (
    QC_DELTA, QC_OK, QC_VERIFY, QC_WHOLE, qc_decode, qc_frame, qc_frame_read, qc_status,
)


cdef enum:
    # Of what `SmallFrames` decodes.
    SMALL_BYTES = 1 << 16
    SMALL_PARAMETERS = 1 << 14


cdef class SmallFrames:
    """Small frames in one buffer, each read and decoded by short calls.

    Anything unusual, faults included, is left to `Frame`: then the methods return None or False.
    """

    cdef const uint8_t[::1] data
    cdef Workspace workspace
    cdef uint8_t[SMALL_PARAMETERS] parameters

    def __cinit__(self, const uint8_t[::1] data):
        self.data = data
        self.workspace = Workspace()

    def head(self, size_t offset, size_t size, bint verify):
        """Return (shape, dtype, elements) of the frame at an offset."""
        cdef qc_frame head
        cdef unsigned flags = QC_WHOLE | (QC_VERIFY if verify else 0)
        cdef size_t most = self.data.shape[0], axis
        if offset > most or size > most - offset or size == 0:
            return None
        if qc_frame_read(&self.data[offset], size, flags, &head, NULL) != QC_OK:
            return None
        if (
            head.kind == QC_DELTA
            or head.elements > SMALL_BYTES // head.item_size
            or head.coded_bytes > SMALL_PARAMETERS
        ):
            return None
        return tuple([head.dims[axis] for axis in range(head.ndim)]), head.dtype, head.elements

    def decode_whole(self, size_t offset, size_t size, unsigned dtype, object out, bint verify):
        """Decode the frame at an offset into `out`; return whether it was possible."""
        cdef Py_buffer to
        cdef qc_status status
        cdef unsigned flags = QC_VERIFY if verify else 0
        cdef size_t most = self.data.shape[0]
        cdef const uint8_t *start
        if offset > most or size > most - offset or size == 0:
            return False
        start = &self.data[offset]
        PyObject_GetBuffer(out, &to, PyBUF_WRITABLE)
        if to.len <= QUICK_OUTPUT:
            status = qc_decode(
                start, size, <int>dtype, to.buf, to.len, self.parameters, SMALL_PARAMETERS, flags,
                self.workspace.memory, NULL,
            )
        else:
            with nogil:
                status = qc_decode(
                    start, size, <int>dtype, to.buf, to.len, self.parameters, SMALL_PARAMETERS,
                    flags, self.workspace.memory, NULL,
                )
        PyBuffer_Release(&to)
        return status == QC_OK
