/*
 * A look at some elements, which refuses most tensors that were never quantized. Every search for
 * an exact form begins at the first group of its elements, and ends there unless that group fits.
 * So a few samples decide whether any search is worth its beginning: those of the shortest groups,
 * which are part of the longer ones.
 */
#include "base/check.h"
#include "base/float_bits.h"
#include "qcodec_numeric.h"

/* Enough to show more than QC_MAX_VALUES patterns, unless many are equal. */
#define COUNTED (2 * QC_MAX_VALUES)

/* Whether the first elements have at most `limit` patterns. */
static int may_have_few_values(const qc_exact_probe *probe, const uint8_t *items, size_t count,
                               unsigned limit)
{
    uint64_t patterns[QC_MAX_VALUES];
    uint8_t codes[COUNTED];
    uint16_t found;
    size_t end = count < COUNTED ? count : COUNTED, done = 0;
    if (limit == 0)
        return 0;
    (void)qc_distinct(items, qc_dtype_size(probe->dtype), &end, 1, limit, patterns, &found, codes,
                      &done, NULL, NULL);
    return done == 1;
}

/* Elements as float32; 0 if it does not hold all of them. */
static int to_floats(qc_dtype dtype, const uint8_t *items, size_t count, float *floats)
{
    double back[QC_PROBED_ITEMS];
    (void)qc_convert(items, dtype, floats, QC_F32, count);
    if (dtype != QC_F64)
        return 1;
    (void)qc_convert(floats, QC_F32, back, QC_F64, count);
    return memcmp(back, items, count * sizeof *back) == 0;
}

static int may_have_steps(const qc_exact_probe *probe, const float *values, size_t count)
{
    qc_dtype rounded = qc_dtype_size(probe->dtype) == 2 ? probe->dtype : QC_F32;
    size_t done = 0;
    float scale;
    qc_levels levels;
    (void)qc_equal_steps(values, &count, 1, rounded, probe->max_level, &scale, &levels, &done, NULL,
                         NULL);
    return done == 1;
}

/* float16 has all bits of bfloat16. */
static int may_be_halves(const qc_exact_probe *probe, const float *values, size_t count)
{
    size_t done = 0;
    float scale;
    if (!probe->halves)
        return 0;
    (void)qc_scaled_halves(values, &count, 1, QC_F16, &scale, &done, NULL, NULL);
    return done == 1;
}

/* Whether the first elements are those of a run that may have a form. */
static int may_be_run(const qc_exact_probe *probe, const uint8_t *items)
{
    float values[QC_PROBED_ITEMS];
    if (!to_floats(probe->dtype, items, probe->row_sample, values))
        return 0;
    return may_have_steps(probe, values, probe->run_sample) ||
           may_be_halves(probe, values, probe->row_sample);
}

/* The same for the elements of the first index of an axis. */
static int may_be_axis(const qc_exact_probe *probe, const uint8_t *items, const qc_probe_axis *axis)
{
    uint8_t found[QC_PROBED_ITEMS * sizeof(double)];
    float values[QC_PROBED_ITEMS];
    size_t size = qc_dtype_size(probe->dtype), count = 0;
    for (size_t i = 0; i < axis->outer && count < QC_PROBED_ITEMS; i++) {
        size_t room = QC_PROBED_ITEMS - count, inner = axis->inner < room ? axis->inner : room;
        memcpy(found + count * size, items + i * axis->stride * size, inner * size);
        count += inner;
    }
    return to_floats(probe->dtype, found, count, values) &&
           (may_have_steps(probe, values, count) || may_be_halves(probe, values, count));
}

qc_status qc_may_have_exact_form(const qc_exact_probe *probe, const void *items, int *found,
                                 qc_error *error)
{
    *found = 1;
    QC_CHECK(probe->dtype <= QC_F64, QC_INVALID, "type of probed elements", 0, probe->dtype,
             QC_F64);
    QC_CHECK(probe->row_sample <= QC_PROBED_ITEMS && probe->run_sample <= probe->row_sample &&
                 probe->axes <= QC_PROBE_AXES,
             QC_INVALID, "sample", 0, probe->row_sample, QC_PROBED_ITEMS);
    if (may_have_few_values(probe, items, probe->count, probe->limit) ||
        may_have_few_values(probe, items, probe->row, probe->row_limit) || may_be_run(probe, items))
        return QC_OK;
    for (unsigned i = 0; i < probe->axes; i++)
        if (may_be_axis(probe, items, &probe->axis[i]))
            return QC_OK;
    *found = 0;
    return QC_OK;
}
