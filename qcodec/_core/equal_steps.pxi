"""Equal steps by groups: ranges, squares and errors of values, and their codes."""

import numpy as np

from libc.stdint cimport uint8_t

from . cimport c
from .polling cimport Watch, begin
from .interrupt import check


def group_ranges(const float[::1] values, size_t inner, size_t groups):
    """Return the minimum and the maximum of 0 and the values of each group, as float64."""
    cdef c.qc_grouping grouping = c.qc_grouping(inner, groups)
    found = np.empty((2, groups), np.float32)
    cdef float[:, ::1] view = found
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    cdef const float *first = &values[0] if values.shape[0] > 0 else NULL
    if groups == 0:
        raise ValueError("no groups")
    threads = share(&watch)
    with nogil:
        status = c.qc_group_ranges(
            first, values.shape[0], &grouping, &view[0, 0], &view[1, 0], poll, &error
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return found[0].astype(np.float64), found[1].astype(np.float64)


def group_squares(const float[::1] values, size_t inner, size_t groups):
    """Return the sum of the squares of the values of each group."""
    cdef c.qc_grouping grouping = c.qc_grouping(inner, groups)
    sums = np.empty(groups, np.float64)
    cdef double[::1] view = sums
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    cdef const float *first = &values[0] if values.shape[0] > 0 else NULL
    if groups == 0:
        raise ValueError("no groups")
    with nogil:
        status = c.qc_group_squares(first, values.shape[0], &grouping, &view[0], poll, &error)
    if status != c.QC_OK:
        raise failure(status, &error)
    return sums


def affine_codes(const float[::1] values, size_t inner, const double[:, ::1] steps, size_t code_size):
    """Return the codes of all values, uint8 or uint16; `steps` has a `qc_affine_step` per group."""
    cdef c.qc_grouping grouping = c.qc_grouping(inner, steps.shape[0])
    cdef size_t count = values.shape[0]
    _check_steps(steps)
    codes = np.empty(count, np.uint8 if code_size == 1 else np.uint16)
    if count == 0:
        return codes
    cdef uint8_t[::1] view = codes.view(np.uint8)
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    threads = share(&watch)
    with nogil:
        status = c.qc_affine_codes(
            &values[0], count, &grouping, <const c.qc_affine_step *> &steps[0, 0], code_size,
            &view[0], poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return codes


def fixed_point_errors(
    const float[::1] values, size_t inner, const double[:, ::1] steps, const double[::1] limits
):
    """Return the squared errors of each group, of clipping and in all; see qc_fixed_point_errors."""
    cdef c.qc_grouping grouping = c.qc_grouping(inner, steps.shape[0])
    _check_steps(steps)
    if limits.shape[0] != steps.shape[0]:
        raise ValueError(f"{limits.shape[0]:,} limits of {steps.shape[0]:,} groups")
    found = np.empty((2, steps.shape[0]), np.float64)
    cdef double[:, ::1] view = found
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    cdef const float *first = &values[0] if values.shape[0] > 0 else NULL
    with nogil:
        status = c.qc_fixed_point_errors(
            first, values.shape[0], &grouping, <const c.qc_affine_step *> &steps[0, 0],
            &limits[0], &view[0, 0], &view[1, 0], poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return found[0], found[1]


cdef int _check_steps(const double[:, ::1] steps) except -1:
    if steps.shape[0] == 0 or steps.shape[1] != 4:
        raise ValueError(f"steps of shape ({steps.shape[0]}, {steps.shape[1]}), allowed is (groups, 4)")
    return 0
