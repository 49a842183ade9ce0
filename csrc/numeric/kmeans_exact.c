/*
 * Exact one-dimensional k-means: the best partition of the distinct values, which are points
 * weighted by how often they occur (kmeans_partition.c).
 */
#include "numeric/kmeans.h"
#include "numeric/kmeans_partition.h"

size_t qc_kmeans_exact_workspace(size_t count, size_t k)
{
    size_t exact = qc_partition_workspace(count, k), near = qc_partition_near_workspace(k);
    return sizeof(qc_point) * (count + 1) + (exact > near ? exact : near);
}

/* The index after the run of equal values that starts at `first`. */
static size_t end_of_run(const float *sorted, size_t first, size_t count)
{
    size_t end = first + 1;
    while (end < count && sorted[end] == sorted[first])
        end++;
    return end;
}

/* Fill points from the distinct values, summed outward from the median; returns their number. */
static size_t sum_values(const float *sorted, size_t count, qc_point *points, qc_ticker *ticker)
{
    double centre = qc_median(sorted, count);
    size_t distinct = 0, median = 0;
    for (size_t i = 0; i < count; i = end_of_run(sorted, i, count)) {
        if (!qc_kmeans_goes_on(ticker, distinct))
            return 0;
        if (sorted[i] == centre)
            median = distinct;
        points[distinct++].weight = (double)i;
    }
    points[distinct].weight = (double)count;
    points[median].sum = points[median].squares = 0;
    qc_running_sum sum = {0, 0}, squares = {0, 0};
    for (size_t p = median; p < distinct && qc_kmeans_goes_on(ticker, p); p++) {
        double value = (double)sorted[(size_t)points[p].weight] - centre;
        double weight = points[p + 1].weight - points[p].weight;
        qc_running_add(&sum, weight * value);
        qc_running_add(&squares, weight * value * value);
        points[p + 1].sum = qc_running_total(&sum);
        points[p + 1].squares = qc_running_total(&squares);
    }
    sum = squares = (qc_running_sum){0, 0};
    for (size_t p = median; p > 0 && qc_kmeans_goes_on(ticker, p); p--) {
        double value = (double)sorted[(size_t)points[p - 1].weight] - centre;
        double weight = points[p].weight - points[p - 1].weight;
        qc_running_add(&sum, -weight * value);
        qc_running_add(&squares, -weight * value * value);
        points[p - 1].sum = qc_running_total(&sum);
        points[p - 1].squares = qc_running_total(&squares);
    }
    return distinct;
}

/* The means of the clusters between the cuts. */
static void write_centroids(const qc_partition *run, const float *sorted, double centre,
                            float *centroids)
{
    for (size_t j = 0; j < run->few_clusters; j++) {
        const qc_point *first = run->points + run->few[j], *last = run->points + run->few[j + 1];
        centroids[j] = (float)qc_range_mean(sorted, (size_t)first->weight, (size_t)last->weight,
                                            last->sum - first->sum, centre);
    }
    for (size_t j = run->few_clusters; j < run->k; j++)
        centroids[j] = centroids[run->few_clusters - 1];
}

/* Centroids of checked values, by one of the methods of kmeans_partition.h. */
static qc_status cluster(const float *sorted, size_t count, size_t k, qc_partition_method *method,
                         double *guess, float *centroids, qc_ticker *ticker, void *workspace,
                         qc_error *error)
{
    qc_point *points = (qc_point *)workspace;
    size_t distinct = sum_values(sorted, count, points, ticker);
    qc_partition best;
    QC_GO_ON_IF(!ticker->stopped);
    QC_TRY(method(&best, points, distinct, k, guess, ticker, points + count + 1, error));
    write_centroids(&best, sorted, qc_median(sorted, count), centroids);
    return QC_OK;
}

qc_status qc_kmeans_exact(const float *sorted, size_t count, size_t k, float *centroids,
                          double *error_sum, void *workspace, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    double guess = 1;
    QC_TRY(qc_kmeans_check(sorted, count, k, error));
    QC_TRY(
        cluster(sorted, count, k, qc_partition_find, &guess, centroids, &ticker, workspace, error));
    if (error_sum != NULL)
        *error_sum = qc_kmeans_error(sorted, count, centroids, k, &ticker);
    QC_GO_ON_IF(!ticker.stopped);
    return QC_OK;
}

qc_status qc_kmeans_sorted(const float *sorted, size_t count, size_t k, int exact, double *guess,
                           float *centroids, qc_ticker *ticker, void *workspace, qc_error *error)
{
    QC_TRY(qc_kmeans_check(sorted, count, k, error));
    return cluster(sorted, count, k, exact ? qc_partition_find : qc_partition_find_near, guess,
                   centroids, ticker, workspace, error);
}
