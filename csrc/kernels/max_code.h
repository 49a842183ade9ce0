/*
 * The greatest of some codes: a book may have no entry for it.
 */
#ifndef QC_GREATEST_H
#define QC_GREATEST_H

#include "base/bytes.h"

/* 0 if there are none. */
unsigned qc_greatest(const uint8_t *codes, size_t count);

#endif /* QC_GREATEST_H */
