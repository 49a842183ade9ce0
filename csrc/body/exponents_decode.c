#include "body/exponents_decode.h"
#include "kernels/kernels.h"
#include "kernels/max_code.h"

static qc_status read_head(qc_fields *by, qc_dtype dtype, qc_reader *reader, qc_error *error)
{
    uint64_t base;
    by->exponent_bits = qc_exponent_bits(dtype);
    QC_TRY(qc_read_u8(reader, &by->mantissa_bits, "fields: mantissa bits", error));
    QC_CHECK(by->mantissa_bits <= QC_FIELDS_MAX_MANTISSA, QC_CORRUPT, "fields: mantissa bits",
             reader->at - 1, by->mantissa_bits, QC_FIELDS_MAX_MANTISSA);
    QC_CHECK(by->mantissa_bits + by->exponent_bits >= 8, QC_CORRUPT, "fields: mantissa bits",
             reader->at - 1, by->mantissa_bits, 8 - by->exponent_bits);
    by->rest_bits = 16 - by->exponent_bits - by->mantissa_bits;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &base, "fields: base exponent", error));
    QC_CHECK(base >> by->exponent_bits == 0, QC_CORRUPT, "fields: base exponent", at, base,
             (1u << by->exponent_bits) - 1);
    by->base = (unsigned)base;
    return QC_OK;
}

qc_status qc_fields_open(qc_field_decoder *fields, const qc_frame *frame, size_t count,
                         qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    uint64_t escapes;
    QC_TRY(read_head(&fields->by, frame->dtype, reader, error));
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &escapes, "fields: escapes", error));
    QC_CHECK(escapes <= count, QC_CORRUPT, "fields: escapes", at, escapes, count);
    fields->used = fields->filled = 0;
    return qc_stream_open(&fields->escapes, reader, (size_t)escapes, fields->by.exponent_bits,
                          frame->features, shared, error);
}

static qc_status refill(qc_field_decoder *fields, qc_error *error)
{
    size_t left = fields->escapes.left;
    QC_CHECK(left > 0, QC_CORRUPT, "fields: too few escapes", 0, fields->escapes.count,
             fields->escapes.count);
    fields->used = 0;
    fields->filled = left < QC_STREAM_BLOCK ? left : QC_STREAM_BLOCK;
    return qc_stream_next(&fields->escapes, &fields->block, fields->filled, error);
}

static qc_status next_escape(qc_field_decoder *fields, unsigned *exponent, qc_error *error)
{
    if (fields->used == fields->filled)
        QC_TRY(refill(fields, error));
    *exponent = fields->by.exponent_bits <= 8 ? fields->block.narrow[fields->used]
                                              : fields->block.wide[fields->used];
    fields->used++;
    return QC_OK;
}

/* The exponents that are not in the symbols, put in. */
static qc_status put_escapes(qc_field_decoder *fields, const uint8_t *symbols, size_t count,
                             uint8_t *upper, uint8_t *lower, qc_error *error)
{
    unsigned least = qc_fields_escape(&fields->by), below = 16 - fields->by.exponent_bits;
    for (size_t i = 0; i < count; i++) {
        unsigned exponent, word = (unsigned)upper[i] << 8 | lower[i];
        if (QC_LIKELY(symbols[i] < least))
            continue;
        QC_TRY(next_escape(fields, &exponent, error));
        word = exponent << below | (word & ((1u << below) - 1));
        upper[i] = (uint8_t)(word >> 8);
        lower[i] = (uint8_t)word;
    }
    return QC_OK;
}

static void join(const qc_fields *by, const uint8_t *symbols, const uint8_t *rest, size_t count,
                 uint8_t *upper, uint8_t *lower)
{
    uint16_t base = (uint16_t)(by->base << (16 - by->exponent_bits));
    qc_join_exponents_kernel *kernel = qc_kernels_selected()->join_exponents;
    size_t i = 0;
    if (kernel != NULL)
        i = kernel(symbols, rest, count, by->rest_bits, base, upper, lower);
    for (; i < count; i++) {
        uint16_t word = (uint16_t)((symbols[i] << by->rest_bits) + base + rest[i]);
        upper[i] = (uint8_t)(word >> 8);
        lower[i] = (uint8_t)word;
    }
}

static int has_escapes(const qc_field_decoder *fields, const uint8_t *symbols, size_t count)
{
    return qc_max_code(symbols, count) >= qc_fields_escape(&fields->by);
}

qc_status qc_fields_join(qc_field_decoder *fields, const uint8_t *symbols, const uint8_t *rest,
                         size_t count, uint8_t *upper, uint8_t *lower, qc_error *error)
{
    join(&fields->by, symbols, rest, count, upper, lower);
    if (has_escapes(fields, symbols, count))
        return put_escapes(fields, symbols, count, upper, lower, error);
    return QC_OK;
}

qc_status qc_fields_skip(qc_field_decoder *fields, const uint8_t *symbols, size_t count,
                         qc_error *error)
{
    unsigned exponent, least = qc_fields_escape(&fields->by);
    if (!has_escapes(fields, symbols, count))
        return QC_OK;
    for (size_t i = 0; i < count; i++)
        if (symbols[i] >= least)
            QC_TRY(next_escape(fields, &exponent, error));
    return QC_OK;
}

qc_status qc_fields_finish(qc_field_decoder *fields, qc_error *error)
{
    size_t left = fields->escapes.left + fields->filled - fields->used;
    QC_CHECK(left == 0, QC_CORRUPT, "fields: escapes after the last element", 0, left, 0);
    return qc_stream_finish(&fields->escapes, error);
}
