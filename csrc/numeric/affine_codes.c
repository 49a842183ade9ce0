/*
 * Affine codes of values: the nearest multiple of the group's step, plus its zero point.
 *
 * Quotients are doubles and stay in registers. They are clipped before they are rounded, which
 * gives the same integer, because the ends are integers. Kernels multiply floats by the inverse of
 * the step instead, and leave blocks with a quotient close to the middle of two integers to the
 * doubles here, so codes are the same.
 */
#include "kernels/kernels.h"
#include "numeric/multiples.h"

#define BLOCK 64 /* values that are done here where a kernel stops */

/* A double that is below 2^16 and not negative. */
static inline uint16_t code_of(const qc_affine_step *step, float value)
{
    double quotient = qc_as_double((double)value / step->step);
    double level = qc_to_integer(qc_clipped(quotient, step->low, step->high));
    return (uint16_t)(int32_t)(level + step->zero);
}

static void put_block_8(const float *values, size_t count, const qc_affine_step *given,
                        uint8_t *codes)
{
    const qc_affine_step step = *given;
    for (size_t i = 0; i < count; i++)
        codes[i] = (uint8_t)code_of(&step, values[i]);
}

static void put_run_8(const float *values, size_t count, const qc_affine_step *step, uint8_t *codes)
{
    qc_byte_codes_kernel *kernel = qc_kernels_selected()->byte_codes;
    double inverse = 1 / step->step;
    if (kernel == NULL || inverse < QC_MIN_INVERSE || inverse > QC_MAX_INVERSE) {
        put_block_8(values, count, step, codes);
        return;
    }
    const qc_byte_step byte_step = {(float)inverse, (float)step->low, (float)step->high,
                                    (float)step->zero};
    for (size_t i = 0, block; i < count; i += block) {
        i += kernel(values + i, count - i, &byte_step, codes + i);
        block = count - i < BLOCK ? count - i : BLOCK;
        put_block_8(values + i, block, step, codes + i);
    }
}

static void put_run_16(const float *values, size_t count, const qc_affine_step *given,
                       uint16_t *codes)
{
    const qc_affine_step step = *given;
    for (size_t i = 0; i < count; i++)
        codes[i] = code_of(&step, values[i]);
}

static void put_row_8(const float *values, size_t count, const qc_affine_step *steps,
                      uint8_t *codes)
{
    for (size_t i = 0; i < count; i++)
        codes[i] = (uint8_t)code_of(&steps[i], values[i]);
}

static void put_row_16(const float *values, size_t count, const qc_affine_step *steps,
                       uint16_t *codes)
{
    for (size_t i = 0; i < count; i++)
        codes[i] = code_of(&steps[i], values[i]);
}

static qc_status put_rows(const float *values, size_t count, const qc_grouping *grouping,
                          const qc_affine_step *steps, size_t code_size, void *codes,
                          qc_ticker *ticker, qc_error *error)
{
    for (size_t start = 0, row; start < count; start += row) {
        row = qc_next_row(start, grouping, count);
        QC_TICK(ticker, 1 + row / QC_RUN_PER_STEP);
        if (code_size == 1)
            put_row_8(values + start, row, steps, (uint8_t *)codes + start);
        else
            put_row_16(values + start, row, steps, (uint16_t *)codes + start);
    }
    return QC_OK;
}

static qc_status put_runs(const float *values, size_t count, const qc_grouping *grouping,
                          const qc_affine_step *steps, size_t code_size, void *codes,
                          qc_ticker *ticker, qc_error *error)
{
    for (qc_run run = qc_before_runs(grouping); qc_next_run(&run, grouping, count);) {
        const qc_affine_step *step = &steps[run.group];
        QC_TICK(ticker, 1 + run.size / QC_RUN_PER_STEP);
        if (code_size == 1)
            put_run_8(values + run.start, run.size, step, (uint8_t *)codes + run.start);
        else
            put_run_16(values + run.start, run.size, step, (uint16_t *)codes + run.start);
    }
    return QC_OK;
}

/* So that no code is outside its type: low + zero is not negative, high + zero below `limit`. */
static int has_codes(const qc_affine_step *step, double limit)
{
    return step->step > 0 && step->low <= step->high && step->zero >= 0 && step->zero < limit &&
           step->low + step->zero >= 0 && step->high + step->zero < limit;
}

qc_status qc_affine_codes(const float *values, size_t count, const qc_grouping *grouping,
                          const qc_affine_step *steps, size_t code_size, void *codes,
                          const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_TRY(qc_grouping_check(grouping, error));
    QC_CHECK(code_size == 1 || code_size == 2, QC_INVALID, "affine codes: bytes of a code", 0,
             code_size, 2);
    for (size_t group = 0; group < grouping->count; group++)
        QC_CHECK(has_codes(&steps[group], code_size == 1 ? 256 : 65536), QC_INVALID,
                 "affine codes: step or ends of a group", group, group, 0);
    return (qc_is_by_row(grouping) ? put_rows : put_runs)(values, count, grouping, steps, code_size,
                                                          codes, &ticker, error);
}
