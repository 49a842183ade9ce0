/*
 * Floats of 16 bits times a scale (docs/format.md, section 4, planes).
 */
#ifndef QC_SCALE_H
#define QC_SCALE_H

#include "base/bytes.h"

/* f32 number i of `out` = scale * element i, rounded once. Elements are f16 or bf16, in the
   machine's order; any alignment. `past_cache`: as for qc_look_up. */
void qc_scale(const uint8_t *elements, qc_dtype dtype, size_t count, float scale, uint8_t *out,
              int past_cache);

#endif /* QC_SCALE_H */
