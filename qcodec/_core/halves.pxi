"""The search for floats of 16 bits that were multiplied by scales."""

import numpy as np

from libc.stdint cimport uint16_t

from . cimport c
from .polling cimport Watch, begin
from .interrupt import check


def scaled_halves(const float[::1] values, const size_t[::1] ends, int dtype):
    """Find the scale of each group, for halves of a dtype; returns (scales, groups done)."""
    cdef size_t groups = ends.shape[0], done = 0
    _check_ends(ends, values.shape[0])
    scales = np.zeros(groups, np.float32)
    if values.shape[0] == 0:
        return scales, groups
    cdef float[::1] scale_view = scales
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_scaled_halves(
            &values[0], &ends[0], groups, dtype, &scale_view[0], &done, poll, &error
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return scales, done


def may_be_scaled_halves(const float[::1] values, int dtype):
    """Return whether these few values are halves times one scale, as in `scaled_halves`."""
    cdef size_t count = values.shape[0], done = 0
    cdef float scale = 0
    cdef c.qc_error error
    cdef c.qc_status status
    if count == 0:
        return True
    status = c.qc_scaled_halves(&values[0], &count, 1, dtype, &scale, &done, NULL, &error)
    if status != c.QC_OK:
        raise failure(status, &error)
    return done == 1


def halves(
    const float[::1] values,
    const size_t[::1] ends,
    const float[::1] scales,
    int dtype,
    uint16_t[::1] out,
):
    """Write the half of each value, as bits; False if a value has none."""
    cdef size_t count = values.shape[0], groups = ends.shape[0]
    _check_ends(ends, count)
    if <size_t> scales.shape[0] != groups or <size_t> out.shape[0] != count:
        raise ValueError(f"{scales.shape[0]:,} scales of {groups:,} groups, {out.shape[0]:,} halves")
    if count == 0:
        return True
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_halves(
            &values[0], &ends[0], groups, &scales[0], dtype, &out[0], poll, &error
        )
    if status == c.QC_INVALID:
        return False
    if status != c.QC_OK:
        raise failure(status, &error)
    return True
