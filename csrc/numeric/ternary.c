/*
 * The best threshold of ternary weights, without sorting.
 *
 * If the m largest magnitudes are stored as their mean and all others as 0, the squared error
 * falls by gain(m) = (sum of these magnitudes)^2 / m. So the best m maximizes the gain. Sorting
 * would give all sums; a histogram by the upper bits of the floats is faster, and suffices:
 *
 * - At the borders of bins, m and the sum are known exactly, and so is the gain.
 * - Within a bin, the sum of its j largest values is bounded: it is at most j times the bin's
 *   upper border, and at most the bin's sum less (the others) times its lower border. With m on
 *   one axis and the sum on the other, all possible points are in a triangle below these two lines
 *   and above the line between the borders. The gain s^2 / m is convex in (m, s), so its maximum
 *   over a triangle is at a corner. Two corners are the borders; the third is the bound.
 *
 * Only bins whose bound exceeds the best border are looked into, value by value, and these are
 * few. So the result is the optimum and not an approximation. Of equal gains the one that stores
 * fewer wins.
 */
#include "numeric/magnitudes.h"
#include "qcodec_numeric.h"

#define MAX_BINS 64          /* from the first to the last that is looked into */
#define LEEWAY   (1 + 1e-12) /* of bounds, for rounding */

/* The largest magnitudes, down to some value. */
typedef struct tail {
    double count;
    double sum;
} tail;

typedef struct best {
    double gain;
    tail stored;
    uint32_t min; /* bits of the smallest magnitude that is stored; 0: nothing is */
} best;

static inline double gain_of(tail stored)
{
    return stored.count > 0 ? stored.sum * stored.sum / stored.count : 0;
}

static inline void consider(best *found, tail stored, uint32_t min)
{
    double gain = gain_of(stored);
    if (gain > found->gain)
        *found = (best){gain, stored, min};
}

static inline tail with_bin(tail above, const qc_magnitude_bin *bins, size_t bin)
{
    above.count += (double)bins[bin].count;
    above.sum += qc_sum_of_bin(bins, bin);
    return above;
}

/* The gain at the third corner: between a bin's borders no gain is larger. */
static double bound_inside(tail above, const qc_magnitude_bin *bins, size_t bin)
{
    double min = qc_min_of_bin(bin), beyond = qc_min_of_bin(bin + 1);
    double count = (double)bins[bin].count, sum = qc_sum_of_bin(bins, bin);
    /* The largest finite bin has no finite border above. */
    double width = bin + 1 < QC_INFINITE_BIN ? beyond - min : min - qc_min_of_bin(bin - 1);
    double many = (sum - count * min) / width;
    return gain_of((tail){above.count + many, above.sum + many * (min + width)});
}

/* The best border of a bin. */
static best best_border(const qc_magnitude_bin *bins)
{
    best found = {0, {0, 0}, 0};
    tail stored = {0, 0};
    for (size_t bin = QC_INFINITE_BIN; bin-- > 0;)
        if (bins[bin].count > 0) {
            stored = with_bin(stored, bins, bin);
            consider(&found, stored, (uint32_t)(bin << QC_LOW_BITS));
        }
    return found;
}

/* The bins that may hold something better, from *first up to but without *last; and what lies
   above them all. */
static void find_bins(const qc_magnitude_bin *bins, double gain, size_t *first, size_t *last,
                      tail *above_last)
{
    tail stored = {0, 0};
    *first = *last = 0;
    for (size_t bin = QC_INFINITE_BIN; bin-- > 0;)
        if (bins[bin].count > 0) {
            if (bound_inside(stored, bins, bin) * LEEWAY > gain) {
                if (*last == 0) {
                    *last = bin + 1;
                    *above_last = stored;
                }
                *first = bin;
            }
            stored = with_bin(stored, bins, bin);
        }
}

/* Look at each value that occurs in the bins [first, last), of which `exact` has the counts. */
static void look_inside(best *found, tail stored, const uint32_t *exact, size_t first, size_t last)
{
    uint32_t low = (uint32_t)(first << QC_LOW_BITS);
    for (size_t place = (last - first) << QC_LOW_BITS; place-- > 0;)
        if (exact[place] > 0) {
            uint32_t bits = low + (uint32_t)place;
            stored.count += exact[place];
            stored.sum += (double)exact[place] * (double)qc_f32_of_bits(bits);
            consider(found, stored, bits);
        }
}

size_t qc_ternary_best_workspace(size_t sides)
{
    return sides * QC_MAGNITUDE_BINS * sizeof(qc_magnitude_bin) +
           qc_count_magnitudes_workspace(sides) + MAX_BINS * QC_LOW_VALUES * sizeof(uint32_t);
}

/* The best threshold of the side whose bins these are. */
static int find_best(const float *values, size_t count, size_t sides, size_t side,
                     const qc_magnitude_bin *bins, uint32_t *exact, best *found, qc_ticker *ticker)
{
    size_t first, last;
    tail above = {0, 0};
    *found = best_border(bins);
    find_bins(bins, found->gain, &first, &last, &above);
    if (last - first > MAX_BINS)
        return 0;
    uint32_t sign = side == 0 ? 0 : QC_F32_SIGN;
    uint32_t low = (uint32_t)(first << QC_LOW_BITS), span = (uint32_t)(last - first) << QC_LOW_BITS;
    memset(exact, 0, span * sizeof *exact);
    qc_count_bits(values, count, sides, sign | low, span, exact, ticker);
    look_inside(found, above, exact, first, last);
    return 1;
}

qc_status qc_ternary_best(const float *values, size_t count, size_t sides, float *thresholds,
                          float *means, int *coarse, void *workspace, const qc_poll *poll,
                          qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_CHECK(sides == 1 || sides == 2, QC_INVALID, "ternary: number of scales", 0, sides, 2);
    QC_CHECK(count < UINT32_MAX, QC_INVALID, "ternary: number of values", 0, count, UINT32_MAX - 1);
    qc_magnitude_bin *bins = (qc_magnitude_bin *)workspace;
    uint64_t *counters = (uint64_t *)(bins + sides * QC_MAGNITUDE_BINS);
    uint32_t *exact = (uint32_t *)counters + qc_count_magnitudes_workspace(sides) / sizeof *exact;
    qc_count_magnitudes(values, count, sides, bins, &ticker, counters);
    QC_GO_ON_IF(!ticker.stopped);
    *coarse = 0;
    for (size_t side = 0; side < sides; side++) {
        const qc_magnitude_bin *own = bins + side * QC_MAGNITUDE_BINS;
        for (size_t bin = QC_INFINITE_BIN; bin < QC_MAGNITUDE_BINS; bin++)
            QC_CHECK(own[bin].count == 0, QC_INVALID, "ternary: values are not finite", 0, 0, 0);
        best found;
        if (!find_best(values, count, sides, side, own, exact, &found, &ticker))
            *coarse = 1;
        QC_GO_ON_IF(!ticker.stopped);
        thresholds[side] = qc_f32_of_bits(found.min == 0 ? 0 : found.min - 1);
        means[side] = (float)(found.stored.count > 0 ? found.stored.sum / found.stored.count : 0);
    }
    return QC_OK;
}
