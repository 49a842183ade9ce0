/*
 * A histogram of deviations from a typical value, for k-means without sorting.
 *
 * Bins are as narrow as the typical deviation wants near the middle, and a fixed part of the
 * deviation far out: an outlier takes a bin of its own and costs the others nothing.
 */
#ifndef QC_KMEANS_HISTOGRAM_H
#define QC_KMEANS_HISTOGRAM_H

#include "base/ticker.h"
#include "kernels/kernels.h"

typedef struct qc_value_histogram {
    double centre;
    qc_value_bin *bins; /* those with values, ascending */
    size_t count;
    size_t middle; /* the first bin of deviations that are not negative; count if there is none */
    double within; /* the squared error of the values about their bins' means, if they are spread
                      evenly */
} qc_value_histogram;

#define QC_VALUE_BINS      ((size_t)1 << 16)
#define QC_VALUE_BINS_ROOM (QC_VALUE_BINS + QC_TURNS) /* what `bins` must have room for */

/* Sort `count` values, at least 1, into bins as wide as 2^-precision of the typical deviation, or
   wider where it takes too many. QC_INVALID if a value is not finite, QC_INTERRUPTED if the ticker
   says stop. `spare`: qc_value_histogram_workspace bytes, aligned for double, of which only as much
   is touched as is needed. */
size_t qc_value_histogram_workspace(void);
qc_status qc_value_histogram_fill(const float *values, size_t count, unsigned precision,
                                  qc_value_bin *bins, qc_value_histogram *histogram, void *spare,
                                  qc_ticker *ticker, qc_error *error);

#endif /* QC_KMEANS_HISTOGRAM_H */
