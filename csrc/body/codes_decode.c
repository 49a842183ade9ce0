/*
 * Kinds that store codes: blocks of them as output.
 *
 * There are four ways. If all elements share their groups and there are few codes, one table has
 * the element of every code. If the elements follow each other, they are written in runs that share
 * their groups, or if these runs are short, the parameters are spread over the elements of a block.
 * Otherwise each element is computed by itself, which is the slowest.
 */
#include "body/kinds_decode.h"
#include "kernels/affine.h"
#include "kernels/round.h"

/* ---- groups ---- */

size_t qc_run_in(const qc_groups *groups, size_t element)
{
    if (groups->count <= 1)
        return SIZE_MAX;
    if (groups->inner > 0)
        return groups->inner - element % groups->inner;
    return qc_group_end(groups, qc_group_of(groups, element)) - element;
}

/* The same in all groups: zero points have those of the scales. */
size_t qc_run_of(const qc_frame *frame, size_t element)
{
    size_t scaled = qc_run_in(&frame->scales, element);
    size_t in_book = qc_run_in(&frame->codebook.books, element);
    return scaled < in_book ? scaled : in_book;
}

/* Below, the start of a run costs more than to spread its parameters. */
#define SHORT_RUN 64

static int are_short(const qc_groups *groups)
{
    return groups->count > 1 && groups->inner > 0 && groups->inner < SHORT_RUN;
}

int qc_has_short_runs(const qc_frame *frame)
{
    return are_short(&frame->scales) || are_short(&frame->codebook.books);
}

/* The numbers of groups, from `group` on: number(groups, group) is that of one. */
typedef float group_number(const qc_groups *groups, size_t group);

/* Every element has the number of the next group. `number` is a constant where this is inlined. */
static inline void take_numbers(const qc_groups *groups, size_t group, size_t count,
                                group_number *number, float *numbers)
{
    for (size_t i = 0; i < count; i++)
        numbers[i] = number(groups, group + i);
}

/* Copies of a number are written some at a time, also behind the last. */
static inline void repeat_number(float number, size_t count, float *numbers)
{
    for (size_t i = 0; i < count; i += QC_SPREAD_SLACK)
        for (size_t j = i; j < i + QC_SPREAD_SLACK; j++)
            numbers[j] = number;
}

/* The numbers of some groups, each for a few elements. */
static inline void repeat_numbers(const qc_groups *groups, size_t group, size_t count,
                                  group_number *number, size_t elements, float *numbers)
{
    for (size_t i = 0; i < count; i++, numbers += elements)
        repeat_number(number(groups, group + i), QC_SPREAD_SLACK, numbers);
}

/* For each of `count` elements from number `first` on the number of its group. Behind the last
   group they begin again. */
static inline void spread(const qc_groups *groups, size_t first, size_t count, group_number *number,
                          float *numbers)
{
    size_t group = qc_group_of(groups, first), run = qc_run_in(groups, first);
    for (size_t done = 0; done < count; done += run) {
        size_t left = count - done;
        if (groups->inner == 1) {
            run = groups->count - group < left ? groups->count - group : left;
            take_numbers(groups, group, run, number, numbers + done);
            group = 0;
            continue;
        }
        if (done > 0)
            run = groups->inner > 0 ? groups->inner : qc_run_in(groups, first + done);
        if (run == groups->inner && run <= QC_SPREAD_SLACK && run <= left) {
            size_t behind = groups->count - group, some = left / run;
            some = some < behind ? some : behind;
            repeat_numbers(groups, group, some, number, run, numbers + done);
            group = some < behind ? group + some : 0;
            run *= some;
            continue;
        }
        run = run < left ? run : left;
        repeat_number(number(groups, group), run, numbers + done);
        group = group + 1 < groups->count ? group + 1 : 0;
    }
}

static inline float f32_of(const qc_groups *groups, size_t group)
{
    return qc_f32_of_bits(qc_load32(groups->values + group * sizeof(float)));
}

static inline float u16_of(const qc_groups *groups, size_t group)
{
    return (float)qc_load16(groups->values + 2 * group);
}

/* values->scales and values->zeros: those of `count` elements from number `first` on. */
static void spread_parameters(qc_value_decoder *values, size_t first, size_t count)
{
    const qc_frame *frame = values->frame;
    const qc_groups *groups = &frame->scales;
    float *scales = values->scales;
    if (frame->zero_points.groups.count > 0)
        spread(&frame->zero_points.groups, first, count, u16_of, values->zeros);
    if (groups->count == 0)
        repeat_number(1.0f, count, scales);
    else if (groups->dtype == QC_F32)
        spread(groups, first, count, f32_of, scales);
    else
        spread(groups, first, count, qc_group_value, scales);
    if (frame->has_second_scale)
        for (size_t i = 0; i < count; i++)
            scales[i] = frame->second_scale * scales[i];
}

/* The place of element `first` in values->scales and zeros, and how many are there from it on, at
   most `count`. Periods that are not too long are spread once. */
static size_t find_parameters(qc_value_decoder *values, size_t first, size_t *count)
{
    const qc_groups *groups = &values->frame->scales;
    size_t period =
        groups->count < QC_SPREAD && groups->inner < QC_SPREAD ? groups->count * groups->inner : 0;
    if (period == 0 || period > QC_SPREAD) {
        spread_parameters(values, first, *count);
        return 0;
    }
    if (values->spread == 0) {
        values->spread = period < QC_VALUE_BLOCK ? QC_VALUE_BLOCK / period * period : period;
        spread_parameters(values, 0, values->spread);
    }
    size_t place = first % values->spread;
    *count = *count < values->spread - place ? *count : values->spread - place;
    return place;
}

void qc_write_spread(qc_value_decoder *values, size_t count, size_t first, uint8_t *out)
{
    int has_zeros = values->frame->zero_points.groups.count > 0,
        is_f32 = values->out_dtype == QC_F32;
    uint8_t *to = is_f32 ? out : (uint8_t *)values->floats;
    for (size_t done = 0, run; done < count; done += run) {
        run = count - done;
        size_t place = find_parameters(values, first + done, &run);
        qc_affine_each(values->floats + done, has_zeros ? values->zeros + place : NULL,
                       values->scales + place, run, is_f32 ? values->frame->dtype : QC_F32,
                       to + 4 * done, is_f32 && values->past_cache);
    }
    if (!is_f32)
        qc_write_floats(values, count, out);
}

/* Whether values are elements before they are scaled. */
static int are_elements(const qc_value_decoder *values)
{
    return values->out_dtype == QC_F32 && !qc_is_rounded_first(values) &&
           values->frame->scales.count == 0;
}

/* ---- elements ---- */

int qc_is_rounded_first(const qc_value_decoder *values)
{
    qc_dtype dtype = values->frame->dtype;
    return (dtype == QC_F16 || dtype == QC_BF16) && dtype != values->out_dtype;
}

/* Floats, which may change, as elements of the output's type. All values of codes pass here, but
   for affine ones in f32, which qc_affine rounds as it computes them. */
static void write_elements(const qc_value_decoder *values, float *floats, size_t count,
                           uint8_t *out, int past_cache)
{
    int is_rounded = qc_is_rounded_first(values);
    if (is_rounded && values->out_dtype == QC_F32) {
        qc_round(floats, values->frame->dtype, count, out, past_cache);
        return;
    }
    if (is_rounded)
        qc_round(floats, values->frame->dtype, count, (uint8_t *)floats, 0);
    qc_convert(floats, QC_F32, out, values->out_dtype, count);
}

void qc_write_floats(qc_value_decoder *values, size_t count, uint8_t *out)
{
    write_elements(values, values->floats, count, out, values->past_cache);
}

/* ---- tables ---- */

void qc_fill_table(qc_value_decoder *values, float scale)
{
    qc_look_up_table *table = &values->table;
    int scaled = values->frame->scales.count > 0;
    float floats[QC_MAX_ENTRIES];
    for (unsigned code = 0; code < table->entries; code++)
        floats[code] = scaled ? scale * values->entries[code] : values->entries[code];
    table->item_size = values->out_size;
    write_elements(values, floats, table->entries, table->items, 0);
    qc_look_up_prepare(table);
}

/* ---- writing ---- */

float qc_code_value(const qc_frame *frame, unsigned code, size_t element,
                    const qc_code_values *kind)
{
    float value = kind->unscaled(frame, code, element);
    return frame->scales.count > 0 ? qc_scale_of(frame, element) * value : value;
}

static unsigned code_at(const qc_value_decoder *values, size_t index)
{
    uint16_t code;
    if (values->frame->width <= 8)
        return values->blocks[0][index];
    memcpy(&code, values->blocks[0] + 2 * index, 2);
    return code;
}

/* Elements that follow each other, the first of which has the number `first` in the tensor. */
static void write_runs(qc_value_decoder *values, size_t from, size_t count, size_t first,
                       uint8_t *out, const qc_code_values *kind)
{
    for (size_t done = 0; done < count;) {
        size_t run = qc_run_of(values->frame, first + done);
        run = run < count - done ? run : count - done;
        kind->write_run(values, from + done, run, first + done, out);
        done += run;
        out += run * values->out_size;
    }
}

void qc_codes_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                    const uint32_t *positions, uint8_t *out, const qc_code_values *kind)
{
    const qc_frame *frame = values->frame;
    if (values->has_table) {
        qc_look_up(&values->table, values->blocks[0] + from, count, out, values->past_cache);
        return;
    }
    if (positions == NULL && qc_has_short_runs(frame)) {
        if (are_elements(values)) {
            kind->unscaled_block(values, from, count, first, out);
            return;
        }
        kind->unscaled_block(values, from, count, first, (uint8_t *)values->floats);
        qc_write_spread(values, count, first, out);
        return;
    }
    if (positions == NULL || qc_is_uniform(frame)) {
        write_runs(values, from, count, first, out, kind);
        return;
    }
    for (size_t i = 0; i < count; i++)
        values->floats[i] =
            qc_code_value(frame, code_at(values, from + i), first + positions[i], kind);
    qc_write_floats(values, count, out);
}

void qc_codes_copy(const qc_value_decoder *values, size_t from, size_t count, uint8_t *out,
                   int past_cache)
{
    (void)past_cache;
    memcpy(out, values->blocks[0] + from * values->step, count * values->step);
}
