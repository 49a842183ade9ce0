/*
 * Kind bytes, encoded: one stream of the elements' bytes, in order.
 */
#include "body/values_encode.h"
#include "codings/stream_encode.h"

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

/* Of floats: their bytes hardly ever take less than planes do, and it takes long to encode them. */
static size_t bytes_least(const qc_frame *frame, const qc_chunk_input *input,
                          const qc_encoding *encoding)
{
    size_t bytes = input->stored * frame->item_size;
    uint64_t codings = qc_float_codings(frame, encoding->codings, input->stored);
    if (frame->dtype > QC_F64 || ((codings & QC_CODING_MASK(QC_CONTEXTS)) != 0 &&
                                  qc_contexts_limit(bytes, bytes, 8, encoding->profile) > 0))
        return 0;
    return qc_stream_least(input->values, bytes, 8);
}

const qc_kind_encoder qc_bytes_kind_encoder = {
    .bound = bytes_bound, .write = write_bytes, .least = bytes_least, .by_byte = 1};
