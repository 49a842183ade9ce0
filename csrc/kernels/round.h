/*
 * Floats rounded to a type of 16 bits, and kept as f32 (docs/format.md, section 4, arithmetic).
 */
#ifndef QC_ROUND_H
#define QC_ROUND_H

#include "base/bytes.h"

/* f32 number i of `out` (any alignment; it may be `floats`) = floats[i], rounded to nearest even to
   `dtype`: QC_F16 or QC_BF16. `past_cache`: as for qc_look_up. */
void qc_round(const float *floats, qc_dtype dtype, size_t count, uint8_t *out, int past_cache);

#endif /* QC_ROUND_H */
