"""The elements of a matrix that are worth the bits of their positions."""

import numpy as np

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from . cimport c
from .polling cimport Watch, begin
from .interrupt import check


cdef int _candidates(
    c.qc_candidates *candidates,
    const float[::1] values,
    const uint8_t[::1] codes,
    const uint8_t[::1] kept,
    const uint8_t[::1] stored,
    size_t rows,
    size_t columns,
) except -1:
    """Fill a qc_candidates, and check sizes that C relies on."""
    cdef size_t count = values.shape[0]
    if count == 0 or rows == 0 or columns == 0 or rows > (<size_t> -1) // columns:
        raise ValueError(f"{count:,} values of {rows:,} rows of {columns:,}")
    if <size_t> codes.shape[0] != count or <size_t> stored.shape[0] != count:
        raise ValueError(f"{codes.shape[0]:,} codes, {stored.shape[0]:,} of {count:,} values")
    if kept is not None and <size_t> kept.shape[0] != rows * columns:
        raise ValueError(f"a mask of {kept.shape[0]:,} elements of {rows * columns:,}")
    candidates.values, candidates.codes, candidates.count = &values[0], &codes[0], count
    candidates.kept = NULL
    if kept is not None:
        candidates.kept = &kept[0]
    candidates.rows, candidates.columns = rows, columns
    return 0


def count_stored(
    const float[::1] values,
    const uint8_t[::1] codes,
    const uint8_t[::1] kept,
    const uint8_t[::1] stored,
    size_t rows,
    size_t columns,
):
    """Return (stored elements, and their sums, by code; stored elements by row and by column)."""
    cdef c.qc_candidates candidates
    _candidates(&candidates, values, codes, kept, stored, rows, columns)
    sizes = np.empty(c.QC_CANDIDATE_ENTRIES, np.uint64)
    sums = np.empty(c.QC_CANDIDATE_ENTRIES, np.float64)
    by_row, by_column = np.empty(rows, np.uint32), np.empty(columns, np.uint32)
    cdef uint64_t[::1] size_view = sizes
    cdef double[::1] sum_view = sums
    cdef uint32_t[::1] row_view = by_row
    cdef uint32_t[::1] column_view = by_column
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_count_stored(
            &candidates, &stored[0], &size_view[0], &sum_view[0], &row_view[0], &column_view[0],
            poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return sizes.astype(np.int64), sums, by_row, by_column


def choose_stored(
    const float[::1] values,
    const uint8_t[::1] codes,
    const uint8_t[::1] kept,
    uint8_t[::1] stored,
    const uint32_t[::1] by_row,
    const uint32_t[::1] by_column,
    const float[::1] entries,
    const double[::1] costs,
    double price,
):
    """Change `stored`; returns whether any element has changed."""
    cdef c.qc_candidates candidates
    _candidates(&candidates, values, codes, kept, stored, by_row.shape[0], by_column.shape[0])
    if entries.shape[0] != costs.shape[0] or <size_t> costs.shape[0] > c.QC_CANDIDATE_ENTRIES:
        raise ValueError(f"{entries.shape[0]:,} entries and {costs.shape[0]:,} costs")
    cdef float[256] all_entries
    cdef double[256] all_costs
    cdef Py_ssize_t j
    for j in range(256):
        all_entries[j] = entries[j] if j < entries.shape[0] else 0
        all_costs[j] = costs[j] if j < costs.shape[0] else 0
    cdef int changed = 0
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_choose_stored(
            &candidates, &all_entries[0], &all_costs[0], price, &by_row[0], &by_column[0],
            &stored[0], &changed, poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return bool(changed)
