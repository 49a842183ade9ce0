/*
 * Affine codes of values: the nearest multiple of the group's step, plus its zero point.
 *
 * Quotients are doubles and stay in registers. They are clipped before they are rounded, which
 * gives the same integer, because the ends are integers. Kernels multiply floats by the inverse of
 * the step instead, and leave blocks with a quotient close to the middle of two integers to the
 * doubles here, so codes are the same.
 */
#include "base/tasks.h"
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

/* What tasks share. */
typedef struct coding {
    const float *values;
    size_t count, tasks;
    const qc_grouping *grouping;
    const qc_affine_step *steps;
    size_t code_size;
    void *codes;
} coding;

static void put_row(const coding *all, size_t start, size_t row)
{
    const float *values = all->values + start;
    if (all->code_size == 1)
        put_row_8(values, row, all->steps, (uint8_t *)all->codes + start);
    else
        put_row_16(values, row, all->steps, (uint16_t *)all->codes + start);
}

static int put_rows(void *argument, size_t task, void *scratch, const qc_poll *poll)
{
    const coding *all = argument;
    qc_ticker ticker = qc_ticker_of(poll);
    (void)task, (void)scratch;
    for (size_t start = 0, row; start < all->count; start += row) {
        row = qc_next_row(start, all->grouping, all->count);
        if (qc_tick(&ticker, 1 + row / QC_RUN_PER_STEP))
            return 1;
        put_row(all, start, row);
    }
    return 0;
}

static int put_runs(void *argument, size_t task, void *scratch, const qc_poll *poll)
{
    const coding *all = argument;
    qc_ticker ticker = qc_ticker_of(poll);
    qc_run run = qc_before_runs_from(all->grouping, qc_task_start(task, all->tasks, all->count));
    size_t end = qc_task_start(task + 1, all->tasks, all->count);
    (void)scratch;
    while (qc_next_run(&run, all->grouping, end)) {
        const qc_affine_step *step = &all->steps[run.group];
        const float *values = all->values + run.start;
        if (qc_tick(&ticker, 1 + run.size / QC_RUN_PER_STEP))
            return 1;
        if (all->code_size == 1)
            put_run_8(values, run.size, step, (uint8_t *)all->codes + run.start);
        else
            put_run_16(values, run.size, step, (uint16_t *)all->codes + run.start);
    }
    return 0;
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
    int by_row = qc_is_by_row(grouping);
    coding all = {values,    count, by_row ? 1 : qc_task_count(poll, count), grouping, steps,
                  code_size, codes};
    qc_tasks tasks = {all.tasks, 0, &all, by_row ? put_rows : put_runs, NULL};
    QC_GO_ON_IF(!qc_run_tasks(&ticker, &tasks, NULL));
    return QC_OK;
}
