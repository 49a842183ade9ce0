/*
 * Values as multiples of a step: to the nearest one, within the range that has codes. All numbers
 * are doubles.
 */
#ifndef QC_MULTIPLES_H
#define QC_MULTIPLES_H

#include <float.h>

#include "numeric/grouping.h"

/* Adding and subtracting this rounds to an integer, of two equally near ones to the even one, like
   every sum of doubles. So loops become vector code also where no instruction rounds. */
#define QC_INTEGERS 0x1.8p52

/* Of a magnitude below 2^51. */
static inline double qc_to_integer(double value)
{
#if FLT_EVAL_METHOD == 0
    return (value + QC_INTEGERS) - QC_INTEGERS;
#else
    volatile double sum = value + QC_INTEGERS; /* without the bits that a double has not */
    return sum - QC_INTEGERS;
#endif
}

static inline double qc_clipped(double value, double low, double high)
{
    value = value < low ? low : value;
    return value > high ? high : value;
}

#endif /* QC_MULTIPLES_H */
