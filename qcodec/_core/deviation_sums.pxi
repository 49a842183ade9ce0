"""Sums of sorted values less their median; see qc_deviation_sums."""

import numpy as np

from . cimport c
from .polling cimport Watch, begin
from .interrupt import check


def kept_deviation_sums(const float[::1] ordered):
    """Return the sums that are kept above the median, and below it."""
    cdef size_t count = ordered.shape[0]
    if count == 0:
        raise ValueError("sums of no values")
    above = np.empty((count - count // 2) // c.QC_KEPT_SUMS + 1, np.float64)
    below = np.empty(count // 2 // c.QC_KEPT_SUMS + 1, np.float64)
    cdef double[::1] above_view = above
    cdef double[::1] below_view = below
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_deviation_sums_keep(
            &ordered[0], count, &above_view[0], &below_view[0], poll, &error
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return above, below


def deviation_sums(
    const float[::1] ordered, const double[::1] above, const double[::1] below, cuts
):
    """Return the sum up to each cut, negative below the median; the sums are those kept."""
    cdef const size_t[::1] cut_view = np.ascontiguousarray(cuts, np.uintp)
    cdef size_t count = ordered.shape[0], middle = count // 2
    sums = np.empty(cut_view.shape[0], np.float64)
    if cut_view.shape[0] == 0:
        return sums
    if (
        count == 0
        or <size_t> above.shape[0] != (count - middle) // c.QC_KEPT_SUMS + 1
        or <size_t> below.shape[0] != middle // c.QC_KEPT_SUMS + 1
    ):
        raise ValueError(f"{above.shape[0]:,} and {below.shape[0]:,} sums of {count:,} values")
    cdef double[::1] view = sums
    cdef c.qc_error error
    cdef c.qc_status status
    with nogil:
        status = c.qc_deviation_sums(
            &ordered[0], count, &above[0], &below[0], &cut_view[0], cut_view.shape[0], &view[0],
            &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return sums
