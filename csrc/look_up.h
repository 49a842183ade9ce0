/*
 * Codes to the entries of one table: a version for each instruction set, all with the same result.
 */
#ifndef QC_LOOK_UP_H
#define QC_LOOK_UP_H

#include "bytes.h"

/* out[i] = table[codes[i]], entries of `size` bytes (2, 4 or 8). The table holds 256 of them; codes
   are below `entries`. Nothing need be aligned. */
typedef void qc_look_up_kernel(const uint8_t *codes, size_t count, const uint8_t *table,
                               unsigned entries, size_t size, uint8_t *out);

/* The fastest of the selected instruction sets. */
qc_look_up_kernel *qc_look_up_selected(void);

qc_look_up_kernel qc_look_up_portable, qc_look_up_avx2, qc_look_up_avx512;

#endif /* QC_LOOK_UP_H */
