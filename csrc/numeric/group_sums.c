/*
 * Ranges, squares and errors of groups of values: what the choice of equal steps depends on.
 *
 * Each sum is that of LANES sums, so that loops become vector code, and the same on every machine.
 */
#include "numeric/multiples.h"

#define LANES 8

/* ---- ranges ---- */

typedef struct range {
    float low, high;
} range;

static inline range with_value(range found, float value)
{
    return (range){value < found.low ? value : found.low, value > found.high ? value : found.high};
}

static range range_of(const float *values, size_t count, range found)
{
    float low[LANES] = {0}, high[LANES] = {0};
    size_t i = 0;
    for (; count - i >= LANES; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            float value = values[i + lane];
            low[lane] = value < low[lane] ? value : low[lane];
            high[lane] = value > high[lane] ? value : high[lane];
        }
    for (size_t lane = 0; lane < LANES; lane++)
        found = with_value(with_value(found, low[lane]), high[lane]);
    for (; i < count; i++)
        found = with_value(found, values[i]);
    return found;
}

static void widen(const float *values, size_t count, float *low, float *high)
{
    for (size_t i = 0; i < count; i++) {
        low[i] = values[i] < low[i] ? values[i] : low[i];
        high[i] = values[i] > high[i] ? values[i] : high[i];
    }
}

qc_status qc_group_ranges(const float *values, size_t count, const qc_grouping *grouping,
                          float *low, float *high, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_TRY(qc_grouping_check(grouping, error));
    for (size_t group = 0; group < grouping->count; group++)
        low[group] = high[group] = 0;
    if (qc_is_by_row(grouping)) {
        for (size_t start = 0, row; start < count; start += row) {
            row = qc_next_row(start, grouping, count);
            QC_TICK(&ticker, 1 + row / QC_RUN_PER_STEP);
            widen(values + start, row, low, high);
        }
        return QC_OK;
    }
    for (qc_run run = qc_before_runs(grouping); qc_next_run(&run, grouping, count);) {
        QC_TICK(&ticker, 1 + run.size / QC_RUN_PER_STEP);
        range found = range_of(values + run.start, run.size, (range){low[run.group], high[run.group]});
        low[run.group] = found.low;
        high[run.group] = found.high;
    }
    return QC_OK;
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

static inline errors errors_of_value(const qc_affine_step *step, double inverse, double value)
{
    double reachable = qc_clipped(value, step->low, step->high);
    double beyond = value - reachable;
    double off = value - qc_to_integer(reachable * inverse) * step->step;
    return (errors){beyond * beyond, off * off};
}

static errors errors_of(const float *values, size_t count, const qc_affine_step *given)
{
    const qc_affine_step step = *given;
    const double inverse = 1 / step.step;
    double clipped[LANES] = {0}, all[LANES] = {0};
    size_t i = 0;
    for (; count - i >= LANES; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            errors found = errors_of_value(&step, inverse, (double)values[i + lane]);
            clipped[lane] += found.clipped;
            all[lane] += found.all;
        }
    for (size_t lane = 0; i < count; i++, lane++) {
        errors found = errors_of_value(&step, inverse, (double)values[i]);
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
