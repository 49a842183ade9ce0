/*
 * Which elements of a matrix are worth the bits of their positions, if rows and columns with many
 * stored elements make positions cheap (qcodec/quantize/position_costs.py).
 */
#include <math.h>

#include "base/check.h"
#include "base/ticker.h"
#include "qcodec_numeric.h"

#define STEP_VALUES 16

/* log2(x) is at most this above the exponent plus the fraction of x, and never below them. */
#define LOG2_BULGE 0.0861
#define LEEWAY     1e-9 /* for rounding */

/* The exponent plus the fraction of a positive, normal number. */
static inline double rough_log2(double x)
{
    const uint64_t fraction = ((uint64_t)1 << 52) - 1, one = (uint64_t)1023 << 52;
    uint64_t bits, of_fraction;
    double mantissa;
    memcpy(&bits, &x, sizeof bits);
    of_fraction = (bits & fraction) | one;
    memcpy(&mantissa, &of_fraction, sizeof mantissa);
    return (double)((int64_t)(bits >> 52) - 1024) + mantissa;
}

/* Whether `gain` is more than price * log2(odds); odds are at least 1. Few need the logarithm. */
static inline int is_worth(double gain, double price, double odds)
{
    double least = rough_log2(odds);
    if (!(gain > 0) || gain <= price * (least - LEEWAY))
        return 0;
    return gain > price * (least + LOG2_BULGE + LEEWAY) || gain > price * log2(odds);
}

/* An element is counted as stored, whether it is or not. */
static inline double share_of(uint32_t stored, int is_stored, double all, size_t sides)
{
    return (double)((uint64_t)stored + 1 + !is_stored) / (all + (double)sides);
}

qc_status qc_choose_stored(const qc_candidates *in, const float *entries, const double *costs,
                           double price, const uint32_t *rows, const uint32_t *columns,
                           uint8_t *stored, int *changed, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    double all = 0;
    size_t i = 0;
    for (size_t row = 0; row < in->rows; row++)
        all += rows[row];
    all = all > 1 ? all : 1;
    *changed = 0;
    for (size_t row = 0; row < in->rows; row++) {
        const uint8_t *kept = in->kept == NULL ? NULL : in->kept + row * in->columns;
        QC_TICK(&ticker, 1 + in->columns / STEP_VALUES);
        for (size_t column = 0; column < in->columns && i < in->count; column++) {
            if (kept != NULL && !kept[column])
                continue;
            double entry = entries[in->codes[i]];
            double gain = entry * ((double)(2 * in->values[i]) - entry) - costs[in->codes[i]];
            int before = stored[i] != 0;
            double share = share_of(rows[row], before, all, in->rows) *
                           share_of(columns[column], before, all, in->columns) * all;
            int after = is_worth(gain, price, 1 / (share < 0.5 ? share : 0.5) - 1);
            *changed |= before != after;
            stored[i++] = (uint8_t)after;
        }
    }
    return QC_OK;
}

qc_status qc_count_stored(const qc_candidates *in, const uint8_t *stored, uint64_t *sizes,
                          double *sums, uint32_t *rows, uint32_t *columns, const qc_poll *poll,
                          qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    size_t i = 0;
    memset(sizes, 0, QC_CANDIDATE_ENTRIES * sizeof *sizes);
    memset(sums, 0, QC_CANDIDATE_ENTRIES * sizeof *sums);
    memset(columns, 0, in->columns * sizeof *columns);
    for (size_t row = 0; row < in->rows; row++) {
        const uint8_t *kept = in->kept == NULL ? NULL : in->kept + row * in->columns;
        QC_TICK(&ticker, 1 + in->columns / STEP_VALUES);
        rows[row] = 0;
        for (size_t column = 0; column < in->columns && i < in->count; column++) {
            if (kept != NULL && !kept[column])
                continue;
            if (stored[i]) {
                sizes[in->codes[i]]++;
                sums[in->codes[i]] += (double)in->values[i];
                rows[row]++;
                columns[column]++;
            }
            i++;
        }
    }
    return QC_OK;
}
