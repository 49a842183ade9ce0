/*
 * A code of codings 4 and 5 as the table that lanes look up.
 */
#ifndef QC_LANES_CODE_H
#define QC_LANES_CODE_H

#include "kernels/lanes.h"

/* Huffman: the lengths of the classes, in order. The counts must be complete. */
void qc_lanes_lengths(const qc_lanes_code *code, uint8_t lengths[QC_LANES_MAX_CLASSES]);
/* Fill the table of a code that was checked: its Kraft sum is 1, or its counts add up to the number
   of states. */
void qc_lanes_build_table(const qc_lanes_code *code, qc_lanes_table *table);

#endif /* QC_LANES_CODE_H */
