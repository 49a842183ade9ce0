/*
 * What the two k-means methods share: sums over ranges of a sorted sample.
 *
 * Sums are centred on the median and grow outward from it. So the sum of a range, a difference of
 * two running sums, is disturbed by outliers only near them, and not everywhere to their right.
 */
#ifndef QC_KMEANS_H
#define QC_KMEANS_H

#include "base/ticker.h"
#include "qcodec_numeric.h"

#define QC_KMEANS_MAX_K 256

/* A running sum and what it has lost in rounding so far (Neumaier). */
typedef struct qc_running_sum {
    double sum;
    double lost;
} qc_running_sum;

static inline double qc_running_total(const qc_running_sum *running)
{
    return running->sum + running->lost;
}

static inline void qc_running_add(qc_running_sum *running, double value)
{
    double sum = running->sum + value;
    double part = sum - running->sum;
    running->lost += (running->sum - (sum - part)) + (value - part);
    running->sum = sum;
}

static inline double qc_median(const float *sorted, size_t count) { return sorted[count / 2]; }

/* Checks the arguments of both methods: QC_INVALID unless the numbers are in range and
   the values finite and ascending. With other values the methods would not end. */
qc_status qc_kmeans_check(const float *sorted, size_t count, size_t k, qc_error *error);

/* Values between two questions to the ticker, and values per step of it. */
#define QC_KMEANS_TICK ((size_t)1 << 14)
#define QC_KMEANS_PART 8

/* Whether to continue before value `i`. */
static inline int qc_kmeans_goes_on(qc_ticker *ticker, size_t i)
{
    return i % QC_KMEANS_TICK != 0 || !qc_tick(ticker, QC_KMEANS_TICK / QC_KMEANS_PART);
}

/* The first index in [first, count) whose value is above `limit`; count if there is none. */
size_t qc_first_above(const float *sorted, size_t first, size_t count, double limit);

/* The mean of sorted[first .. last), not empty, whose values less `centre` add up to `sum`.
   Equal values have exactly that value as their mean. */
double qc_range_mean(const float *sorted, size_t first, size_t last, double sum, double centre);

/* Squared errors of all values, each against the nearest of `k` ascending centroids; unspecified if
   the ticker says stop. */
double qc_kmeans_error(const float *sorted, size_t count, const float *centroids, size_t k,
                       qc_ticker *ticker);

/* k-means of one of many similar groups of sorted values: the optimum, or near it. `guess` is that
   of qc_partition_find; `workspace` that of qc_kmeans_exact. */
qc_status qc_kmeans_sorted(const float *sorted, size_t count, size_t k, int exact, double *guess,
                           float *centroids, qc_ticker *ticker, void *workspace, qc_error *error);

#endif /* QC_KMEANS_H */
