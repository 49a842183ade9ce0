/*
 * What the decoders of several kinds share: value streams, elements, and codes.
 */
#ifndef QC_KINDS_DECODE_H
#define QC_KINDS_DECODE_H

#include "base/float_bits.h"
#include "body/values_decode.h"

/* ---- value_streams_decode.c ---- */

/* Start all value streams of `count` elements: `symbols` symbols per element and stream, of the
   frame's width. */
qc_status qc_value_streams_open(qc_value_decoder *values, size_t symbols, size_t count,
                                qc_stream_shared *shared, qc_reader *reader, qc_error *error);
/* A kind's `skip`, `pull` and `finish`, where symbols are used as they come. They may be a view of
   the frame, which may change at any time. */
qc_status qc_value_streams_skip(qc_value_decoder *values, size_t count, qc_error *error);
qc_status qc_value_streams_pull(qc_value_decoder *values, size_t count, size_t keep,
                                qc_error *error);
qc_status qc_value_streams_finish(qc_value_decoder *values, qc_error *error);

/* Skip in the streams from number `from` on. */
qc_status qc_value_streams_skip_from(qc_value_decoder *values, unsigned from, size_t count,
                                     qc_error *error);
/* Pull from one stream; `copied`: no view, for symbols that are checked first and then used. */
qc_status qc_value_stream_pull(qc_value_decoder *values, unsigned i, size_t count, size_t keep,
                               int copied, qc_error *error);

/* ---- elements_decode.c ---- */

/* As a kind's `write`: its stored elements, converted if another type is asked for. */
void qc_elements_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                       const uint32_t *positions, uint8_t *out);
/* The same, each times its scale. */
void qc_scaled_elements_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                              const uint32_t *positions, uint8_t *out);
/* As a kind's `write_stored`, where the bytes of an element are together in block 0. */
void qc_elements_copy(const qc_value_decoder *values, size_t from, size_t count, uint8_t *out,
                      int past_cache);
/* The same, where block i has byte i of each element (the most significant one first), rotated. */
void qc_elements_merge(const qc_value_decoder *values, size_t from, size_t count, uint8_t *out,
                       int past_cache);

/* ---- codes_decode.c ---- */

/* What the kinds of codes differ in. */
typedef struct qc_code_values {
    /* The value of a code before scaling, by the text of the format. */
    float (*unscaled)(const qc_frame *frame, unsigned code, size_t element);
    /* The values of elements that follow each other, before a zero point is subtracted that groups
       have of their own, and before scaling: f32, to `out`. The first is number `from` of the
       block, and `first` of the tensor. */
    void (*unscaled_block)(qc_value_decoder *values, size_t from, size_t count, size_t first,
                           uint8_t *out);
    /* Write `count` elements that share all groups. The first is number `from` of the block, and
       `element` of the tensor. */
    void (*write_run)(qc_value_decoder *values, size_t from, size_t count, size_t element,
                      uint8_t *out);
} qc_code_values;

static inline size_t qc_group_end(const qc_groups *groups, size_t group)
{
    uint64_t end;
    memcpy(&end, groups->ends + group * sizeof end, sizeof end);
    return (size_t)end;
}

/* The number of the group of an element. */
static inline size_t qc_group_of(const qc_groups *groups, size_t element)
{
    if (groups->inner > 0)
        return element / groups->inner % groups->count;
    size_t low = 0, high = groups->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (qc_group_end(groups, middle) > element)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Value number `index` as f32: exact for every type of a parameter. */
static inline float qc_group_value(const qc_groups *groups, size_t index)
{
    size_t size = qc_dtype_size(groups->dtype);
    uint8_t bytes[QC_MAX_ITEM_BYTES];
    float value;
    if (groups->dtype == QC_F32) /* the usual one */
        return qc_f32_of_bits(qc_load32(groups->values + index * size));
    memcpy(bytes, groups->values + index * size, size);
    qc_swap_if_big_endian(bytes, size, 1);
    qc_convert(bytes, groups->dtype, &value, QC_F32, 1);
    return value;
}

/* The scale of an element; 1 if there are no scales. */
static inline float qc_scale_of(const qc_frame *frame, size_t element)
{
    const qc_groups *scales = &frame->scales;
    if (scales->count == 0)
        return 1.0f;
    float scale = qc_group_value(scales, qc_group_of(scales, element));
    return frame->has_second_scale ? frame->second_scale * scale : scale;
}

/* Elements that follow `element` with the same parameters, itself included; those in these groups.
 */
size_t qc_run_of(const qc_frame *frame, size_t element);
size_t qc_run_in(const qc_groups *groups, size_t element);
/* Whether so few elements share their parameters that these are better spread, element by element,
   than used for a run at a time: groups along the last axis, or filters of a few elements. */
int qc_has_short_runs(const qc_frame *frame);
/* Write values->floats, which belong to elements from number `first` on, each without its zero
   point and times its scale. */
void qc_write_spread(qc_value_decoder *values, size_t count, size_t first, uint8_t *out);
/* Fill the table from `values->entries`, scaled; the number of its entries is set. */
void qc_fill_table(qc_value_decoder *values, float scale);

/* As a kind's `write`. */
void qc_codes_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                    const uint32_t *positions, uint8_t *out, const qc_code_values *kind);
/* As a kind's `write_stored`. */
void qc_codes_copy(const qc_value_decoder *values, size_t from, size_t count, uint8_t *out,
                   int past_cache);
/* The value of one element, by the text of the format, before it is rounded to the frame's type.
 */
float qc_code_value(const qc_frame *frame, unsigned code, size_t element,
                    const qc_code_values *kind);
/* Whether values are rounded to the frame's type, and then converted to the output's. Otherwise one
   conversion does both. */
int qc_is_rounded_first(const qc_value_decoder *values);
/* Write `count` of `values->floats`, which may change, as elements of the output's type. */
void qc_write_floats(qc_value_decoder *values, size_t count, uint8_t *out);

#endif /* QC_KINDS_DECODE_H */
