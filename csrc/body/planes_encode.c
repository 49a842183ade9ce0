/*
 * Kind planes, encoded: one stream per byte of an element. float_planes_encode.c has that of
 * floats.
 */
#include "body/values_encode.h"
#include "kernels/planes.h"

static size_t planes_bound(const qc_frame *frame, size_t stored)
{
    return frame->value_streams * qc_stream_bound(stored, frame->width);
}

static size_t planes_workspace(const qc_frame *frame, size_t stored)
{
    (void)frame;
    return qc_arena_size(stored); /* a plane */
}

/* Floats of one byte are exponents for the most part. */
static qc_status write_planes(qc_chunk_encoder *encoder)
{
    const qc_frame *frame = encoder->frame;
    size_t stored = encoder->stored;
    uint8_t *symbols = qc_arena_take(&encoder->arena, stored);
    qc_prepare_elements(encoder);
    if (qc_turn_of(frame->dtype) != QC_ROTATED)
        return qc_write_planes(encoder, 0, symbols);
    qc_encoding encoding = qc_encoding_of_exponents(encoder, stored);
    qc_take_plane(frame, encoder->values, stored, 0, symbols);
    return qc_write_exponents(encoder, symbols, stored, &encoding);
}

const qc_kind_encoder qc_planes_kind_encoder = {
    .bound = planes_bound, .workspace = planes_workspace, .write = write_planes};
