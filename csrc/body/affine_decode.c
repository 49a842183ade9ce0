/*
 * Kind affine, decoded: scale * (code - zero point).
 */
#include "body/kinds_decode.h"
#include "head/layout.h"
#include "kernels/affine.h"

/* Codes of more bits are faster by arithmetic than by a table, on some machines, unless the
   products are rounded or converted: then all codes of a byte have a table. */
#define TABLE_WIDTH 4

static float unscaled(const qc_frame *frame, unsigned code, size_t element)
{
    const qc_groups *groups = &frame->zero_points.groups;
    size_t zero = frame->zero_points.common;
    if (groups->count > 0)
        zero = qc_load16(groups->values + 2 * qc_group_of(groups, element));
    return (float)((int32_t)code - (int32_t)zero);
}

/* As many codes for each entry of a table as make up for filling it, where a row has its own. */
#define CODES_PER_ENTRY 8

/* Whether the products are the output's elements, without rounding or conversion. */
static int is_product(const qc_value_decoder *values)
{
    return values->out_dtype == QC_F32 && !qc_is_rounded_first(values);
}

/* A table of all codes of the groups of an element. */
static void fill_table(qc_value_decoder *values, size_t element)
{
    const qc_frame *frame = values->frame;
    values->table.entries = (size_t)1 << frame->width;
    for (unsigned code = 0; code < values->table.entries; code++)
        values->entries[code] = unscaled(frame, code, element);
    qc_fill_table(values, qc_scale_of(frame, element));
}

static void write_run(qc_value_decoder *values, size_t from, size_t count, size_t element,
                      uint8_t *out)
{
    const qc_frame *frame = values->frame;
    const uint8_t *codes = values->blocks[0] + from * values->step;
    float scale = qc_scale_of(frame, element), zero = -unscaled(frame, 0, element);
    if (!is_product(values) && frame->width <= TABLE_WIDTH &&
        count >> frame->width >= CODES_PER_ENTRY) {
        fill_table(values, element);
        qc_look_up(&values->table, codes, count, out, values->past_cache);
        return;
    }
    if (values->out_dtype == QC_F32) {
        qc_affine(codes, frame->width, count, scale, zero, frame->dtype, out, values->past_cache);
        return;
    }
    qc_affine(codes, frame->width, count, scale, zero, QC_F32, (uint8_t *)values->floats, 0);
    qc_write_floats(values, count, out);
}

static void unscaled_block(qc_value_decoder *values, size_t from, size_t count, size_t first,
                           uint8_t *out)
{
    const qc_frame *frame = values->frame;
    const uint8_t *codes = values->blocks[0] + from * values->step;
    float zero = frame->zero_points.groups.count > 0 ? 0.0f : (float)frame->zero_points.common;
    (void)first;
    qc_affine(codes, frame->width, count, 1.0f, zero, QC_F32, out, 0);
}

static const qc_code_values VALUES = {unscaled, unscaled_block, write_run};

static void write_affine(qc_value_decoder *values, size_t from, size_t count, size_t first,
                         const uint32_t *positions, uint8_t *out)
{
    qc_codes_write(values, from, count, first, positions, out, &VALUES);
}

/* A table of all codes, where that is faster for `count` elements. */
static void make_table(qc_value_decoder *values, size_t count)
{
    const qc_frame *frame = values->frame;
    int is_short = frame->width <= TABLE_WIDTH;
    int is_worthwhile = frame->width <= 8 && !is_product(values) && count >= QC_MAX_ENTRIES;
    values->has_table = qc_is_uniform(frame) && (is_short || is_worthwhile);
    if (!values->has_table)
        return;
    fill_table(values, 0);
}

static qc_status open_affine(qc_value_decoder *values, size_t first, size_t count,
                             qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    (void)first;
    QC_TRY(qc_value_streams_open(values, 1, count, shared, reader, error));
    if (qc_parameters_are_decoded(values->frame)) /* else nothing will be written */
        make_table(values, count);
    return QC_OK;
}

const qc_kind_decoder qc_affine_kind_decoder = {
    open_affine,  qc_value_streams_skip, qc_value_streams_pull,
    write_affine, qc_codes_copy,         qc_value_streams_finish,
};
