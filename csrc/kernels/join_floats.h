/*
 * Floats from symbols of exponent and mantissa bits, and from planes (docs/format.md, section 4).
 */
#ifndef QC_JOIN_FLOATS_H
#define QC_JOIN_FLOATS_H

#include "base/bytes.h"

/* `count` floats of `size` bytes (2, 4 or 8), little-endian. A float, rotated left by one bit so
   that its sign is the lowest, has (planes[0] << rest_bits) + base + planes[1] as its upper 16
   bits, where planes[1] is below 2^rest_bits, and then a byte of each further plane. `past_cache`:
   as for qc_look_up. */
void qc_join_floats(const uint8_t *const *planes, size_t count, size_t size, unsigned rest_bits,
                    uint16_t base, uint8_t *out, int past_cache);

#endif /* QC_JOIN_FLOATS_H */
