/*
 * Logarithms for estimates, the same on every machine.
 */
#ifndef QC_LOG2_FIXED_H
#define QC_LOG2_FIXED_H

#include "base/bytes.h"

#define QC_LOG2_ONE 256 /* the unit: 2^-8 */

/* log2(x) in units of 2^-8, rounded down; x is at least 1. */
static inline unsigned qc_log2_fixed(uint32_t x)
{
    unsigned whole = qc_bit_length(x) - 1, result = whole;
    uint64_t mantissa = (uint64_t)x << (32 - whole); /* 1 to 2, in units of 2^-32 */
    for (unsigned i = 0; i < 8; i++) {               /* by squaring */
        mantissa = (mantissa >> 16) * (mantissa >> 16);
        unsigned above = mantissa >> 33 != 0;
        mantissa >>= above;
        result = result << 1 | above;
    }
    return result;
}

#endif /* QC_LOG2_FIXED_H */
