/*
 * Kind planes of floats (docs/format.md, section 4): what its two sides share. An element's upper
 * 16 bits, rotated, are exponent, mantissa bits of the symbol, and the rest.
 */
#ifndef QC_FLOAT_PLANES_H
#define QC_FLOAT_PLANES_H

#include "base/bytes.h"

#define QC_EXPONENTS_MAX_MANTISSA 4

/* How the upper 16 bits of a chunk's elements are taken apart. */
typedef struct qc_exponents {
    unsigned exponent_bits, mantissa_bits, rest_bits;
    unsigned base; /* exponent */
} qc_exponents;

/* Of a float type. */
static inline unsigned qc_exponent_bits(qc_dtype dtype)
{
    return dtype == QC_F16 ? 5 : dtype == QC_F64 ? 11 : 8;
}

/* The least symbol whose exponent is among the escapes. */
static inline unsigned qc_exponents_escape(const qc_exponents *fields)
{
    return 256 - (1u << fields->mantissa_bits);
}

#endif /* QC_FLOAT_PLANES_H */
