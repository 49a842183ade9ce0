/*
 * The cheapest centroid of each value, which need not be the nearest: a centroid has a cost beside
 * the squared distance. Since (v - c)^2 + cost = v^2 + (cost + c^2 - 2cv), and v^2 is the same for
 * all, every centroid is a line in v, and the cheapest ones are the lower envelope of lines.
 * Slopes descend with the centroids, so the envelope meets them in ascending order: it is a list
 * of thresholds, built by one pass with a stack (the convex hull trick). A line that is never the
 * lowest has no place in it.
 */
#include <math.h>

#include "base/float_bits.h"
#include "qcodec_numeric.h"

#define MAX_CENTROIDS 256
#define BLOCK         4096 /* of codes, which stay in L1 */

typedef struct envelope {
    const float *centroids;
    const double *costs;
    uint8_t *survivors; /* numbers of centroids, ascending */
    size_t count;
} envelope;

/* Where `upper` becomes cheaper than `lower`, whose centroid is smaller. */
static double crossing(const envelope *found, size_t lower, size_t upper)
{
    double low = found->centroids[lower], high = found->centroids[upper];
    double rise = found->costs[upper] - found->costs[lower];
    return (low + high) * 0.5 + rise / (high - low) * 0.5;
}

/* How much cheaper `lower` is than `upper` at a value. */
static double advantage(const envelope *found, size_t lower, size_t upper, double value)
{
    double low = found->centroids[lower], high = found->centroids[upper];
    double rise = found->costs[upper] - found->costs[lower];
    return (high - low) * ((low - value) + (high - value)) + rise;
}

/* The largest float32 at which `lower` is the one to take, of two equally cheap ones that of less
   cost, then that of less number. */
static float threshold_between(const envelope *found, size_t lower, size_t upper)
{
    const double max = (double)qc_f32_of_bits(QC_F32_INFINITY - 1);
    double at = crossing(found, lower, upper);
    if (at > max || at < -max)
        return qc_f32_of_bits(at > 0 ? QC_F32_INFINITY : QC_F32_SIGN | QC_F32_INFINITY);
    float nearest = (float)at;
    double more = advantage(found, lower, upper, (double)nearest);
    int tie_is_lower = found->costs[lower] <= found->costs[upper];
    return more > 0 || (more == 0 && tie_is_lower) ? nearest : qc_next_below(nearest);
}

/* Put a centroid, the largest so far, into the envelope. */
static void add(envelope *found, size_t number)
{
    uint8_t *survivors = found->survivors;
    if (found->count > 0) {
        size_t last = survivors[found->count - 1];
        if (found->centroids[last] == found->centroids[number]) {
            if (found->costs[last] <= found->costs[number])
                return;
            found->count--;
        }
    }
    /* A centroid that becomes the cheapest only where the next one does is never needed. */
    while (found->count > 1 &&
           crossing(found, survivors[found->count - 2], survivors[found->count - 1]) >=
               crossing(found, survivors[found->count - 1], number))
        found->count--;
    survivors[found->count++] = (uint8_t)number;
}

static qc_status check(const float *centroids, const double *costs, size_t k, qc_error *error)
{
    int finite_cost = 0;
    QC_CHECK(k >= 1 && k <= MAX_CENTROIDS, QC_INVALID, "costs: number of centroids", 0, k,
             MAX_CENTROIDS);
    QC_CHECK(qc_all_finite(centroids, k), QC_INVALID, "costs: centroids are not finite", 0, 0, 0);
    for (size_t j = 0; j < k; j++) {
        QC_CHECK(j == 0 || centroids[j - 1] <= centroids[j], QC_INVALID,
                 "costs: centroids do not ascend", j, 0, 0);
        QC_CHECK(costs[j] > -HUGE_VAL, QC_INVALID, "costs: one is NaN or below all numbers", j, 0,
                 0);
        finite_cost |= costs[j] < HUGE_VAL;
    }
    QC_CHECK(finite_cost, QC_INVALID, "costs: all are infinite", 0, 0, 0);
    return QC_OK;
}

qc_status qc_cost_thresholds(const float *centroids, const double *costs, size_t k,
                             float *thresholds, uint8_t *survivors, size_t *survivor_count,
                             qc_error *error)
{
    QC_TRY(check(centroids, costs, k, error));
    envelope found = {centroids, costs, survivors, 0};
    for (size_t j = 0; j < k; j++)
        if (costs[j] < HUGE_VAL)
            add(&found, j);
    for (size_t i = 0; i + 1 < found.count; i++) {
        thresholds[i] = threshold_between(&found, survivors[i], survivors[i + 1]);
        if (i > 0 && thresholds[i] < thresholds[i - 1]) /* rounding */
            thresholds[i] = thresholds[i - 1];
    }
    *survivor_count = found.count;
    return QC_OK;
}

qc_status qc_assign_by_cost(const float *values, size_t count, const float *centroids,
                            const double *costs, size_t k, uint8_t *codes, qc_error *error)
{
    float thresholds[MAX_CENTROIDS];
    uint8_t survivors[MAX_CENTROIDS];
    size_t survivor_count;
    QC_TRY(qc_cost_thresholds(centroids, costs, k, thresholds, survivors, &survivor_count, error));
    for (size_t start = 0; start < count; start += BLOCK) {
        size_t block = count - start < BLOCK ? count - start : BLOCK;
        qc_assign_by_thresholds(values + start, block, thresholds, survivor_count - 1,
                                codes + start);
        if (survivor_count < k)
            for (size_t i = start; i < start + block; i++)
                codes[i] = survivors[codes[i]];
    }
    return QC_OK;
}
