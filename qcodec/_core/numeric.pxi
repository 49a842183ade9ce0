"""Conversions between element types, k-means, nearest centroids, and masks."""

import numpy as np

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from . cimport c
from .polling cimport Watch, begin, check_signals
from .interrupt import check

MAX_N_OF_M = c.QC_MAX_N_OF_M
KMEANS_INITS = {"linear": 0, "density": 1, "forgy": 2, "k-means++": 3}


#: Elements between two checks for signals: at most a tenth of a second on any machine.
cdef size_t PIECE = 1 << 22
#: The same where threads share the pieces: as QC_TASK_VALUES.
cdef size_t SHARED_PIECE = 1 << 20
cdef size_t N_OF_M_PIECE = 1 << 20  # these are slower


cdef class StandardFloatMode:
    """A context manager in which this thread keeps subnormals and rounds to nearest."""

    cdef uint32_t before
    cdef bint entered

    def __enter__(self):
        self.before = c.qc_float_mode_enter()
        self.entered = True

    def __exit__(self, *details):
        if self.entered:
            c.qc_float_mode_leave(self.before)
        self.entered = False


def convert(const uint8_t[::1] source, int source_dtype, uint8_t[::1] out, int out_dtype):
    cdef size_t size = c.qc_dtype_size(source_dtype)
    cdef size_t out_size = c.qc_dtype_size(out_dtype)
    cdef size_t count = 0 if size == 0 else <size_t> source.shape[0] // size
    cdef c.qc_status status
    if size == 0 or count * size != <size_t> source.shape[0]:
        raise ValueError("source is not a whole number of elements")
    if count * out_size != <size_t> out.shape[0]:
        raise ValueError(f"out has {out.shape[0]:,} bytes, needed are {count * out_size:,}")
    cdef size_t first, piece
    for first in range(0, count, PIECE):
        piece = min(count - first, PIECE)
        with nogil:
            status = c.qc_convert(
                &source[first * size], source_dtype, &out[first * out_size], out_dtype, piece
            )
        if status != c.QC_OK:
            raise ValueError(f"no conversion from element type {source_dtype} to {out_dtype}")
        check_signals(check)


def sort(float[::1] values):
    """Sort in place, ascending."""
    cdef size_t count = values.shape[0]
    if count == 0:
        return
    cdef double[::1] workspace = _workspace(c.qc_sort_workspace(count))
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_sort(&values[0], count, &workspace[0], poll, &error)
    if status != c.QC_OK:
        raise failure(status, &error)


def kmeans_lloyd(const float[::1] ordered, size_t k, init, uint64_t seed, size_t max_steps):
    cdef int chosen = KMEANS_INITS[init]
    cdef size_t count = ordered.shape[0]
    if count == 0:
        raise ValueError("k-means of no values")
    cdef double[::1] workspace = _workspace(c.qc_kmeans_workspace(count, k))
    centroids = np.empty(k, np.float32)
    cdef float[::1] view = centroids
    cdef double squared_error = 0
    cdef c.qc_error error
    cdef c.qc_status status
    if k == 0:
        raise ValueError("k-means with no centroids")
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_kmeans_lloyd(
            &ordered[0], count, k, chosen, seed, max_steps, &view[0], &squared_error,
            &workspace[0],
            poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return centroids, squared_error


def kmeans_exact(const float[::1] ordered, size_t k):
    cdef size_t count = ordered.shape[0]
    if count == 0:
        raise ValueError("k-means of no values")
    if k == 0:
        raise ValueError("k-means with no centroids")
    cdef double[::1] workspace = _workspace(c.qc_kmeans_exact_workspace(count, k))
    centroids = np.empty(k, np.float32)
    cdef float[::1] view = centroids
    cdef double squared_error = 0
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_kmeans_exact(
            &ordered[0], count, k, &view[0], &squared_error, &workspace[0],
            poll, &error
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return centroids, squared_error


def kmeans_fast(const float[::1] values, size_t k):
    cdef size_t count = values.shape[0]
    if count == 0:
        raise ValueError("k-means of no values")
    if k == 0:
        raise ValueError("k-means with no centroids")
    cdef double[::1] workspace = _workspace(c.qc_kmeans_fast_workspace(k))
    centroids = np.empty(k, np.float32)
    cdef float[::1] view = centroids
    cdef double coarseness = 0
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    threads = share(&watch)
    with nogil:
        status = c.qc_kmeans_fast(
            &values[0], count, k, &view[0], &coarseness, &workspace[0],
            poll, &error
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return centroids, coarseness


def group_codebooks(
    const float[::1] values,
    const uint8_t[::1] kept,
    size_t inner,
    size_t groups,
    size_t k,
    size_t max_sorted,
    double max_coarseness,
    bint exact,
    init=None,
    uint64_t seed=0,
    size_t max_steps=0,
):
    """Return (codebooks of shape (groups, k), entries of each, codes); `kept` may be None.

    With an `init`, those of kmeans_lloyd.
    """
    cdef size_t count = values.shape[0]
    cdef c.qc_grouping grouping = c.qc_grouping(inner, groups)
    cdef c.qc_lloyd lloyd
    cdef c.qc_group_codebooks wanted = c.qc_group_codebooks(k, max_sorted, max_coarseness, exact, NULL)
    if init is not None:
        lloyd.init, lloyd.seed, lloyd.max_steps = <int> KMEANS_INITS[init], seed, max_steps
        wanted.lloyd = &lloyd
    if inner == 0 or groups == 0 or not 1 <= k <= 256:
        raise ValueError(f"{k:,} centroids of {groups:,} groups of {inner:,}")
    if kept is not None and <size_t> kept.shape[0] != count:
        raise ValueError(f"a mask of {kept.shape[0]:,} elements for {count:,} values")
    books, entries = np.zeros((groups, k), np.float32), np.ones(groups, np.uint16)
    codes = np.zeros(count, np.uint8)
    if count == 0:
        return books, entries, codes
    cdef const uint8_t *mask = NULL
    if kept is not None:
        mask = &kept[0]
    cdef double[::1] workspace = _workspace(c.qc_group_codebooks_workspace(count, &grouping, k))
    cdef float[:, ::1] book_view = books
    cdef uint16_t[::1] entry_view = entries
    cdef uint8_t[::1] code_view = codes
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    with nogil:
        status = c.qc_group_codebooks_find(
            &values[0], mask, count, &grouping, &wanted, &book_view[0, 0], &entry_view[0],
            &code_view[0], &workspace[0], poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return books, entries, codes


cdef struct Assigning:
    const float *values
    size_t count
    const float *centroids
    size_t k
    uint8_t *codes


cdef int assign_piece(void *argument, size_t task, void *scratch, const c.qc_poll *poll) noexcept nogil:
    cdef Assigning *all = <Assigning *>argument
    cdef size_t first = task * SHARED_PIECE
    c.qc_assign(
        all.values + first, min(all.count - first, SHARED_PIECE), all.centroids, all.k,
        all.codes + first,
    )
    return 0


def assign(const float[::1] values, const float[::1] centroids):
    cdef size_t count = values.shape[0]
    cdef size_t k = centroids.shape[0]
    if k == 0 or k > 256:
        raise ValueError(f"{k:,} centroids, allowed are 1 to 256")
    codes = np.empty(count, np.uint8)
    if count == 0:
        return codes
    cdef uint8_t[::1] view = codes
    cdef Assigning all = Assigning(&values[0], count, &centroids[0], k, &view[0])
    in_pieces(assign_piece, &all, count, SHARED_PIECE)
    return codes


def assign_by_thresholds(const float[::1] values, const float[::1] thresholds):
    cdef size_t count = values.shape[0]
    cdef size_t threshold_count = thresholds.shape[0]
    if threshold_count > 255:
        raise ValueError(f"{threshold_count:,} thresholds, allowed are 0 to 255")
    codes = np.empty(count, np.uint8)
    if count == 0:
        return codes
    cdef uint8_t[::1] view = codes
    cdef const float *lowest = &thresholds[0] if threshold_count > 0 else NULL
    cdef size_t first, piece
    for first in range(0, count, PIECE):
        piece = min(count - first, PIECE)
        with nogil:
            c.qc_assign_by_thresholds(
                &values[first], piece, lowest, threshold_count, &view[first]
            )
        check_signals(check)
    return codes


def cost_thresholds(const float[::1] centroids, const double[::1] costs):
    cdef size_t k = _check_costs(centroids, costs)
    thresholds, survivors = np.empty(k, np.float32), np.empty(k, np.uint8)
    cdef float[::1] threshold_view = thresholds
    cdef uint8_t[::1] survivor_view = survivors
    cdef size_t count = 0
    cdef c.qc_error error
    cdef c.qc_status status = c.qc_cost_thresholds(
        &centroids[0], &costs[0], k, &threshold_view[0], &survivor_view[0], &count, &error
    )
    if status != c.QC_OK:
        raise failure(status, &error)
    return thresholds[:count - 1], survivors[:count]


def assign_by_cost(const float[::1] values, const float[::1] centroids, const double[::1] costs):
    cdef size_t k = _check_costs(centroids, costs)
    cdef size_t count = values.shape[0]
    codes = np.empty(count, np.uint8)
    if count == 0:
        return codes
    cdef uint8_t[::1] view = codes
    cdef c.qc_error error
    cdef c.qc_status status
    cdef size_t first, piece
    for first in range(0, count, PIECE):
        piece = min(count - first, PIECE)
        with nogil:
            status = c.qc_assign_by_cost(
                &values[first], piece, &centroids[0], &costs[0], k, &view[first], &error
            )
        if status != c.QC_OK:
            raise failure(status, &error)
        check_signals(check)
    return codes


cdef size_t _check_costs(const float[::1] centroids, const double[::1] costs) except 0:
    if centroids.shape[0] == 0 or centroids.shape[0] != costs.shape[0]:
        raise ValueError(f"{centroids.shape[0]:,} centroids and {costs.shape[0]:,} costs")
    return centroids.shape[0]


def ternary_best(const float[::1] values, size_t sides):
    cdef size_t count = values.shape[0]
    if sides != 1 and sides != 2:
        raise ValueError(f"{sides} sides, allowed are 1 and 2")
    if count == 0:
        raise ValueError("ternary weights of no values")
    cdef double[::1] workspace = _workspace(c.qc_ternary_best_workspace(sides))
    thresholds, means = np.empty(sides, np.float32), np.empty(sides, np.float32)
    cdef float[::1] threshold_view = thresholds
    cdef float[::1] mean_view = means
    cdef int coarse = 0
    cdef c.qc_error error
    cdef c.qc_status status
    cdef Watch watch
    cdef const c.qc_poll *poll = begin(&watch, check)
    threads = share(&watch)
    with nogil:
        status = c.qc_ternary_best(
            &values[0], count, sides, &threshold_view[0], &mean_view[0], &coarse, &workspace[0],
            poll, &error,
        )
    if status != c.QC_OK:
        raise failure(status, &error)
    return thresholds, means, bool(coarse)


def all_finite(const float[::1] values):
    cdef size_t first, piece, count = values.shape[0]
    cdef bint finite
    for first in range(0, count, PIECE):
        piece = min(count - first, PIECE)
        with nogil:
            finite = c.qc_all_finite(&values[first], piece)
        if not finite:
            return False
        check_signals(check)
    return True


def magnitudes_between(const float[::1] values, float minimum, float maximum):
    cdef size_t first, piece, count = values.shape[0]
    cdef size_t above_piece, above = 0, found = 0
    between = np.empty(count + 1, np.float32)
    cdef float[::1] view = between
    for first in range(0, count, PIECE):
        piece = min(count - first, PIECE)
        with nogil:
            found += c.qc_magnitudes_between(
                &values[first], piece, minimum, maximum, &above_piece, &view[found]
            )
        above += above_piece
        check_signals(check)
    return between[:found], above


def mask_above(const float[::1] values, float threshold, size_t ties):
    cdef size_t count = values.shape[0]
    mask = np.empty(count, np.uint8)
    cdef uint8_t[::1] view = mask
    if count > 0:
        with nogil:
            c.qc_mask_above(&values[0], count, threshold, ties, &view[0])
    return mask.view(np.bool_)


def mask_n_of_m(const float[::1] values, size_t row, size_t n, size_t m):
    cdef size_t count = values.shape[0]
    if row == 0 or count % row != 0:
        raise ValueError(f"{count:,} values are not rows of {row:,}")
    if not 1 <= n <= m <= c.QC_MAX_N_OF_M:
        raise ValueError(f"{n} of {m}: allowed is 1 <= n <= m <= {c.QC_MAX_N_OF_M}")
    mask = np.empty(count, np.uint8)
    cdef uint8_t[::1] view = mask
    # Pieces are several rows, or several groups of one row.
    cdef size_t rows = max(N_OF_M_PIECE // row, <size_t>1), columns = min(row, N_OF_M_PIECE // m * m)
    cdef size_t first, high, column, wide
    for first in range(0, count, rows * row):
        high = min(rows, (count - first) // row)
        for column in range(0, row, columns):
            wide = min(columns, row - column)
            with nogil:
                c.qc_mask_n_of_m(
                    &values[first + column], high, wide, n, m, &view[first + column]
                )
            check_signals(check)
    return mask.view(np.bool_)


def _workspace(size_t size):
    return np.empty(size // sizeof(double) + 1, np.float64)
