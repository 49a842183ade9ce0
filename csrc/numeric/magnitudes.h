/*
 * Counting magnitudes in two passes instead of sorting them: first by the upper bits of the float,
 * then, inside the few bins that matter, by all of them.
 *
 * Upper bits are a sign, the exponent and the first fraction bits. Values of a bin differ in the
 * lower bits alone, so sums are sums of integers: exact, and the same in any order.
 */
#ifndef QC_MAGNITUDES_H
#define QC_MAGNITUDES_H

#include <math.h>

#include "base/float_bits.h"
#include "base/ticker.h"

#define QC_LOW_BITS       15
#define QC_LOW_VALUES     ((size_t)1 << QC_LOW_BITS)
#define QC_MAGNITUDE_BINS ((size_t)1 << (31 - QC_LOW_BITS)) /* of a sign */
#define QC_INFINITE_BIN   (QC_F32_INFINITY >> QC_LOW_BITS)  /* from here on nothing is finite */

typedef struct qc_magnitude_bin {
    uint64_t count;
    uint64_t low_sum; /* of the lower bits of its values */
} qc_magnitude_bin;

/* Bytes of qc_count_magnitudes' workspace, which is aligned for uint64_t. */
size_t qc_count_magnitudes_workspace(size_t sides);

/* Count `count` values, below 2^49, into sides * QC_MAGNITUDE_BINS bins. One side: signs are
   ignored. Two: the bins of negative values come second. Ends early if the ticker says stop. */
void qc_count_magnitudes(const float *values, size_t count, size_t sides, qc_magnitude_bin *bins,
                         qc_ticker *ticker, void *workspace);

/* Counts those values whose bits, without the sign if there is one side, are in
   [low, low + span): exact[bits - low] grows. */
void qc_count_bits(const float *values, size_t count, size_t sides, uint32_t low, uint32_t span,
                   uint32_t *exact, qc_ticker *ticker);

static inline uint32_t qc_bits_of_sides(size_t sides) { return sides == 1 ? ~QC_F32_SIGN : ~0u; }

/* The smallest magnitude of bin number `bin` of a side; of QC_INFINITE_BIN it is infinite. */
static inline double qc_min_of_bin(size_t bin)
{
    return (double)qc_f32_of_bits((uint32_t)(bin << QC_LOW_BITS));
}

/* The sum of a bin's magnitudes. */
static inline double qc_sum_of_bin(const qc_magnitude_bin *bins, size_t bin)
{
    uint32_t exponent = (uint32_t)(bin >> (23 - QC_LOW_BITS));
    int place = (int)(exponent == 0 ? 1 : exponent) - 150; /* of the last bit */
    return (double)bins[bin].count * qc_min_of_bin(bin) + ldexp((double)bins[bin].low_sum, place);
}

#endif /* QC_MAGNITUDES_H */
