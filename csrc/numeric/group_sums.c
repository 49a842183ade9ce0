/*
 * Ranges, squares and errors of groups of values: what the choice of equal steps depends on.
 *
 * Each sum is that of LANES sums, so that loops become vector code, and the same on every machine.
 */
#include "base/float_bits.h"
#include "base/tasks.h"
#include "kernels/kernels.h"
#include "numeric/multiples.h"

#define LANES      QC_ERROR_LANES
#define NOT_FINITE "ranges: values are not finite"

/* ---- ranges ---- */

/* Floats are compared as the integers that their bits are: as signed ones, the largest is the
   largest value, unless all are negative; as unsigned ones, it is the smallest value, unless none
   is negative. So infinities and NaN are found as well. */
static const qc_max_bits NO_VALUES = {0, QC_F32_SIGN};

static inline void add_bits(qc_max_bits *max, uint32_t bits)
{
    /* The conversion is that of two's complement. */
    max->as_signed = (int32_t)bits > max->as_signed ? (int32_t)bits : max->as_signed;
    max->as_unsigned = bits > max->as_unsigned ? bits : max->as_unsigned;
}

static inline uint32_t bits_at(const float *values, size_t i)
{
    uint32_t bits; /* never as a float: an x87 makes signalling NaNs quiet */
    memcpy(&bits, values + i, sizeof bits);
    return bits;
}

static qc_max_bits max_bits_of(const float *values, size_t count)
{
    qc_max_bits_kernel *kernel = qc_kernels_selected()->max_bits;
    qc_max_bits max = NO_VALUES;
    size_t i = kernel == NULL ? 0 : kernel(values, count, &max);
    for (; i < count; i++)
        add_bits(&max, bits_at(values, i));
    return max;
}

static inline int is_finite(const qc_max_bits *max)
{
    return (uint32_t)max->as_signed < QC_F32_INFINITY &&
           max->as_unsigned < (QC_F32_SIGN | QC_F32_INFINITY);
}

/* Widen a range by that of values; returns whether they are finite. */
static int widen_by_all(const float *values, size_t count, float *low, float *high)
{
    qc_max_bits max = max_bits_of(values, count);
    float lowest = qc_f32_of_bits(max.as_unsigned);
    float highest = qc_f32_of_bits((uint32_t)max.as_signed);
    if (!is_finite(&max))
        return 0;
    *low = lowest < *low ? lowest : *low;
    *high = highest > *high ? highest : *high;
    return 1;
}

/* The same, for values that each have a range. */
static int widen_by_each(const float *values, size_t count, float *low, float *high)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        float value = values[i];
        uint32_t magnitude = qc_magnitude_of_f32(value);
        largest = magnitude > largest ? magnitude : largest;
        low[i] = value < low[i] ? value : low[i];
        high[i] = value > high[i] ? value : high[i];
    }
    return largest < QC_F32_INFINITY;
}

static qc_status ranges_by_row(const float *values, size_t count, const qc_grouping *grouping,
                               float *low, float *high, qc_ticker *ticker, qc_error *error)
{
    for (size_t start = 0, row; start < count; start += row) {
        row = qc_next_row(start, grouping, count);
        QC_TICK(ticker, 1 + row / QC_RUN_PER_STEP);
        QC_CHECK(widen_by_each(values + start, row, low, high), QC_INVALID, NOT_FINITE, start, 0,
                 0);
    }
    return QC_OK;
}

static qc_status ranges_by_run(const float *values, size_t count, const qc_grouping *grouping,
                               float *low, float *high, qc_ticker *ticker, qc_error *error)
{
    for (qc_run run = qc_before_runs(grouping); qc_next_run(&run, grouping, count);) {
        float *lowest = low + run.group, *highest = high + run.group;
        QC_TICK(ticker, 1 + run.size / QC_RUN_PER_STEP);
        QC_CHECK(widen_by_all(values + run.start, run.size, lowest, highest), QC_INVALID,
                 NOT_FINITE, run.start, 0, 0);
    }
    return QC_OK;
}

/* What the tasks of a single group share. */
typedef struct ranging {
    const float *values;
    size_t count, tasks;
    float low, high;
    int finite;
} ranging;

typedef struct range {
    float low, high;
    int finite;
} range;

static int range_task(void *argument, size_t task, void *scratch, const qc_poll *poll)
{
    const ranging *all = argument;
    range *found = scratch;
    size_t start = qc_task_start(task, all->tasks, all->count);
    size_t end = qc_task_start(task + 1, all->tasks, all->count);
    (void)poll; /* short: at the speed of memory */
    found->low = found->high = 0;
    found->finite = widen_by_all(all->values + start, end - start, &found->low, &found->high);
    return 0;
}

static void add_range(void *argument, size_t task, void *scratch)
{
    ranging *all = argument;
    const range *found = scratch;
    (void)task;
    all->finite &= found->finite;
    all->low = found->low < all->low ? found->low : all->low;
    all->high = found->high > all->high ? found->high : all->high;
}

/* The range of a single group, on several threads. */
static qc_status range_of_all(const float *values, size_t count, size_t parts, float *low,
                              float *high, qc_ticker *ticker, qc_error *error)
{
    ranging all = {values, count, parts, 0, 0, 1};
    qc_tasks tasks = {parts, sizeof(range), &all, range_task, add_range};
    QC_GO_ON_IF(!qc_run_tasks(ticker, &tasks, NULL));
    QC_CHECK(all.finite, QC_INVALID, NOT_FINITE, 0, 0, 0);
    *low = all.low;
    *high = all.high;
    return QC_OK;
}

qc_status qc_group_ranges(const float *values, size_t count, const qc_grouping *grouping,
                          float *low, float *high, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_TRY(qc_grouping_check(grouping, error));
    for (size_t group = 0; group < grouping->count; group++)
        low[group] = high[group] = 0;
    size_t parts = grouping->count == 1 ? qc_task_count(poll, count) : 1;
    if (parts > 1)
        return range_of_all(values, count, parts, low, high, &ticker, error);
    return (qc_is_by_row(grouping) ? ranges_by_row : ranges_by_run)(values, count, grouping, low,
                                                                    high, &ticker, error);
}

/* ---- squares ---- */

static double total(const double *lanes)
{
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

static double squares_of(const float *values, size_t count)
{
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; count - i >= LANES; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += (double)values[i + lane] * (double)values[i + lane];
    for (size_t lane = 0; i < count; i++, lane++)
        lanes[lane] += (double)values[i] * (double)values[i];
    return total(lanes);
}

qc_status qc_group_squares(const float *values, size_t count, const qc_grouping *grouping,
                           double *sums, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_TRY(qc_grouping_check(grouping, error));
    for (size_t group = 0; group < grouping->count; group++)
        sums[group] = 0;
    for (qc_run run = qc_before_runs(grouping); qc_next_run(&run, grouping, count);) {
        QC_TICK(&ticker, 1 + run.size / QC_RUN_PER_STEP);
        sums[run.group] += squares_of(values + run.start, run.size);
    }
    return QC_OK;
}

/* ---- errors ---- */

typedef struct errors {
    double clipped, all;
} errors;

static inline errors errors_of_value(const qc_clipping_step *step, double value)
{
    double reachable = qc_clipped(value, step->low, step->high);
    double beyond = value - reachable;
    double off = value - qc_to_integer(reachable * step->inverse) * step->step;
    return (errors){beyond * beyond, off * off};
}

static errors errors_of(const float *values, size_t count, const qc_affine_step *given)
{
    qc_step_errors_kernel *kernel = qc_kernels_selected()->step_errors;
    const qc_clipping_step step = {given->step, 1 / given->step, given->low, given->high};
    double clipped[LANES] = {0}, all[LANES] = {0};
    size_t i = kernel == NULL ? 0 : kernel(values, count, &step, clipped, all);
    for (; count - i >= LANES; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            errors found = errors_of_value(&step, (double)values[i + lane]);
            clipped[lane] += found.clipped;
            all[lane] += found.all;
        }
    for (size_t lane = 0; i < count; i++, lane++) {
        errors found = errors_of_value(&step, (double)values[i]);
        clipped[lane] += found.clipped;
        all[lane] += found.all;
    }
    return (errors){total(clipped), total(all)};
}

qc_status qc_fixed_point_errors(const float *values, size_t count, const qc_grouping *grouping,
                                const qc_affine_step *steps, const double *limits, double *clipped,
                                double *all, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_TRY(qc_grouping_check(grouping, error));
    for (size_t group = 0; group < grouping->count; group++)
        clipped[group] = all[group] = 0;
    for (qc_run run = qc_before_runs(grouping); qc_next_run(&run, grouping, count);) {
        size_t group = run.group;
        QC_TICK(&ticker, 1 + run.size / QC_RUN_PER_STEP);
        if (clipped[group] > limits[group])
            continue;
        errors found = errors_of(values + run.start, run.size, &steps[group]);
        clipped[group] += found.clipped;
        all[group] += found.all;
    }
    return QC_OK;
}
