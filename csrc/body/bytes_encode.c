/*
 * Kind bytes, encoded: one stream of the elements' bytes, in order.
 */
#include "body/values_encode.h"

static size_t bytes_bound(const qc_frame *frame, size_t stored)
{
    return qc_stream_bound(stored * frame->item_size, frame->width);
}

static qc_status write_bytes(qc_chunk_encoder *encoder)
{
    const qc_frame *frame = encoder->frame;
    qc_prepare_elements(encoder);
    return qc_write_bytes_stream(encoder, encoder->values, encoder->stored * frame->item_size);
}

const qc_kind_encoder qc_bytes_kind_encoder = {
    .bound = bytes_bound, .write = write_bytes, .by_byte = 1};
