/*
 * Kind planes, encoded: one stream per byte of an element. float_planes_encode.c has that of
 * floats.
 */
#include "body/values_encode.h"

static size_t planes_bound(const qc_frame *frame, size_t stored)
{
    return frame->value_streams * qc_stream_bound(stored, frame->width);
}

static size_t planes_workspace(const qc_frame *frame, size_t stored)
{
    (void)frame;
    return qc_arena_size(stored); /* a plane */
}

static qc_status write_planes(qc_chunk_encoder *encoder)
{
    uint8_t *symbols = qc_arena_take(&encoder->arena, encoder->stored);
    qc_prepare_elements(encoder);
    return qc_write_located_planes(encoder, symbols);
}

const qc_kind_encoder qc_planes_kind_encoder = {
    .bound = planes_bound, .workspace = planes_workspace, .write = write_planes};
