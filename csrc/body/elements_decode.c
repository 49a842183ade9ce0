/*
 * Kinds that store elements: blocks of them as output, as they are or scaled; and kind bytes, which
 * is one stream of the elements' bytes, in order.
 */
#include "body/kinds_decode.h"
#include "head/layout.h"
#include "kernels/planes.h"
#include "kernels/scale.h"

/* Elements of one byte, by a table of what each byte is in the output's type. */
static void look_up_elements(qc_value_decoder *values, size_t count, uint8_t *out)
{
    qc_look_up_table *table = &values->table;
    if (table->entries == 0) {
        uint8_t all[QC_MAX_ENTRIES];
        for (unsigned byte = 0; byte < QC_MAX_ENTRIES; byte++)
            all[byte] = (uint8_t)byte;
        table->entries = QC_MAX_ENTRIES;
        table->item_size = values->out_size;
        qc_convert(all, values->frame->dtype, table->items, values->out_dtype, QC_MAX_ENTRIES);
        qc_look_up_prepare(table);
    }
    qc_look_up(table, values->native, count, out, values->past_cache);
}

void qc_elements_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                       const uint32_t *positions, uint8_t *out)
{
    const qc_frame *frame = values->frame;
    (void)first;
    (void)positions;
    if (values->out_dtype == frame->dtype) {
        values->kind->write_stored(values, from, count, out, values->past_cache);
        return;
    }
    values->kind->write_stored(values, from, count, values->native, 0);
    if (frame->item_size == 1 && (values->table.entries > 0 || count >= QC_MAX_ENTRIES))
        look_up_elements(values, count, out);
    else
        qc_convert(values->native, frame->dtype, out, values->out_dtype, count);
}

void qc_elements_copy(const qc_value_decoder *values, size_t from, size_t count, uint8_t *out,
                      int past_cache)
{
    size_t size = values->frame->item_size;
    (void)past_cache; /* one copy is as fast */
    memcpy(out, values->blocks[0] + from * size, count * size);
    qc_swap_elements_if_big_endian(out, values->frame->dtype, count);
}

void qc_elements_merge(const qc_value_decoder *values, size_t from, size_t count, uint8_t *out,
                       int past_cache)
{
    const qc_frame *frame = values->frame;
    const uint8_t *planes[QC_MAX_ITEM_BYTES];
    for (unsigned i = 0; i < frame->value_streams; i++)
        planes[i] = values->blocks[i] + from;
    qc_merge_planes(planes, count, frame->stored_dtype, out, past_cache);
    qc_swap_elements_if_big_endian(out, frame->stored_dtype, count);
}

/* ---- scaled ---- */

/* Elements of 16 bits, each times its scale, are written in runs that share a scale if they follow
   each other. Others, where few are stored, are converted together and scaled one by one. */

/* Elements that follow each other, the first of which has the number `first` in the tensor. */
static void write_runs(qc_value_decoder *values, size_t count, size_t first, uint8_t *out)
{
    const qc_frame *frame = values->frame;
    int is_product = values->out_dtype == QC_F32 && !qc_is_rounded_first(values);
    uint8_t *products = is_product ? out : (uint8_t *)values->floats;
    for (size_t done = 0, run; done < count; done += run) {
        run = qc_run_of(frame, first + done);
        run = run < count - done ? run : count - done;
        qc_scale(values->native + 2 * done, frame->stored_dtype, run,
                 qc_scale_of(frame, first + done), products + 4 * done,
                 is_product && values->past_cache);
    }
    if (!is_product)
        qc_write_floats(values, count, out);
}

void qc_scaled_elements_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                              const uint32_t *positions, uint8_t *out)
{
    const qc_frame *frame = values->frame;
    values->kind->write_stored(values, from, count, values->native, 0);
    int is_spread = positions == NULL && qc_has_short_runs(frame);
    if (!is_spread && (positions == NULL || qc_is_uniform(frame))) {
        write_runs(values, count, first, out);
        return;
    }
    qc_convert(values->native, frame->stored_dtype, values->floats, QC_F32, count);
    if (is_spread) {
        qc_write_spread(values, count, first, out);
        return;
    }
    for (size_t i = 0; i < count; i++)
        values->floats[i] = qc_scale_of(frame, first + positions[i]) * values->floats[i];
    qc_write_floats(values, count, out);
}

/* ---- kind bytes ---- */

static qc_status open_bytes(qc_value_decoder *values, size_t first, size_t count,
                            qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    (void)first;
    return qc_value_streams_open(values, values->frame->item_size, count, shared, reader, error);
}

const qc_kind_decoder qc_bytes_kind_decoder = {
    open_bytes,        qc_value_streams_skip, qc_value_streams_pull,
    qc_elements_write, qc_elements_copy,      qc_value_streams_finish,
};
