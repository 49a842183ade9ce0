/*
 * Values as multiples of a step: to the nearest one, within the range that has codes. All numbers
 * are doubles.
 */
#ifndef QC_MULTIPLES_H
#define QC_MULTIPLES_H

#include <float.h>

#include "numeric/grouping.h"

#if FLT_EVAL_METHOD == 0

/* What a division gives. */
static inline double qc_as_double(double value) { return value; }

/* Of a magnitude below 2^51. Adding and subtracting 1.5 * 2^52 rounds to an integer, of two equally
   near ones to the even one, like every sum of doubles. So loops become vector code also where no
   instruction rounds. */
static inline double qc_to_integer(double value) { return (value + 0x1.8p52) - 0x1.8p52; }

#else

/* The x87 registers of i686 keep bits that a double has not. They would decide which of two
   integers is nearest, and a sum would be rounded twice. */
static inline double qc_as_double(double value)
{
    volatile double stored = value;
    return stored;
}

static inline double qc_to_integer(double value)
{
    int64_t whole = (int64_t)value;
    double rest = value - (double)whole; /* exact, and of the sign of `value` */
    if (rest > 0.5 || (rest == 0.5 && whole % 2 != 0))
        whole++;
    else if (rest < -0.5 || (rest == -0.5 && whole % 2 != 0))
        whole--;
    return (double)whole;
}

#endif

/* NaN, which a value may have become meanwhile, becomes `low`. */
static inline double qc_clipped(double value, double low, double high)
{
    value = value > low ? value : low;
    return value < high ? value : high;
}

#endif /* QC_MULTIPLES_H */
