/*
 * Kinds affine and codebook, encoded: one stream of codes, by a router if that is smaller.
 */
#include "body/values_encode.h"

static size_t codes_bound(const qc_frame *frame, size_t stored)
{
    return qc_stream_bound(stored, frame->width);
}

static qc_status write_codes(qc_chunk_encoder *encoder)
{
    const qc_frame *frame = encoder->frame;
    qc_geometry geometry = qc_code_geometry(frame);
    return qc_write_located(encoder, encoder->values, encoder->stored, frame->width, &geometry, 1);
}

static qc_status check_entries(const qc_frame *frame, const qc_chunk_input *input, qc_error *error)
{
    const uint8_t *codes = input->values;
    for (size_t i = 0; i < input->stored; i++)
        QC_CHECK(codes[i] < frame->codebook.entries, QC_INVALID, "encode: code without an entry", i,
                 codes[i], frame->codebook.entries - 1);
    return QC_OK;
}

const qc_kind_encoder qc_affine_kind_encoder = {.bound = codes_bound, .write = write_codes};

const qc_kind_encoder qc_codebook_kind_encoder = {
    .bound = codes_bound, .check = check_entries, .write = write_codes};
