"""The C core for Python: typed functions around single C calls without the GIL.

There is one extension module, so there is one copy of the core and one choice of instruction sets.
The included files share this namespace.
"""

from libc.stdint cimport uint8_t, uint32_t

from .c cimport (
    QC_INTERRUPTED,
    qc_cpu_detect,
    qc_cpu_select,
    qc_cpu_selected,
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


cdef object failure(qc_status status, qc_error *error, size_t offset=0):
    """Return the exception for a status; `offset` is where the bytes that C read begin."""
    if status == QC_INTERRUPTED:
        raise_pending()
    return error_of(status, error.what, error.offset + offset, error.found, error.allowed)


include "decode.pxi"
include "encode.pxi"
include "numeric.pxi"
include "pack.pxi"
include "stream.pxi"
