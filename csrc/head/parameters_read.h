/*
 * The parameters in a frame's head, read (docs/format.md, section 5). Bodies of coded parameters
 * are stepped over.
 */
#ifndef QC_PARAMETERS_READ_H
#define QC_PARAMETERS_READ_H

#include "base/bytes.h"

/* Read a number of at least 1 that fits a size. */
qc_status qc_read_count(qc_reader *reader, size_t *count, const char *what, qc_error *error);
/* All parameters of the frame's kind and positions form. `scaled`: the flag of the head. */
qc_status qc_read_parameters(qc_reader *reader, qc_frame *frame, int scaled, qc_error *error);

#endif /* QC_PARAMETERS_READ_H */
