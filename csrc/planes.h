/*
 * Float planes, merged (docs/format.md, section 4, planes).
 */
#ifndef QC_PLANES_H
#define QC_PLANES_H

#include "bytes.h"

/* `count` elements of `size` bytes, little-endian, from their planes, the most significant one
   first and `stride` bytes from one to the next. `rotated`: elements were rotated left by one bit
   before they were split. */
void qc_merge_planes(const uint8_t *planes, size_t stride, size_t count, size_t size, int rotated,
                     uint8_t *out);

#endif /* QC_PLANES_H */
