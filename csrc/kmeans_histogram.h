/*
 * A histogram of deviations from a typical value, for k-means without sorting.
 *
 * Bins are as narrow as the typical deviation wants near the middle, and a fixed part of the
 * deviation far out: an outlier takes a bin of its own and costs the others nothing.
 */
#ifndef QC_KMEANS_HISTOGRAM_H
#define QC_KMEANS_HISTOGRAM_H

#include "ticker.h"

/* Some values that are nearly equal. */
typedef struct qc_value_bin {
    double sum;
    double count; /* beside the sum, so that both grow in one vector */
} qc_value_bin;

/* How deviations, shrunk, are numbered; see kmeans_histogram.c. */
typedef struct qc_bin_scale {
    float centre;
    float offset;
    unsigned shift;
    int32_t base; /* the number of deviation 0, before it is taken off */
} qc_bin_scale;

#define QC_SHRINK 0.25f /* so that deviations of finite values are finite */

typedef struct qc_value_histogram {
    double centre;
    qc_value_bin *bins; /* those with values, ascending */
    size_t count;
    size_t middle; /* the first bin of deviations that are not negative; count if there is none */
    double within; /* the squared error of the values about their bins' means, if they are spread
                      evenly */
} qc_value_histogram;

/* The bin of number 0 is counted in so many, in turn: a run of equal values, as zeros in pruned
   weights, need not wait for it each time. */
#define QC_TURNS 8

#define QC_VALUE_BINS      ((size_t)1 << 16)
#define QC_VALUE_BINS_ROOM (QC_VALUE_BINS + QC_TURNS) /* what `bins` must have room for */

/* Sort `count` values, at least 1, into bins as wide as 2^-precision of the typical deviation, or
   wider where it takes too many. QC_INVALID if a value is not finite, QC_INTERRUPTED if the ticker
   says stop. */
qc_status qc_value_histogram_fill(const float *values, size_t count, unsigned precision,
                                  qc_value_bin *bins, qc_value_histogram *histogram,
                                  qc_ticker *ticker, qc_error *error);

#endif /* QC_KMEANS_HISTOGRAM_H */
