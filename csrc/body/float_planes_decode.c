/*
 * Kind planes of floats, decoded: stream 0 has symbols of exponent and top mantissa bits, stream 1
 * the rest of an element's two upper bytes, and the other streams are planes. A symbol may be an
 * escape, whose exponent is in a stream of its own.
 */
#include "body/float_planes_decode.h"
#include "body/kinds_decode.h"
#include "kernels/join_floats.h"
#include "kernels/max_code.h"
#include "kernels/planes.h"

/* The byte of fields, and the base exponent. */
static qc_status read_fields(qc_exponents *exponents, qc_dtype dtype, unsigned *fields,
                             qc_reader *reader, qc_error *error)
{
    uint64_t base = 0;
    unsigned max = QC_PLANES_MANTISSA | QC_PLANES_BASE | QC_PLANES_ESCAPES;
    QC_TRY(qc_read_u8(reader, fields, "planes: fields", error));
    QC_CHECK(*fields <= max, QC_UNSUPPORTED, "planes: fields", reader->at - 1, *fields, max);
    unsigned mantissa = *fields & QC_PLANES_MANTISSA, exponent = qc_exponent_bits(dtype);
    QC_CHECK(mantissa <= QC_EXPONENTS_MAX_MANTISSA, QC_UNSUPPORTED, "planes: mantissa bits",
             reader->at - 1, mantissa, QC_EXPONENTS_MAX_MANTISSA);
    QC_CHECK(mantissa + exponent >= 8, QC_CORRUPT, "planes: mantissa bits", reader->at - 1,
             mantissa, 8 - exponent);
    size_t at = reader->at;
    if (*fields & QC_PLANES_BASE)
        QC_TRY(qc_read_vu(reader, &base, "planes: base exponent", error));
    QC_CHECK(base >> exponent == 0, QC_CORRUPT, "planes: base exponent", at, base,
             (1u << exponent) - 1);
    *exponents = (qc_exponents){exponent, mantissa, 16 - exponent - mantissa, (unsigned)base};
    return QC_OK;
}

/* Read what `count` elements have before streams 0 and 1, and start the escapes. */
static qc_status open_escapes(qc_exponent_decoder *exponents, const qc_frame *frame, size_t count,
                              qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    uint64_t escapes;
    unsigned fields;
    exponents->used = exponents->filled = 0;
    exponents->has_escapes = exponents->in_block = 0;
    QC_TRY(read_fields(&exponents->fields, frame->stored_dtype, &fields, reader, error));
    if ((fields & QC_PLANES_ESCAPES) == 0)
        return QC_OK;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &escapes, "planes: escapes", error));
    QC_CHECK(escapes <= count, QC_CORRUPT, "planes: escapes", at, escapes, count);
    exponents->has_escapes = 1;
    return qc_stream_open(&exponents->escapes, reader, (size_t)escapes,
                          exponents->fields.exponent_bits, frame->features, shared, error);
}

static qc_status refill(qc_exponent_decoder *exponents, qc_error *error)
{
    size_t left = exponents->has_escapes ? exponents->escapes.left : 0;
    QC_CHECK(left > 0, QC_CORRUPT, "planes: too few escapes", 0, 0, 1);
    exponents->used = 0;
    exponents->filled = left < QC_STREAM_BLOCK ? left : QC_STREAM_BLOCK;
    return qc_stream_next(&exponents->escapes, &exponents->block, exponents->filled, error);
}

static qc_status next_escape(qc_exponent_decoder *exponents, unsigned *exponent, qc_error *error)
{
    if (exponents->used == exponents->filled)
        QC_TRY(refill(exponents, error));
    *exponent = exponents->fields.exponent_bits <= 8 ? exponents->block.narrow[exponents->used]
                                                     : exponents->block.wide[exponents->used];
    exponents->used++;
    return QC_OK;
}

static int names_escapes(const qc_exponent_decoder *exponents, const uint8_t *symbols, size_t count)
{
    return qc_max_code(symbols, count) >= qc_exponents_escape(&exponents->fields);
}

/* Take the exponents of the escapes among `count` symbols. */
static qc_status take_escapes(qc_exponent_decoder *exponents, const uint8_t *symbols, size_t count,
                              uint16_t *escaped, qc_error *error)
{
    unsigned exponent, min_escape = qc_exponents_escape(&exponents->fields);
    if (!names_escapes(exponents, symbols, count))
        return QC_OK;
    exponents->in_block = 1;
    for (size_t i = 0; i < count; i++) {
        if (QC_LIKELY(symbols[i] < min_escape))
            continue;
        QC_TRY(next_escape(exponents, &exponent, error));
        escaped[i] = (uint16_t)exponent;
    }
    return QC_OK;
}

static qc_status finish_float_planes(qc_value_decoder *values, qc_error *error)
{
    qc_exponent_decoder *exponents = &values->exponents;
    if (exponents->has_escapes) {
        size_t left = exponents->escapes.left + exponents->filled - exponents->used;
        QC_CHECK(left == 0, QC_CORRUPT, "planes: escapes after the last element", 0, left, 0);
        QC_TRY(qc_stream_finish(&exponents->escapes, error));
    }
    return qc_value_streams_finish(values, error);
}

/* ---- pulling ---- */

static qc_status open_float_planes(qc_value_decoder *values, size_t first, size_t count,
                                   qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    const qc_frame *frame = values->frame;
    (void)first;
    QC_TRY(open_escapes(&values->exponents, frame, count, shared, reader, error));
    values->symbols = values->step = 1;
    for (unsigned i = 0; i < frame->value_streams; i++) {
        unsigned width = i == 1 ? values->exponents.fields.rest_bits : frame->width;
        QC_TRY(qc_stream_open(&values->streams[i], reader, count, width, frame->features, shared,
                              error));
    }
    return QC_OK;
}

/* Stream 0: the escapes among its symbols are skipped with them. */
static qc_status skip_symbols(qc_value_decoder *values, size_t count, qc_error *error)
{
    for (size_t take; count > 0; count -= take) {
        take = count < QC_VALUE_BLOCK ? count : QC_VALUE_BLOCK;
        QC_TRY(qc_stream_next(&values->streams[0], values->codes, take, error));
        QC_TRY(take_escapes(&values->exponents, values->codes, take, values->escaped, error));
    }
    return QC_OK;
}

static qc_status skip_float_planes(qc_value_decoder *values, size_t count, qc_error *error)
{
    int has_escapes = values->exponents.has_escapes;
    if (has_escapes)
        QC_TRY(skip_symbols(values, count, error));
    return qc_value_streams_skip_from(values, has_escapes ? 1 : 0, count, error);
}

/* Symbols are read again where there are escapes among them, so they are copied; other streams are
   read once, and may be views. */
static qc_status pull_float_planes(qc_value_decoder *values, size_t count, size_t keep,
                                   qc_error *error)
{
    uint16_t *escaped = values->escaped + QC_VALUE_KEEP;
    QC_TRY(qc_value_stream_pull(values, 0, count, keep, 1, error));
    for (unsigned i = 1; i < values->frame->value_streams; i++)
        QC_TRY(qc_value_stream_pull(values, i, count, keep, 0, error));
    if (values->exponents.in_block && keep > 0)
        memmove(escaped - keep, escaped + values->pulled - keep, keep * sizeof *escaped);
    else
        values->exponents.in_block = 0;
    return take_escapes(&values->exponents, values->blocks[0] + keep, count, escaped, error);
}

/* ---- writing ---- */

/* Put the exponents in that the symbols do not have. */
static void put_escapes(const qc_exponents *fields, const uint8_t *symbols, const uint16_t *escaped,
                        size_t count, size_t size, uint8_t *out)
{
    const unsigned below = 8 * (unsigned)size - 1 - fields->exponent_bits;
    const uint64_t mask = (((uint64_t)1 << fields->exponent_bits) - 1) << below;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        if (QC_LIKELY(symbols[i] < qc_exponents_escape(fields)))
            continue;
        for (size_t byte = 0; byte < size; byte++)
            bits |= (uint64_t)out[i * size + byte] << 8 * byte;
        bits = (bits & ~mask) | (uint64_t)escaped[i] << below;
        for (size_t byte = 0; byte < size; byte++)
            out[i * size + byte] = (uint8_t)(bits >> 8 * byte);
    }
}

/* As a kind's write_stored. Few blocks have escapes, which are put in afterwards. */
static void merge_float_planes(const qc_value_decoder *values, size_t from, size_t count,
                               uint8_t *out, int past_cache)
{
    const qc_frame *frame = values->frame;
    const qc_exponent_decoder *exponents = &values->exponents;
    const qc_exponents *fields = &exponents->fields;
    const uint8_t *planes[QC_MAX_ITEM_BYTES];
    size_t size = qc_dtype_size(frame->stored_dtype);
    for (unsigned i = 0; i < frame->value_streams; i++)
        planes[i] = values->blocks[i] + from;
    qc_join_floats(planes, count, size, fields->rest_bits,
                   (uint16_t)(fields->base << (16 - fields->exponent_bits)), out,
                   past_cache && !exponents->in_block);
    if (exponents->in_block) {
        /* Symbols are in the block of codes, and escaped exponents at the same places. */
        const uint16_t *escaped = values->escaped + (planes[0] - values->codes);
        put_escapes(fields, planes[0], escaped, count, size, out);
    }
    qc_swap_elements_if_big_endian(out, frame->stored_dtype, count);
}

static void write_float_planes(qc_value_decoder *values, size_t from, size_t count, size_t first,
                               const uint32_t *positions, uint8_t *out)
{
    if (values->frame->scales.count > 0)
        qc_scaled_elements_write(values, from, count, first, positions, out);
    else
        qc_elements_write(values, from, count, first, positions, out);
}

const qc_kind_decoder qc_float_planes_kind_decoder = {
    open_float_planes,  skip_float_planes,  pull_float_planes,
    write_float_planes, merge_float_planes, finish_float_planes,
};
