/*
 * Coding 0, encoded: possible if no two symbols differ.
 */
#include "codings/stream_encode.h"

static size_t size(qc_encoder_input *input)
{
    return input->constant ? qc_vu_size(input->first) : QC_NO_ENCODING;
}

static size_t encode(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    (void)limit;
    return qc_write_vu(out, input->first);
}

const qc_stream_encoder qc_constant_encoder = {size, encode};
