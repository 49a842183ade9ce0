/*
 * Affine codes to f32 (docs/format.md, section 4, affine).
 */
#ifndef QC_AFFINE_H
#define QC_AFFINE_H

#include "base/bytes.h"

/* f32 number i of `out` (any alignment) = scale * (code i - zero), rounded once, and once more to
   `dtype` if that is QC_F16 or QC_BF16; codes are uint8_t if width <= 8, else uint16_t, at any
   alignment. `past_cache`: as for qc_look_up. */
void qc_affine(const uint8_t *codes, unsigned width, size_t count, float scale, float zero,
               qc_dtype dtype, uint8_t *out, int past_cache);

/* f32 number i = scales[i] * (floats[i] - zeros[i]), rounded in the same way. `zeros` NULL: all are
   0. `out` may be `floats`. */
void qc_affine_each(const float *floats, const float *zeros, const float *scales, size_t count,
                    qc_dtype dtype, uint8_t *out, int past_cache);

#endif /* QC_AFFINE_H */
