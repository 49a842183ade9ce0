/*
 * Which elements of a matrix are worth the bits of their positions, if rows and columns with many
 * stored elements make positions cheap (qcodec/quantize/position_costs.py).
 */
#include "base/check.h"
#include "base/float_bits.h"
#include "base/ticker.h"
#include "qcodec_numeric.h"

#define STEP_VALUES 16

/* log2(x) is at most this above the exponent plus the fraction of x, and never below them. */
#define LOG2_BULGE 0.0861
#define LEEWAY     1e-9 /* for rounding */

#define FRACTION_BITS 52
#define SQRT_2        1.4142135623730951
#define TWO_OVER_LN_2 2.8853900817779268

/* A positive, normal number as mantissa * 2^*exponent, the mantissa in [1, 2). */
static inline double split(double x, int *exponent)
{
    const uint64_t fraction = ((uint64_t)1 << FRACTION_BITS) - 1;
    uint64_t bits = qc_bits_of_f64(x);
    *exponent = (int)(bits >> FRACTION_BITS) - 1023;
    return qc_f64_of_bits((bits & fraction) | (uint64_t)1023 << FRACTION_BITS);
}

/* log2(x) of a positive, normal number, by the series of artanh. Every machine computes the same,
   which math libraries do not promise; and the core needs none. */
static double log2_of(double x)
{
    int exponent;
    double mantissa = split(x, &exponent), sum = 0;
    if (mantissa > SQRT_2) {
        mantissa /= 2;
        exponent++;
    }
    double ratio = (mantissa - 1) / (mantissa + 1), square = ratio * ratio;
    for (int power = 21; power > 0; power -= 2)
        sum = sum * square + 1.0 / power;
    return exponent + TWO_OVER_LN_2 * ratio * sum;
}

/* Whether `gain` is more than price * log2(odds); odds are at least 1. Few need the logarithm. */
static inline int is_worth(double gain, double price, double odds)
{
    int exponent;
    double mantissa = split(odds, &exponent), least = exponent + (mantissa - 1);
    if (!(gain > 0) || gain <= price * (least - LEEWAY))
        return 0;
    return gain > price * (least + LOG2_BULGE + LEEWAY) || gain > price * log2_of(odds);
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
