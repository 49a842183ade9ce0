/*
 * Kind planes with scales, decoded: scale * element, where an element is an f16 or a bf16.
 *
 * Elements that follow each other are written in runs that share a scale. Others, where few are
 * stored, are converted together and scaled one by one.
 */
#include "body/kinds_decode.h"
#include "head/layout.h"
#include "kernels/scale.h"

/* Elements that follow each other, the first of which has the number `first` in the tensor. */
static void write_runs(qc_value_decoder *values, size_t count, size_t first, uint8_t *out)
{
    const qc_frame *frame = values->frame;
    int is_product = values->out_dtype == QC_F32;
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
    if (positions == NULL || qc_is_uniform(frame)) {
        write_runs(values, count, first, out);
        return;
    }
    qc_convert(values->native, frame->stored_dtype, values->floats, QC_F32, count);
    for (size_t i = 0; i < count; i++)
        values->floats[i] = qc_scale_of(frame, first + positions[i]) * values->floats[i];
    qc_write_floats(values, count, out);
}
