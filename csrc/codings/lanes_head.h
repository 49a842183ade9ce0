/*
 * The head of a body of codings 4 and 5, read and checked.
 */
#ifndef QC_LANES_HEAD_H
#define QC_LANES_HEAD_H

#include "kernels/lanes.h"

/* Reads a head up to its values. The code can then be built into a table. */
qc_status qc_lanes_read_head(qc_reader *body, unsigned width, int is_tans, qc_lanes_code *code,
                             qc_error *error);

#endif /* QC_LANES_HEAD_H */
