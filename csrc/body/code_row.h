/*
 * Sparse elements by way of their codes: those of a window of elements are put into a row of bytes
 * in L1, where the absent ones have the code of zero, and the row is looked up as a whole. So each
 * element of the output is written once, in order.
 */
#ifndef QC_CODE_ROW_H
#define QC_CODE_ROW_H

#include "kernels/look_up.h"

/* Elements of a window: few enough for the next one's stores to wait behind this one's output in
   the processor's queue. */
#define QC_CODE_ROW 2048

typedef struct qc_code_row {
    const qc_look_up_table *table;
    int past_cache;
    uint8_t absent; /* the code of zero */
    size_t begin;   /* the window's first element */
    size_t end;     /* one past the last element that is wanted */
    uint8_t *out;   /* of the window */
    uint8_t codes[QC_CODE_ROW];
} qc_code_row;

/* Whether a table has room for a code of zero. */
int qc_code_row_suits(const qc_look_up_table *table);
/* Begin to write elements [first, first + count) to `out`. Adds an entry to the table. */
void qc_code_row_open(qc_code_row *row, qc_look_up_table *table, size_t first, size_t count,
                      uint8_t *out, int past_cache);
/* The next stored elements: `count` ascending positions, and their codes. */
void qc_code_row_put(qc_code_row *row, const uint32_t *positions, const uint8_t *codes,
                     size_t count);
/* After the last one: write what is left. */
void qc_code_row_close(qc_code_row *row);

#endif /* QC_CODE_ROW_H */
