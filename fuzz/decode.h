/*
 * Decoding whole frames of every kind. Frames of kind delta use a base that every target knows.
 */
#ifndef QC_FUZZ_DECODE_H
#define QC_FUZZ_DECODE_H

#include "harness.h"

static uint8_t workspace[QC_WORKSPACE_BYTES];

/* As qc_decode, of a kind that it refuses. */
static inline qc_status decode_delta(const uint8_t *data, size_t size, qc_dtype dtype, uint8_t *out,
                                     qc_error *error)
{
    qc_frame frame;
    qc_status status = qc_frame_read(data, size, QC_VERIFY | QC_WHOLE, &frame, error);
    if (status != QC_OK)
        return status;
    frame.delta.base = fuzz_base();
    qc_chunk *chunks = (qc_chunk *)(void *)buffer_of(frame.chunks * sizeof *chunks, 0);
    status = qc_frame_chunks(&frame, data, chunks, error);
    if (status == QC_OK)
        status = qc_frame_decode(&frame, chunks, data, 0, 0, frame.elements, dtype, out, QC_VERIFY,
                                 workspace, error);
    free(chunks);
    return status;
}

static inline qc_status decode_whole_frame(const uint8_t *data, size_t size, qc_kind kind,
                                           qc_dtype dtype, uint8_t *out, size_t bytes, void *memory,
                                           size_t memory_bytes, qc_error *error)
{
    if (kind == QC_DELTA)
        return decode_delta(data, size, dtype, out, error);
    return qc_decode(data, size, dtype, out, bytes, memory, memory_bytes, QC_VERIFY, workspace,
                     error);
}

static inline int is_nan(const uint8_t *bytes, qc_dtype dtype)
{
    double value = 0;
    qc_convert(bytes, dtype, (uint8_t *)&value, QC_F64, 1);
    return value != value;
}

/* The same bits, but for the sign and payload of NaNs that come out of arithmetic. */
static inline int same_values(const uint8_t *values, const uint8_t *others, size_t count,
                              const qc_frame *frame, qc_dtype dtype)
{
    int is_computed =
        frame->kind == QC_AFFINE || frame->kind == QC_CODEBOOK || frame->scales.count > 0;
    size_t item = qc_dtype_size(dtype);
    if (memcmp(values, others, count * item) == 0)
        return 1;
    if (!is_computed)
        return 0;
    for (size_t i = 0; i < count; i++, values += item, others += item) {
        if (memcmp(values, others, item) != 0 && !(is_nan(values, dtype) && is_nan(others, dtype)))
            return 0;
    }
    return 1;
}

#endif /* QC_FUZZ_DECODE_H */
