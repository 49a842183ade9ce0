"""The C core for Python: typed functions around single C calls without the GIL.

There is one extension module, so there is one copy of the core and one choice of instruction sets.
The included files share this namespace.
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
    """Return the instruction sets that the machine has."""
    return qc_cpu_detect()


def selected_cpu():
    """Return the instruction sets that are in use."""
    return qc_cpu_selected()


select_cpu(allowed())


cdef inline const uint8_t *address(const uint8_t[::1] view):
    # The address of an empty view must not be taken.
    return &view[0] if view.shape[0] > 0 else NULL


cdef int get_output(object out, Py_buffer *view, size_t count, unsigned dtype) except -1:
    """Get the buffer of `out` and check that it has exactly `count` elements of a dtype.

    `out` is any writable, contiguous buffer: making a typed view would take longer than decoding a
    few elements.
    """
    cdef size_t item_size = qc_dtype_size(dtype), size
    if out is None:  # check only
        view.buf = NULL
        return 0
    PyObject_GetBuffer(out, view, PyBUF_WRITABLE)
    size = view.len
    if item_size == 0 or size % item_size != 0 or size // item_size != count:
        PyBuffer_Release(view)
        raise ValueError(f"out has {size:,} bytes, allowed are {count:,} elements of type {dtype}")
    return 0


cdef int release_output(object out, Py_buffer *view) except -1:
    if out is not None:
        PyBuffer_Release(view)
    return 0


cdef object failure(qc_status status, qc_error *error, size_t offset=0):
    """Return the exception for a status; `offset` is where the bytes that C read begin."""
    if status == QC_INTERRUPTED:
        raise_pending()
    return error_of(status, error.what, error.offset + offset, error.found, error.allowed)


include "parameters.pxi"
include "decode.pxi"
include "deviation_sums.pxi"
include "encode.pxi"
include "equal_steps.pxi"
include "exact_forms.pxi"
include "halves.pxi"
include "numeric.pxi"
include "pack.pxi"
include "position_costs.pxi"
include "small_frames.pxi"
include "stream.pxi"
include "tasks.pxi"
include "ternary.pxi"
