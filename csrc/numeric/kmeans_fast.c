/*
 * k-means without sorting: the best partition of the bins of a histogram (kmeans_histogram.c).
 * Cuts are between bins, so the result is the optimum except for the values that share a bin with
 * a cut, and these are few: a cluster is some 16 bins wide. The error that bins hide is estimated
 * as if values were spread evenly in each (width^2 / 12 per value), and is returned, so that a
 * caller can fall back on the exact method.
 */
#include "numeric/kmeans.h"
#include "numeric/kmeans_histogram.h"
#include "numeric/kmeans_partition.h"

/* Bits of the number of a bin below the typical deviation: a cluster is some 16 bins wide. */
static unsigned precision_for(size_t k)
{
    unsigned precision = 8;
    for (size_t clusters = 16; clusters < k; clusters *= 2)
        precision++;
    return precision;
}

size_t qc_kmeans_fast_workspace(size_t k)
{
    size_t partition =
        (QC_VALUE_BINS + 1) * sizeof(qc_point) + qc_partition_workspace(QC_VALUE_BINS, k);
    size_t block = qc_value_histogram_workspace();
    return QC_VALUE_BINS_ROOM * sizeof(qc_value_bin) + (partition > block ? partition : block);
}

static double mean_of(const qc_value_bin *bin) { return bin->sum / bin->count; }

/* Points from bins, summed outward from the middle, so that outliers spoil no sum but theirs. */
static void sum_bins(const qc_value_histogram *histogram, qc_point *points)
{
    const qc_value_bin *bins = histogram->bins;
    size_t middle = histogram->middle;
    points[0].weight = 0;
    for (size_t i = 0; i < histogram->count; i++)
        points[i + 1].weight = points[i].weight + bins[i].count;
    points[middle].sum = points[middle].squares = 0;
    qc_running_sum sum = {0, 0}, squares = {0, 0};
    for (size_t i = middle; i < histogram->count; i++) {
        double deviation = mean_of(&bins[i]) - histogram->centre;
        qc_running_add(&sum, bins[i].count * deviation);
        qc_running_add(&squares, bins[i].count * deviation * deviation);
        points[i + 1].sum = qc_running_total(&sum);
        points[i + 1].squares = qc_running_total(&squares);
    }
    sum = squares = (qc_running_sum){0, 0};
    for (size_t i = middle; i > 0; i--) {
        double deviation = mean_of(&bins[i - 1]) - histogram->centre;
        qc_running_add(&sum, -(bins[i - 1].count * deviation));
        qc_running_add(&squares, -(bins[i - 1].count * deviation * deviation));
        points[i - 1].sum = qc_running_total(&sum);
        points[i - 1].squares = qc_running_total(&squares);
    }
}

/* Write the means of the clusters; returns their bins' squared errors about them. */
static double write_centroids(const qc_partition *best, const qc_value_bin *bins, float *centroids)
{
    double error = 0;
    for (size_t j = 0; j < best->few_clusters; j++) {
        /* Less their smallest value, so that a cluster of equal ones is exact. */
        double base = mean_of(&bins[best->few[j]]), sum = 0, squares = 0, weight = 0;
        for (size_t i = best->few[j]; i < best->few[j + 1]; i++) {
            double rest = mean_of(&bins[i]) - base;
            sum += bins[i].count * rest;
            squares += bins[i].count * rest * rest;
            weight += bins[i].count;
        }
        error += squares - sum * sum / weight;
        centroids[j] = (float)(base + sum / weight);
    }
    for (size_t j = best->few_clusters; j < best->k; j++)
        centroids[j] = centroids[best->few_clusters - 1];
    return error;
}

qc_status qc_kmeans_fast(const float *values, size_t count, size_t k, float *centroids,
                         double *coarseness, void *workspace, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_CHECK(count >= 1 && count < UINT32_MAX, QC_INVALID, "k-means: number of values", 0, count,
             UINT32_MAX - 1);
    QC_CHECK(k >= 1 && k <= QC_KMEANS_MAX_K, QC_INVALID, "k-means: number of centroids", 0, k,
             QC_KMEANS_MAX_K);
    qc_value_bin *bins = (qc_value_bin *)workspace;
    qc_point *points = (qc_point *)(bins + QC_VALUE_BINS_ROOM);
    qc_value_histogram histogram;
    /* What finds the partition is not needed before: it is room for one block. */
    QC_TRY(qc_value_histogram_fill(values, count, precision_for(k), bins, &histogram, points,
                                   &ticker, error));
    sum_bins(&histogram, points);
    qc_partition best;
    double guess = 1;
    QC_TRY(qc_partition_find(&best, points, histogram.count, k, &guess, &ticker,
                             points + histogram.count + 1, error));
    double between = write_centroids(&best, histogram.bins, centroids);
    if (coarseness != NULL)
        *coarseness = histogram.within > 0 ? histogram.within / (histogram.within + between) : 0;
    return QC_OK;
}
