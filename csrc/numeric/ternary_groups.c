/*
 * Ternary weights by groups: the best thresholds, the sums beyond thresholds, and the codes.
 *
 * If the m largest magnitudes are stored as their mean and all others as 0, the squared error falls
 * by (sum of these magnitudes)^2 / m. So the magnitudes of a group are sorted and added up from the
 * largest one, and the m of the greatest gain is the best (ternary.c does without sorting, which is
 * faster for many members).
 */
#include "base/float_bits.h"
#include "base/tasks.h"
#include "numeric/group_members.h"
#include "numeric/multiples.h"

/* ---- the best thresholds ---- */

size_t qc_ternary_thresholds_workspace(size_t count, const qc_grouping *grouping)
{
    const qc_group_layout layout = qc_group_layout_of(count, grouping);
    size_t members = qc_max_members(&layout);
    return 2 * qc_room_of_floats(members) + qc_sort_workspace(members);
}

/* The magnitudes of a group that are not 0, by side. */
typedef struct sides {
    float *magnitudes[2];
    size_t counts[2];
} sides;

/* Gather the magnitudes of the group whose first element is number `first`; with one side all on
   the first. Returns the bits of the largest magnitude. */
static uint32_t gather(const float *values, const qc_group_layout *in, size_t first,
                       size_t sides_of, sides *to)
{
    uint32_t largest = 0;
    to->counts[0] = to->counts[1] = 0;
    for (size_t at = first, run; at < in->count; at += qc_smaller(in->period, in->count - at)) {
        run = qc_smaller(in->inner, in->count - at);
        for (size_t i = at; i < at + run; i++) {
            uint32_t bits = qc_bits_of_f32(values[i]), magnitude = bits & ~QC_F32_SIGN;
            size_t side = sides_of == 2 ? bits >> 31 : 0;
            largest = magnitude > largest ? magnitude : largest;
            to->magnitudes[side][to->counts[side]] = qc_f32_of_bits(magnitude);
            to->counts[side] += magnitude != 0;
        }
    }
    return largest;
}

/* The largest float below the smallest magnitude that is to be stored. */
static float threshold_of(const float *sorted, size_t count)
{
    double sum = 0, best = 0;
    float min = 0;
    for (size_t m = 1; m <= count; m++) {
        float magnitude = sorted[count - m];
        sum = qc_as_double(sum + (double)magnitude);
        double gain = qc_as_double(qc_as_double(sum * sum) / (double)m);
        if (gain > best) {
            best = gain;
            min = magnitude;
        }
    }
    return min > 0 ? qc_next_below(min) : 0;
}

qc_status qc_ternary_thresholds(const float *values, size_t count, const qc_grouping *grouping,
                                size_t sides_of, float *thresholds, void *workspace,
                                const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_TRY(qc_grouping_check(grouping, error));
    QC_CHECK(sides_of == 1 || sides_of == 2, QC_INVALID, "ternary: number of scales", 0, sides_of,
             2);
    const qc_group_layout layout = qc_group_layout_of(count, grouping);
    size_t members = qc_max_members(&layout);
    sides by = {.magnitudes = {(float *)workspace}};
    by.magnitudes[1] = (float *)((uint8_t *)workspace + qc_room_of_floats(members));
    void *scratch = (uint8_t *)by.magnitudes[1] + qc_room_of_floats(members);
    for (size_t group = 0; group < grouping->count; group++) {
        QC_TICK(&ticker, 1 + members / 4);
        uint32_t largest = gather(values, &layout, qc_first_member(&layout, group), sides_of, &by);
        QC_CHECK(largest < QC_F32_INFINITY, QC_INVALID, "ternary: values are not finite", group, 0,
                 0);
        for (size_t side = 0; side < sides_of; side++) {
            size_t found = by.counts[side];
            QC_TRY(qc_sort_members(by.magnitudes[side], found, scratch, poll, error));
            thresholds[group * sides_of + side] = threshold_of(by.magnitudes[side], found);
        }
    }
    return QC_OK;
}

/* ---- sums and codes ---- */

/* Sums are those of LANES sums, so that the loop becomes vector code. */
#define LANES 8

/* The value, or 0: without a branch, which could not be predicted. */
static inline double value_if(int condition, float value)
{
    return (double)qc_f32_of_bits(qc_bits_of_f32(value) & (0 - (uint32_t)condition));
}

/* Of at most QC_RUN_VALUES values. */
static void add_beyond(const float *values, size_t count, const float thresholds[2], double sums[2],
                       uint64_t counts[2])
{
    const float above = thresholds[0], below = -thresholds[1];
    double positive[LANES] = {0}, negative[LANES] = {0};
    uint32_t positives = 0, negatives = 0;
    size_t i = 0;
    for (; count - i >= LANES; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++)
            positive[lane] += value_if(values[i + lane] > above, values[i + lane]);
        for (size_t lane = 0; lane < LANES; lane++)
            negative[lane] -= value_if(values[i + lane] < below, values[i + lane]);
    }
    for (size_t lane = 0; i < count; i++, lane++) {
        positive[lane] += value_if(values[i] > above, values[i]);
        negative[lane] -= value_if(values[i] < below, values[i]);
    }
    for (i = 0; i < count; i++)
        positives += values[i] > above;
    for (i = 0; i < count; i++)
        negatives += values[i] < below;
    for (size_t lane = 0; lane < LANES; lane++) {
        sums[0] += positive[lane];
        sums[1] += negative[lane];
    }
    counts[0] += positives;
    counts[1] += negatives;
}

/* The same for values that each have thresholds, such as those of one row after the other. */
static void add_each(const float *values, size_t count, const float *thresholds, double *sums,
                     uint64_t *counts)
{
    for (size_t i = 0; i < count; i++) {
        float value = values[i];
        sums[2 * i] += value_if(value > thresholds[2 * i], value);
        sums[2 * i + 1] -= value_if(value < -thresholds[2 * i + 1], value);
        counts[2 * i] += value > thresholds[2 * i];
        counts[2 * i + 1] += value < -thresholds[2 * i + 1];
    }
}

qc_status qc_sums_beyond(const float *values, size_t count, const qc_grouping *grouping,
                         const float *thresholds, double *sums, uint64_t *counts,
                         const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_TRY(qc_grouping_check(grouping, error));
    for (size_t i = 0; i < 2 * grouping->count; i++) {
        sums[i] = 0;
        counts[i] = 0;
    }
    if (qc_is_by_row(grouping)) {
        for (size_t start = 0, row; start < count; start += row) {
            row = qc_next_row(start, grouping, count);
            QC_TICK(&ticker, 1 + row / QC_RUN_PER_STEP);
            add_each(values + start, row, thresholds, sums, counts);
        }
        return QC_OK;
    }
    for (qc_run run = qc_before_runs(grouping); qc_next_run(&run, grouping, count);) {
        size_t at = 2 * run.group;
        QC_TICK(&ticker, 1 + run.size / QC_RUN_PER_STEP);
        add_beyond(values + run.start, run.size, thresholds + at, sums + at, counts + at);
    }
    return QC_OK;
}

static void put_codes(const float *values, size_t count, const float thresholds[2], uint8_t *codes)
{
    const float above = thresholds[0], below = -thresholds[1];
    for (size_t i = 0; i < count; i++)
        codes[i] = (uint8_t)(1 + (values[i] > above) - (values[i] < below));
}

/* What tasks share. */
typedef struct coding {
    const float *values;
    size_t count, tasks;
    const qc_grouping *grouping;
    const float *thresholds;
    uint8_t *codes;
} coding;

static int code_task(void *argument, size_t task, void *scratch, const qc_poll *poll)
{
    const coding *all = argument;
    qc_ticker ticker = qc_ticker_of(poll);
    qc_run run = qc_before_runs_from(all->grouping, qc_task_start(task, all->tasks, all->count));
    size_t end = qc_task_start(task + 1, all->tasks, all->count);
    (void)scratch;
    while (qc_next_run(&run, all->grouping, end)) {
        if (qc_tick(&ticker, 1 + run.size / QC_RUN_PER_STEP))
            return 1;
        put_codes(all->values + run.start, run.size, all->thresholds + 2 * run.group,
                  all->codes + run.start);
    }
    return 0;
}

qc_status qc_ternary_codes(const float *values, size_t count, const qc_grouping *grouping,
                           const float *thresholds, uint8_t *codes, const qc_poll *poll,
                           qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    coding all = {values, count, qc_task_count(poll, count), grouping, thresholds, codes};
    qc_tasks tasks = {all.tasks, 0, &all, code_task, NULL};
    QC_TRY(qc_grouping_check(grouping, error));
    QC_GO_ON_IF(!qc_run_tasks(&ticker, &tasks, NULL));
    return QC_OK;
}
