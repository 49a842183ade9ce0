/*
 * qcodec: the numerical functions of the quantizers.
 *
 * They choose the numbers that frames store: sorted values, centroids, codes, masks. The rules at
 * the top of qcodec_base.h hold for them too. Values may change while a function reads them, as
 * weights do that are being trained: the result is then useless, or QC_INVALID, but nothing is read
 * or written outside the buffers. The functions that take sorted values are the exception: pass a
 * sorted copy that nobody else changes.
 *
 * Floats depend on the thread's floating-point mode: bracket calls with qc_float_mode_enter and
 * qc_float_mode_leave where a thread may flush subnormals or round in another way than to nearest.
 */
#ifndef QCODEC_NUMERIC_H
#define QCODEC_NUMERIC_H

#include "qcodec_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Groups of a tensor's elements, in C order: element i is of group (i / inner) % count. Both are at
   least 1 (else QC_INVALID). */
typedef struct qc_grouping {
    size_t inner, count;
} qc_grouping;

typedef enum qc_kmeans_init {
    QC_KMEANS_LINEAR = 0,  /* equal steps from the smallest to the largest value */
    QC_KMEANS_DENSITY = 1, /* equal steps of the cumulative distribution */
    QC_KMEANS_FORGY = 2,   /* k values drawn at random */
    QC_KMEANS_PLUSPLUS = 3 /* k-means++: drawn by squared distance */
} qc_kmeans_init;

/* Sorts `count` values in ascending order: -0.0 before 0.0, and NaN at the start or the end, by its
   sign. The time depends on `count` alone. If the call is interrupted, the values are lost.
   `workspace`: qc_sort_workspace bytes, aligned for size_t. */
size_t qc_sort_workspace(size_t count);
qc_status qc_sort(float *values, size_t count, void *workspace, const qc_poll *poll,
                  qc_error *error);

/* k-means of `count` float32 values, ascending and finite (else QC_INVALID), with k at most 256.
   After the start come Lloyd steps, at most `max_steps`, until nothing moves. An empty cluster
   takes the value farthest from its centroid. If there are fewer than k distinct values, the
   remaining centroids repeat the last one. Writes k ascending centroids and the sum of squared
   errors (may be NULL). The seed determines the result. `workspace`: qc_kmeans_workspace bytes,
   aligned for double. */
size_t qc_kmeans_workspace(size_t count, size_t k);
qc_status qc_kmeans_lloyd(const float *sorted, size_t count, size_t k, qc_kmeans_init init,
                          uint64_t seed, size_t max_steps, float *centroids, double *error_sum,
                          void *workspace, const qc_poll *poll, qc_error *error);
/* The exact optimum, up to rounding of double sums; arguments and results as above. The time does
   not grow with k. `workspace`: qc_kmeans_exact_workspace bytes (below 50 per value), aligned for
   double. */
size_t qc_kmeans_exact_workspace(size_t count, size_t k);
qc_status qc_kmeans_exact(const float *sorted, size_t count, size_t k, float *centroids,
                          double *error_sum, void *workspace, const qc_poll *poll, qc_error *error);

/* Near the optimum, without sorting: counts `count` finite values (else QC_INVALID) in any order
   into bins, and finds the best partition of the bins. *coarseness (may be NULL) estimates the part
   of the squared error within bins. Up to 0.001, which is usual for weights, the error is at most
   0.05 % above the optimum. It is larger if values form narrow groups far from each other: use the
   exact method for them. The rest is as above. `workspace`: qc_kmeans_fast_workspace bytes, aligned
   for double; only as much is touched as is needed. */
size_t qc_kmeans_fast_workspace(size_t k);
qc_status qc_kmeans_fast(const float *values, size_t count, size_t k, float *centroids,
                         double *coarseness, void *workspace, const qc_poll *poll, qc_error *error);

/* A codebook for each group of finite values (else QC_INVALID). Up to `max_sorted` members are
   sorted; with `exact`, the codebook is then the optimum, else its cuts are found on a grid and
   moved to where the error is least: typically 0.01 % above the optimum. For more members it is
   that of the fast method, or if its coarseness is above `max_coarseness`, as for fewer. With
   `lloyd`, it is that of qc_kmeans_lloyd. `kept`: 1 for each value that counts, else 0; NULL: all
   do. Writes k centroids of each group, ascending, where the last one is repeated after the first
   entries[g], which differ from each other (a 0 for a group without values), and the number of the
   nearest one for each value that counts. `workspace`: qc_group_codebooks_workspace bytes, aligned
   for double, of which only as much is touched as is needed. */
typedef struct qc_lloyd {
    qc_kmeans_init init;
    uint64_t seed; /* of every group */
    size_t max_steps;
} qc_lloyd;
typedef struct qc_group_codebooks {
    size_t k, max_sorted;
    double max_coarseness;
    int exact;
    const qc_lloyd *lloyd; /* NULL: none of these */
} qc_group_codebooks;
size_t qc_group_codebooks_workspace(size_t count, const qc_grouping *grouping, size_t k);
qc_status qc_group_codebooks_find(const float *values, const uint8_t *kept, size_t count,
                                  const qc_grouping *grouping, const qc_group_codebooks *wanted,
                                  float *books, uint16_t *entries, uint8_t *codes, void *workspace,
                                  const qc_poll *poll, qc_error *error);

/* For each value, the number of the nearest of `k` (1 to 256) ascending centroids: the lower one of
   two that are equally near, the first of equal ones. Exact: no rounding decides. */
void qc_assign(const float *values, size_t count, const float *centroids, size_t k, uint8_t *codes);

/* The number of thresholds below each value: `thresholds` are at most 255, ascending. */
void qc_assign_by_thresholds(const float *values, size_t count, const float *thresholds,
                             size_t threshold_count, uint8_t *codes);

/* A centroid costs (value - centroid)^2 + its cost. Finds the centroids that are the cheapest for
   some value, and the thresholds between them. Of equally cheap centroids that of the lower cost is
   taken, then that of the lower number. `centroids`: k (1 to 256), finite and ascending. Costs may
   be infinite, but not all of them (else QC_INVALID). Writes up to k numbers of centroids,
   ascending, and one threshold less, for qc_assign_by_thresholds. Rounding is that of double. */
qc_status qc_cost_thresholds(const float *centroids, const double *costs, size_t k,
                             float *thresholds, uint8_t *survivors, size_t *survivor_count,
                             qc_error *error);

/* The number of the cheapest centroid of each value, by the same rules. */
qc_status qc_assign_by_cost(const float *values, size_t count, const float *centroids,
                            const double *costs, size_t k, uint8_t *codes, qc_error *error);

/* Sums of sorted values less their median, sorted[count / 2], over ranges that begin or end at the
   median. Only every QC_KEPT_SUMS-th is kept: above[i] is the sum over the first i * QC_KEPT_SUMS
   values from the median on, of which (count - count / 2) / QC_KEPT_SUMS + 1 are kept, and below[i]
   that of the last ones before it, (count / 2) / QC_KEPT_SUMS + 1. Writes for each cut (else
   QC_INVALID: at most `count`) the sum from the median to it, negative below the median. */
#define QC_KEPT_SUMS 64
qc_status qc_deviation_sums_keep(const float *sorted, size_t count, double *above, double *below,
                                 const qc_poll *poll, qc_error *error);
qc_status qc_deviation_sums(const float *sorted, size_t count, const double *above,
                            const double *below, const size_t *cuts, size_t cut_count, double *sums,
                            qc_error *error);

/* Elements of a matrix that may be stored: all, or those where `kept` (rows * columns bytes) is not
   0. Values and codes are those of these elements alone, `count` of each, in C order. */
#define QC_CANDIDATE_ENTRIES 256
typedef struct qc_candidates {
    const float *values;
    const uint8_t *codes;
    size_t count;
    const uint8_t *kept; /* NULL: all */
    size_t rows, columns;
} qc_candidates;

/* How many stored elements have each code, row and column, and the sums of their values by code.
   `sizes` and `sums` have QC_CANDIDATE_ENTRIES elements. */
qc_status qc_count_stored(const qc_candidates *in, const uint8_t *stored, uint64_t *sizes,
                          double *sums, uint32_t *rows, uint32_t *columns, const qc_poll *poll,
                          qc_error *error);

/* Stores an element if that lowers the squared error by more than the price of its bits: the cost
   of its entry, and log2 of the odds against its position, which follow from how many elements of
   its row and column are stored. `entries` and `costs` have QC_CANDIDATE_ENTRIES elements. */
qc_status qc_choose_stored(const qc_candidates *in, const float *entries, const double *costs,
                           double price, const uint32_t *rows, const uint32_t *columns,
                           uint8_t *stored, int *changed, const qc_poll *poll, qc_error *error);

/* The ternary weights of the least squared error. sides = 1: magnitudes above thresholds[0] are to
   be stored as their mean, means[0]. sides = 2: positive values by the first, negative ones by the
   second of two thresholds and means. Both are 0 where nothing is to be stored. Values are finite
   (else QC_INVALID), fewer than 2^32 - 1, in any order. *coarse becomes 1 if a histogram could not
   narrow the optimum down to a few bins: the result is then the best among bins, else the optimum.
   `workspace`: qc_ternary_best_workspace bytes, aligned for uint64_t; its last part is touched only
   as far as needed. */
size_t qc_ternary_best_workspace(size_t sides);
qc_status qc_ternary_best(const float *values, size_t count, size_t sides, float *thresholds,
                          float *means, int *coarse, void *workspace, const qc_poll *poll,
                          qc_error *error);

/* The same thresholds for each group, thresholds[sides * group + side], by sorting.
   `workspace`: qc_ternary_thresholds_workspace bytes, aligned for double. */
size_t qc_ternary_thresholds_workspace(size_t count, const qc_grouping *grouping);
qc_status qc_ternary_thresholds(const float *values, size_t count, const qc_grouping *grouping,
                                size_t sides, float *thresholds, void *workspace,
                                const qc_poll *poll, qc_error *error);

/* With two thresholds for each group, which are not negative: sums and numbers of the values above
   the first one, and of the magnitudes of those below minus the second one. */
qc_status qc_sums_beyond(const float *values, size_t count, const qc_grouping *grouping,
                         const float *thresholds, double *sums, uint64_t *counts,
                         const qc_poll *poll, qc_error *error);

/* The same values get the codes 2 and 0, all others 1. */
qc_status qc_ternary_codes(const float *values, size_t count, const qc_grouping *grouping,
                           const float *thresholds, uint8_t *codes, const qc_poll *poll,
                           qc_error *error);

/* Whether no value is infinite or NaN. */
int qc_all_finite(const float *values, size_t count);

/* Copies the magnitudes from `min` to `max`, in order, and counts those above. Returns the number
   of those copied; `between` has room for count + 1. */
size_t qc_magnitudes_between(const float *values, size_t count, float min, float max, size_t *above,
                             float *between);

/* mask[i] = 1 if the magnitude of values[i] is above the threshold, or equal to it and among the
   first `ties` that are; else 0. */
void qc_mask_above(const float *values, size_t count, float threshold, size_t ties, uint8_t *mask);

/* mask[i] = 1 for the n largest magnitudes of every m (1 to QC_MAX_N_OF_M) consecutive values of a
   row, else 0; of equal ones the first are taken. The last group of a row may be shorter. */
#define QC_MAX_N_OF_M 64
void qc_mask_n_of_m(const float *values, size_t rows, size_t row, size_t n, size_t m,
                    uint8_t *mask);

/* ---- equal steps ---- */

/* The smallest and the largest of 0 and the values of each group, which are finite (else
   QC_INVALID). */
qc_status qc_group_ranges(const float *values, size_t count, const qc_grouping *grouping,
                          float *low, float *high, const qc_poll *poll, qc_error *error);

/* The sum of the squares of each group's values. */
qc_status qc_group_squares(const float *values, size_t count, const qc_grouping *grouping,
                           double *sums, const qc_poll *poll, qc_error *error);

/* What a group's values become: multiples of `step`, from `low` to `high`, plus `zero`. */
typedef struct qc_affine_step {
    double step, low, high, zero;
} qc_affine_step;

/* The code of each value, in one or two bytes (code_size): value / step, rounded to the nearest
   integer (of two the even one), from `low` to `high`, plus `zero`. The last three are integers
   that leave codes inside their type, else QC_INVALID. */
qc_status qc_affine_codes(const float *values, size_t count, const qc_grouping *grouping,
                          const qc_affine_step *steps, size_t code_size, void *codes,
                          const qc_poll *poll, qc_error *error);

/* The squared errors of each group if values become the nearest multiples of `step`, a power of
   two, from `low` to `high` (values, not integers): of clipping alone, and in all. Once a group's
   error of clipping is above its limit, its other values are not looked at; below 0, none is. */
qc_status qc_fixed_point_errors(const float *values, size_t count, const qc_grouping *grouping,
                                const qc_affine_step *steps, const double *limits, double *clipped,
                                double *all, const qc_poll *poll, qc_error *error);

/* ---- weights that were quantized before ---- */

/* The distinct bit patterns of items of 2, 4 or 8 bytes, by groups: group g has the items from
   ends[g - 1] (group 0: from 0) to ends[g]; `ends` ascends. Writes the number of patterns of each
   group, the patterns in the order in which they first occur, at patterns + g * limit, and for each
   item the number of its pattern. A group with more than `limit` patterns (1 to QC_MAX_VALUES) ends
   the search: *done is the number of groups before it. */
#define QC_MAX_VALUES 256
qc_status qc_distinct(const void *items, size_t item_size, const size_t *ends, size_t groups,
                      size_t limit, uint64_t *patterns, uint16_t *counts, uint8_t *codes,
                      size_t *done, const qc_poll *poll, qc_error *error);

/* codes[i] becomes numbers[g * limit + codes[i]], where g is the item's group, unless it is not
   below `limit`. */
void qc_renumber(uint8_t *codes, const size_t *ends, size_t groups, const uint8_t *numbers,
                 size_t limit);

/* The integers of a group: their range, which includes 0, and whether a value is -0.0. */
#define QC_MAX_LEVEL        65535
#define QC_MAX_NARROW_LEVEL 255 /* of f16 and bf16 */
typedef struct qc_levels {
    int32_t min, max, negative_zeros;
} qc_levels;

/* Equal steps: for each group of float32 values, with ends as above, the largest positive scale so
   that every value is (float)level * scale, rounded to `dtype` (QC_F32, QC_F16 or QC_BF16, else
   QC_INVALID), but for the sign of zeros, with a level of magnitude up to `max_level` (1 to
   QC_MAX_LEVEL, of f16 and bf16 QC_MAX_NARROW_LEVEL), that of the smallest one at most 1024. A
   group of zeros fits any scale, and gets 0. The first group for which none is found, as one with
   an infinity, ends the search: *done is the number of groups before it. */
qc_status qc_equal_steps(const float *values, const size_t *ends, size_t groups, qc_dtype dtype,
                         unsigned max_level, float *scales, qc_levels *levels, size_t *done,
                         const qc_poll *poll, qc_error *error);

/* The codes of these values: level + zeros[g], in one or two bytes (code_size). With
   negative_zeros, -0.0 has the code below that of 0, and smaller values move down by one to make
   room. QC_INVALID if a value is no multiple of its scale, which is positive, rounded to `dtype`,
   or a code does not fit. */
qc_status qc_step_codes(const float *values, const size_t *ends, size_t groups, qc_dtype dtype,
                        const float *scales, const int32_t *zeros, int negative_zeros,
                        size_t code_size, void *codes, const qc_poll *poll, qc_error *error);

/* Scaled halves: for each group of float32 values, with ends as above, a positive scale so that
   every value is exactly scale * h, rounded once to float32, with a normal or zero h of `dtype`
   (QC_F16 or QC_BF16), or a subnormal one that has all its bits. A group of zeros gets 0. The first
   group for which none is found, as one with an infinity, ends the search: *done is the number of
   groups before it. */
qc_status qc_scaled_halves(const float *values, const size_t *ends, size_t groups, qc_dtype dtype,
                           float *scales, size_t *done, const qc_poll *poll, qc_error *error);

/* These h, in the machine's order. QC_INVALID if a value is no such product; scales are positive.
 */
qc_status qc_halves(const float *values, const size_t *ends, size_t groups, const float *scales,
                    qc_dtype dtype, uint16_t *halves, const qc_poll *poll, qc_error *error);

/* What a look at a tensor of f32, f16, bf16 or f64 needs to know: samples of the first groups that
   each of these searches would begin with. */
#define QC_PROBED_ITEMS 256
#define QC_PROBE_AXES   2
typedef struct qc_probe_axis {
    size_t outer, stride, inner; /* the first index has `inner` elements, `outer` times */
} qc_probe_axis;
typedef struct qc_exact_probe {
    qc_dtype dtype;
    size_t count;       /* elements of the tensor, and the patterns that a codebook may have */
    unsigned limit;     /* 0: it has no codebook */
    size_t row;         /* the same of a row */
    unsigned row_limit; /* 0: rows have no codebooks */
    size_t row_sample;  /* the first elements of a row, at most QC_PROBED_ITEMS */
    size_t run_sample;  /* those of the shortest run that may have a scale, no more */
    unsigned max_level; /* as in qc_equal_steps */
    int halves;         /* whether f32 may be scaled halves */
    unsigned axes;      /* at most QC_PROBE_AXES */
    qc_probe_axis axis[QC_PROBE_AXES];
} qc_exact_probe;

/* Whether elements may have an exact form by any of these searches; *found is 0 only if none would
   find one. `items` may have any alignment. */
qc_status qc_may_have_exact_form(const qc_exact_probe *probe, const void *items, int *found,
                                 qc_error *error);

#ifdef __cplusplus
}
#endif
#endif /* QCODEC_NUMERIC_H */
