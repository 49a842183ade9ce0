"""Ternary weights by groups: thresholds, sums beyond them, and codes."""

import numpy as np

from libc.stdint cimport uint8_t, uint64_t

from . cimport c
from .polling cimport Watch, begin
from .interrupt import check


def ternary_thresholds(const float[::1] values, size_t inner, size_t groups, size_t sides):
    """Return the best thresholds of each group, shape (groups, sides); see qc_ternary_thresholds."""
    cdef c.qc_grouping grouping = c.qc_grouping(inner, groups)
    cdef size_t count = values.shape[0]
    if inner == 0 or groups == 0 or sides not in (1, 2):
        raise ValueError(f"{sides:,} sides of {groups:,} groups of {inner:,}")
    thresholds = np.empty((groups, sides), np.float32)
    cdef float[:, ::1] view = thresholds
    cdef double[::1] workspace = _workspace(c.qc_ternary_thresholds_workspace(count, &grouping))
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    cdef const float *first = &values[0] if count > 0 else NULL
    with nogil:
        status = c.qc_ternary_thresholds(
            first, count, &grouping, sides, &view[0, 0], &workspace[0], poll, &error
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return thresholds


def sums_beyond(const float[::1] values, size_t inner, const float[:, ::1] thresholds):
    """Return sums and counts of magnitudes beyond two thresholds per group; see qc_sums_beyond."""
    cdef c.qc_grouping grouping = c.qc_grouping(inner, thresholds.shape[0])
    _check_thresholds(thresholds)
    sums = np.empty((thresholds.shape[0], 2), np.float64)
    counts = np.empty((thresholds.shape[0], 2), np.uint64)
    cdef double[:, ::1] sum_view = sums
    cdef uint64_t[:, ::1] count_view = counts
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    cdef const float *first = &values[0] if values.shape[0] > 0 else NULL
    with nogil:
        status = c.qc_sums_beyond(
            first, values.shape[0], &grouping, &thresholds[0, 0], &sum_view[0, 0],
            &count_view[0, 0], poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return sums, counts


def ternary_codes(const float[::1] values, size_t inner, const float[:, ::1] thresholds):
    """Return the codes of all values, 0 to 2, by two thresholds per group."""
    cdef c.qc_grouping grouping = c.qc_grouping(inner, thresholds.shape[0])
    _check_thresholds(thresholds)
    codes = np.empty(values.shape[0], np.uint8)
    if values.shape[0] == 0:
        return codes
    cdef uint8_t[::1] view = codes
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    threads = share(&watch)
    with nogil:
        status = c.qc_ternary_codes(
            &values[0], values.shape[0], &grouping, &thresholds[0, 0], &view[0], poll, &error
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return codes


cdef int _check_thresholds(const float[:, ::1] thresholds) except -1:
    if thresholds.shape[0] == 0 or thresholds.shape[1] != 2:
        raise ValueError(
            f"thresholds of shape ({thresholds.shape[0]}, {thresholds.shape[1]}), allowed is (groups, 2)"
        )
    return 0
