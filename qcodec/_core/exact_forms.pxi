"""The searches for exact forms of floats: distinct patterns, and equal steps."""

import numpy as np

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint64_t

from . cimport c
from .polling cimport Watch, begin
from .interrupt import check

MAX_VALUES = c.QC_MAX_VALUES
MAX_LEVEL = c.QC_MAX_LEVEL
MAX_NARROW_LEVEL = c.QC_MAX_NARROW_LEVEL
PROBED_ITEMS = c.QC_PROBED_ITEMS


cdef class ExactProbe:
    """What is looked at of tensors of one shape and type; see `qc_exact_probe`.

    `axes` are up to two (outer, stride, inner). It never changes, so threads can share it.
    """

    cdef c.qc_exact_probe probe

    def __cinit__(
        self,
        int dtype,
        size_t count,
        unsigned limit,
        size_t row,
        unsigned row_limit,
        size_t row_sample,
        size_t run_sample,
        unsigned max_level,
        bint halves,
        axes,
    ):
        cdef c.qc_exact_probe *probe = &self.probe
        cdef size_t outer, stride, inner
        if len(axes) > c.QC_PROBE_AXES or row > count or row_sample > count:
            raise ValueError(f"{len(axes)} axes, rows of {row:,} of {count:,} elements")
        probe.dtype, probe.count, probe.limit = <c.qc_dtype>dtype, count, limit
        probe.row, probe.row_limit = row, row_limit
        probe.row_sample, probe.run_sample = row_sample, run_sample
        probe.max_level, probe.halves, probe.axes = max_level, halves, len(axes)
        for i, (outer, stride, inner) in enumerate(axes):
            if inner > stride or outer * stride > count:
                raise ValueError(f"an axis of {outer:,} times {stride:,} of {count:,} elements")
            probe.axis[i].outer, probe.axis[i].stride, probe.axis[i].inner = outer, stride, inner

    def finds(self, const uint8_t[::1] items not None):
        """Return whether the elements of a tensor may have an exact form."""
        cdef c.qc_error error
        cdef int found = 0
        check_size("probed elements", items, self.probe.count, c.qc_dtype_size(self.probe.dtype))
        status = c.qc_may_have_exact_form(&self.probe, address(items), &found, &error)
        if status != c.QC_OK:
            raise failure(status, &error)
        return found != 0


def distinct(
    const uint8_t[::1] items,
    size_t item_size,
    const size_t[::1] ends,
    size_t limit,
    uint8_t[::1] codes,
):
    """Number the distinct patterns of each group; returns (patterns, counts, groups done)."""
    cdef size_t groups = ends.shape[0], done = 0
    _check_ends(ends, codes.shape[0])
    if item_size == 0 or <size_t> items.shape[0] // item_size != <size_t> codes.shape[0]:
        raise ValueError(f"{items.shape[0]:,} bytes and {codes.shape[0]:,} codes")
    if not 1 <= limit <= c.QC_MAX_VALUES:
        raise ValueError(f"{limit:,} patterns, allowed are 1 to {c.QC_MAX_VALUES}")
    patterns, counts = np.empty((groups, limit), np.uint64), np.empty(groups, np.uint16)
    if codes.shape[0] == 0:
        counts[:] = 0
        return patterns, counts, groups
    cdef uint64_t[:, ::1] pattern_view = patterns
    cdef uint16_t[::1] count_view = counts
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_distinct(
            &items[0], item_size, &ends[0], groups, limit, &pattern_view[0, 0],
            &count_view[0], &codes[0], &done, poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return patterns, counts, done


def renumber(uint8_t[::1] codes, const size_t[::1] ends, const uint8_t[:, ::1] numbers):
    """Replace each code by the number that the table of its group has for it."""
    cdef size_t groups = ends.shape[0]
    _check_ends(ends, codes.shape[0])
    if <size_t> numbers.shape[0] != groups:
        raise ValueError(f"{numbers.shape[0]:,} tables of {groups:,} groups")
    if codes.shape[0] == 0:
        return
    with nogil:
        c.qc_renumber(
            &codes[0], &ends[0], groups, &numbers[0, 0], numbers.shape[1]
        )


def equal_steps(const float[::1] values, const size_t[::1] ends, int dtype, unsigned max_level):
    """Find the scale of each group; returns (scales, levels, groups done).

    Products are rounded to `dtype`, the id of float32, float16 or bfloat16. The levels of a group
    are the minimum and the maximum, and 1 if a value is -0.0, else 0.
    """
    cdef size_t groups = ends.shape[0], done = 0
    _check_ends(ends, values.shape[0])
    most = c.QC_MAX_LEVEL if dtype == 0 else c.QC_MAX_NARROW_LEVEL
    if not 1 <= max_level <= most:
        raise ValueError(f"levels up to {max_level:,}, allowed are 1 to {most:,}")
    _check_step_dtype(dtype)
    scales, levels = np.zeros(groups, np.float32), np.zeros((groups, 3), np.int32)
    if values.shape[0] == 0:
        return scales, levels, groups
    cdef float[::1] scale_view = scales
    cdef int32_t[:, ::1] level_view = levels
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_equal_steps(
            &values[0], &ends[0], groups, dtype, max_level, &scale_view[0],
            <c.qc_levels *> &level_view[0, 0], &done, poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return scales, levels, done


def may_have_steps(const float[::1] values, int dtype, unsigned max_level):
    """Return whether these few values are multiples of one scale, as in `equal_steps`."""
    cdef size_t count = values.shape[0], done = 0
    cdef float scale = 0
    cdef c.qc_levels levels
    cdef c.qc_error error
    cdef c.qc_status status
    _check_step_dtype(dtype)
    if count == 0:
        return True
    status = c.qc_equal_steps(
        &values[0], &count, 1, dtype, max_level, &scale, &levels, &done, NULL, &error
    )
    if status != c.QC_OK:
        raise failure(status, &error)
    return done == 1


def step_codes(
    const float[::1] values,
    const size_t[::1] ends,
    int dtype,
    const float[::1] scales,
    const int32_t[::1] zeros,
    bint negative_zeros,
    uint8_t[::1] codes,
):
    """Write the code of each value, in one or two bytes; False if a value has none.

    Products are rounded to `dtype`, as in `equal_steps`.
    """
    cdef size_t count = values.shape[0], groups = ends.shape[0]
    _check_ends(ends, count)
    if <size_t> scales.shape[0] != groups or <size_t> zeros.shape[0] != groups:
        raise ValueError(f"{scales.shape[0]:,} scales, {zeros.shape[0]:,} zeros, {groups:,} groups")
    _check_step_dtype(dtype)
    if count == 0:
        return True
    cdef size_t code_size = <size_t> codes.shape[0] // count
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    if <size_t> codes.shape[0] != code_size * count or code_size not in (1, 2):
        raise ValueError(f"{codes.shape[0]:,} bytes for {count:,} codes")
    with nogil:
        status = c.qc_step_codes(
            &values[0], &ends[0], groups, dtype, &scales[0], &zeros[0], negative_zeros,
            code_size, &codes[0], poll, &error,
        )
    if status == c.QC_INVALID:
        return False
    if status != c.QC_OK:
        raise failure(status, &error)
    return True


cdef int _check_step_dtype(int dtype) except -1:
    """Check an id: that of float32, float16 or bfloat16."""
    if not 0 <= dtype <= 2:
        raise ValueError(f"steps of dtype {dtype}, allowed are 0 to 2")
    return 0


cdef int _check_ends(const size_t[::1] ends, size_t count) except -1:
    """Check that groups follow each other up to the last item; C relies on it."""
    cdef size_t i
    cdef size_t before = 0
    for i in range(<size_t> ends.shape[0]):
        if ends[i] < before:
            raise ValueError(f"group {i:,} ends at {ends[i]:,}, before it begins")
        before = ends[i]
    if before != count:
        raise ValueError(f"groups end at {before:,}, there are {count:,} items")
    return 0
