/*
 * Sparse elements by way of rows of codes.
 *
 * Scattering elements into zeros writes the output twice, the second time in jumps. Here the codes
 * of a window of elements are scattered into a row of bytes in L1, in which absent elements have
 * the code of zero. Then the row is looked up as a whole, so each element of the output is written
 * once, in order.
 */
#ifndef QC_CODE_ROW_H
#define QC_CODE_ROW_H

#include "kernels/look_up.h"

/* Elements of a window: few enough that the stores of the next window queue in the processor behind
   the output of this one. */
#define QC_CODE_ROW 2048

typedef struct qc_code_row {
    const qc_look_up_table *table;
    int past_cache;
    uint8_t absent; /* the code of zero */
    size_t begin;   /* the window's first element */
    size_t end;     /* one past the last element of the range */
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
/* After the last stored element: write the rest of the range. */
void qc_code_row_close(qc_code_row *row);

#endif /* QC_CODE_ROW_H */
