/*
 * Values, decoded: the table of kinds, and the calls that go through it.
 */
#include "body/values_decode.h"
#include "kernels/kernels.h"

static const qc_kind_decoder *const KINDS[QC_KIND_ROWS] = {
    [QC_BYTES] = &qc_bytes_kind_decoder,   [QC_PLANES] = &qc_planes_kind_decoder,
    [QC_AFFINE] = &qc_affine_kind_decoder, [QC_CODEBOOK] = &qc_codebook_kind_decoder,
    [QC_DELTA] = &qc_delta_kind_decoder,   [QC_FLOAT_PLANES] = &qc_float_planes_kind_decoder,
};

static int can_convert(qc_dtype from, qc_dtype to)
{
    int from_float = from <= QC_F64 || (from >= QC_F8E4M3 && from <= QC_E8M0);
    return from == to || (from_float && to <= QC_F64);
}

qc_status qc_values_open(qc_value_decoder *values, const qc_frame *frame, size_t first,
                         size_t count, qc_dtype out_dtype, qc_stream_shared *shared,
                         qc_reader *reader, qc_error *error)
{
    QC_CHECK((unsigned)out_dtype < QC_DTYPE_COUNT && can_convert(frame->dtype, out_dtype),
             QC_INVALID, "decode: the tensor cannot be given in this dtype", 0, out_dtype,
             frame->dtype);
    values->frame = frame;
    values->kind = KINDS[qc_kind_row(frame->kind, frame->dtype)];
    values->out_dtype = out_dtype;
    values->out_size = qc_dtype_size(out_dtype);
    values->past_cache = 0;
    values->pulled = 0;
    values->has_table = 0;
    values->spread = 0;
    values->table.entries = 0; /* not filled */
    return values->kind->open(values, first, count, shared, reader, error);
}

qc_status qc_values_skip(qc_value_decoder *values, size_t count, qc_error *error)
{
    return values->kind->skip(values, count, error);
}

qc_status qc_values_pull(qc_value_decoder *values, size_t count, size_t keep, qc_error *error)
{
    QC_TRY(values->kind->pull(values, count, keep, error));
    values->pulled = count;
    return QC_OK;
}

void qc_values_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                     const uint32_t *positions, uint8_t *out)
{
    values->kind->write(values, from, count, first, positions, out);
}

qc_status qc_values_write_straight(qc_value_decoder *values, size_t count, size_t *keep,
                                   uint8_t **out, size_t *done, qc_error *error)
{
    uint8_t *pulled = values->codes + QC_VALUE_KEEP;
    int past_cache = values->past_cache && qc_is_line(*out);
    qc_item_run run = {&values->table, *out, *keep, pulled - QC_KEPT_CODES, past_cache};
    *done = 0;
    if (!values->has_table || *keep > QC_MAX_KEPT)
        return QC_OK;
    /* Nothing is pulled between the codes that are kept and the next ones. */
    memmove(pulled - *keep, pulled + values->pulled - *keep, *keep);
    values->pulled = 0;
    QC_TRY(qc_stream_write_items(&values->streams[0], &run, count, done, error));
    *keep = run.keep;
    *out = run.out;
    return QC_OK;
}

void qc_values_write_codes(const qc_value_decoder *values, size_t count, uint8_t *out)
{
    values->kind->write_stored(values, 0, count, out, 0);
}

qc_status qc_values_finish(qc_value_decoder *values, qc_error *error)
{
    return values->kind->finish(values, error);
}
