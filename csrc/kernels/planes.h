/*
 * Float planes, merged (docs/format.md, section 4, planes).
 */
#ifndef QC_PLANES_H
#define QC_PLANES_H

#include "base/bytes.h"

/* `count` elements of `size` bytes, little-endian, from their planes, the most significant one
   first. `rotated`: elements were rotated left by one bit before they were split. `past_cache`: as
   for qc_look_up. */
void qc_merge_planes(const uint8_t *const *planes, size_t count, size_t size, int rotated,
                     uint8_t *out, int past_cache);

#endif /* QC_PLANES_H */
