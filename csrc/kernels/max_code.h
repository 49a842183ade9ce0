/*
 * The largest of some codes: a codebook may have no entry for it.
 */
#ifndef QC_MAX_CODE_H
#define QC_MAX_CODE_H

#include "base/bytes.h"

/* 0 if there are none. */
unsigned qc_max_code(const uint8_t *codes, size_t count);

#endif /* QC_MAX_CODE_H */
