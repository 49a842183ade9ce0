/*
 * Logarithms for estimates, the same on every machine. Their fractions are a step function, by the
 * upper 16 of the bits below the first one: a table says where each step is. In a 256th of its
 * range there are at most two steps, so two comparisons find the right one.
 */
#ifndef QC_LOG2_FIXED_H
#define QC_LOG2_FIXED_H

#include "base/bytes.h"
#include "base/log2_table.h"

#define QC_LOG2_ONE 256 /* the unit: 2^-8 */

/* log2(x) in units of 2^-8, rounded down; x is at least 1. */
static inline unsigned qc_log2_fixed(uint32_t x)
{
    unsigned whole = qc_bit_length(x) - 1;
    uint32_t fraction = (uint32_t)((uint64_t)x << (32 - whole) >> 16) & 0xFFFF;
    unsigned result = qc_log2_first[fraction >> 8];
    result += fraction >= qc_log2_steps[result + 1];
    result += fraction >= qc_log2_steps[result + 1];
    return whole * QC_LOG2_ONE + result;
}

#endif /* QC_LOG2_FIXED_H */
