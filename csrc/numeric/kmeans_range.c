/*
 * What the k-means methods share: checks of arguments, searches in sorted values, and errors.
 */
#include <float.h>

#include "numeric/kmeans.h"

qc_status qc_kmeans_check(const float *sorted, size_t count, size_t k, qc_error *error)
{
    QC_CHECK(count >= 1 && count < UINT32_MAX, QC_INVALID, "k-means: number of values", 0, count,
             UINT32_MAX - 1);
    QC_CHECK(k >= 1 && k <= QC_KMEANS_MAX_K, QC_INVALID, "k-means: number of centroids", 0, k,
             QC_KMEANS_MAX_K);
    int ascending = 1; /* also false if one of the two is NaN */
    for (size_t i = 1; i < count; i++)
        ascending &= sorted[i - 1] <= sorted[i];
    QC_CHECK(ascending, QC_INVALID, "k-means: values are not ascending", 0, 0, 0);
    QC_CHECK(sorted[0] >= -FLT_MAX && sorted[count - 1] <= FLT_MAX, QC_INVALID,
             "k-means: values are not finite", 0, 0, 0);
    return QC_OK;
}

size_t qc_first_above(const float *sorted, size_t first, size_t count, double limit)
{
    while (first < count) {
        size_t middle = first + (count - first) / 2;
        if (sorted[middle] > limit)
            count = middle;
        else
            first = middle + 1;
    }
    return first;
}

double qc_range_mean(const float *sorted, size_t first, size_t last, double sum, double centre)
{
    double min = sorted[first], max = sorted[last - 1];
    double mean = centre + sum / (double)(last - first);
    return mean < min ? min : mean > max ? max : mean;
}

double qc_kmeans_error(const float *sorted, size_t count, const float *centroids, size_t k,
                       qc_ticker *ticker)
{
    qc_running_sum total = {0, 0};
    size_t i = 0;
    for (size_t j = 0; j < k; j++) {
        size_t end = count;
        if (j + 1 < k)
            end = qc_first_above(sorted, i, count,
                                 ((double)centroids[j] + (double)centroids[j + 1]) * 0.5);
        for (; i < end && qc_kmeans_goes_on(ticker, i); i++) {
            double difference = (double)sorted[i] - (double)centroids[j];
            qc_running_add(&total, difference * difference);
        }
    }
    return qc_running_total(&total);
}
