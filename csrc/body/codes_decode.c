/*
 * Kinds that store codes: blocks of them as output.
 *
 * There are three ways, from the fastest to the slowest. If all elements share their groups and
 * there are few codes, one table has the element of every code. If the elements follow each other,
 * they are written in runs that share their groups. Otherwise each one is computed by itself.
 */
#include "body/kinds_decode.h"
#include "kernels/round.h"

/* ---- groups ---- */

/* Elements that follow `element` in these groups, itself included. */
static size_t run_in(const qc_groups *groups, size_t element)
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
    size_t scaled = run_in(&frame->scales, element);
    size_t in_book = run_in(&frame->codebook.books, element);
    return scaled < in_book ? scaled : in_book;
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
