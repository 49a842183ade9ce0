/*
 * The parameters in a frame's head, written (docs/format.md, section 5).
 */
#ifndef QC_PARAMETERS_WRITE_H
#define QC_PARAMETERS_WRITE_H

#include "base/bytes.h"

/* Check the parameters that the caller filled in, set the counts to 0 that do not belong to the
   kind, and derive the width of codes. */
qc_status qc_plan_parameters(qc_frame *frame, qc_error *error);
/* The bytes that qc_write_parameters writes. */
size_t qc_parameters_size(const qc_frame *frame);
/* Returns the end of what was written. */
uint8_t *qc_write_parameters(uint8_t *out, const qc_frame *frame);

static inline uint8_t *qc_append_bytes(uint8_t *out, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(out, bytes, size);
    return out + size;
}

static inline uint8_t *qc_append_vu(uint8_t *out, uint64_t value)
{
    return out + qc_write_vu(out, value);
}

#endif /* QC_PARAMETERS_WRITE_H */
