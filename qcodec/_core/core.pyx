"""The C core in Python: thin, typed, without the GIL.

One extension module, so that there is one copy of the core and one choice of instruction sets.
Its parts share this namespace.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t

from .c cimport (
    QC_INTERRUPTED,
    qc_cpu_detect,
    qc_cpu_select,
    qc_cpu_selected,
    qc_dtype_size,
    qc_error,
    qc_status,
)
from .polling cimport raise_pending

from .cpu import allowed
from .status import error_of


def select_cpu(uint32_t features):
    """Use only these instruction sets from now on; see qc_cpu_select."""
    return qc_cpu_select(features)


def detect_cpu():
    """The instruction sets that the machine has."""
    return qc_cpu_detect()


def selected_cpu():
    """The instruction sets that are used now."""
    return qc_cpu_selected()


select_cpu(allowed())


cdef inline const uint8_t *address(const uint8_t[::1] view):
    # The address of an empty view must not be taken.
    return &view[0] if view.shape[0] > 0 else NULL


cdef int get_output(object out, Py_buffer *view, size_t count, unsigned dtype) except -1:
    """Get the buffer of `out`, which has the bytes of `count` elements of a dtype.

    Any writable, contiguous buffer will do: a typed view takes longer than decoding a few elements.
    """
    cdef size_t item_size = qc_dtype_size(dtype), size
    if out is None:  # check only
        view.buf = NULL
        return 0
    PyObject_GetBuffer(out, view, PyBUF_WRITABLE)
    size = view.len
    if item_size == 0 or size % item_size != 0 or size // item_size != count:
        PyBuffer_Release(view)
        raise ValueError(f"out has {size:,} bytes, not those of {count:,} elements of type {dtype}")
    return 0


cdef int release_output(object out, Py_buffer *view) except -1:
    if out is not None:
        PyBuffer_Release(view)
    return 0


cdef object failure(qc_status status, qc_error *error, size_t offset=0):
    """The exception for a status; `offset`: where what was read begins."""
    if status == QC_INTERRUPTED:
        raise_pending()
    return error_of(status, error.what, error.offset + offset, error.found, error.allowed)


include "decode.pxi"
include "encode.pxi"
include "numeric.pxi"
include "pack.pxi"
include "stream.pxi"
