/*
 * Elements from their planes (docs/format.md, section 4).
 */
#ifndef QC_PLANES_H
#define QC_PLANES_H

#include "base/bytes.h"

/* How kind planes stores an element, as an unsigned integer of its bits. */
typedef enum qc_turn {
    QC_AS_IS = 0,
    QC_ROTATED = 1, /* left by one bit, so that the sign is the lowest: floats with a sign */
    QC_OFFSET = 2,  /* the top bit inverted, so that -1 comes before 0: signed integers */
} qc_turn;

static inline qc_turn qc_turn_of(qc_dtype dtype)
{
    if (dtype <= QC_F64 || dtype == QC_F8E4M3 || dtype == QC_F8E5M2)
        return QC_ROTATED;
    int is_signed = dtype == QC_I8 || dtype == QC_I16 || dtype == QC_I32 || dtype == QC_I64;
    return is_signed ? QC_OFFSET : QC_AS_IS;
}

/* The bits of an element that may be other than 0. */
static inline unsigned qc_dtype_bits(qc_dtype dtype)
{
    return dtype == QC_BOOL ? 1 : 8 * (unsigned)qc_dtype_size(dtype);
}

/* planes[0] has the most significant byte of each of `count` elements, and so on; `out` is
   little-endian. `past_cache`: `out` is large, so the caller ends with qc_look_up_fence. */
void qc_merge_planes(const uint8_t *const *planes, size_t count, qc_dtype dtype, uint8_t *out,
                     int past_cache);

#endif /* QC_PLANES_H */
