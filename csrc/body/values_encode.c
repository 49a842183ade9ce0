/*
 * Values, encoded: the table of kinds.
 */
#include "body/values_encode.h"

static const qc_kind_encoder *const KINDS[QC_KIND_ROWS] = {
    [QC_BYTES] = &qc_bytes_kind_encoder,   [QC_PLANES] = &qc_planes_kind_encoder,
    [QC_AFFINE] = &qc_affine_kind_encoder, [QC_CODEBOOK] = &qc_codebook_kind_encoder,
    [QC_DELTA] = &qc_delta_kind_encoder,   [QC_FLOAT_PLANES] = &qc_float_planes_kind_encoder,
};

const qc_kind_encoder *qc_kind_encoder_of(const qc_frame *frame)
{
    return KINDS[qc_kind_row(frame->kind, frame->dtype)];
}
