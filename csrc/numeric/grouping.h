/*
 * Runs of a tensor's elements that are of the same group.
 */
#ifndef QC_GROUPING_H
#define QC_GROUPING_H

#include "base/check.h"
#include "base/ticker.h"
#include "qcodec_numeric.h"

/* Values of a run at most, and values that are one of a ticker's steps. */
#define QC_RUN_VALUES   ((size_t)1 << 16)
#define QC_RUN_PER_STEP 16

typedef struct qc_run {
    size_t start, size, group;
    size_t left; /* elements of this group that follow the run */
} qc_run;

static inline qc_run qc_before_runs(const qc_grouping *grouping)
{
    return (qc_run){0, 0, grouping->count - 1, 0};
}

/* The same before the runs of the elements from `start` on. */
static inline qc_run qc_before_runs_from(const qc_grouping *grouping, size_t start)
{
    size_t inside = start % grouping->inner, group = start / grouping->inner % grouping->count;
    if (grouping->count == 1 || inside == 0)
        return (qc_run){start, 0, (group + grouping->count - 1) % grouping->count, 0};
    return (qc_run){start, 0, group, grouping->inner - inside};
}

/* The next run; 0 if there is none. */
static inline int qc_next_run(qc_run *run, const qc_grouping *grouping, size_t count)
{
    run->start += run->size;
    if (run->start >= count)
        return 0;
    if (run->left == 0) {
        run->group = run->group + 1 == grouping->count ? 0 : run->group + 1;
        run->left = grouping->count == 1 ? count - run->start : grouping->inner;
    }
    run->size = run->left < QC_RUN_VALUES ? run->left : QC_RUN_VALUES;
    run->size = run->size < count - run->start ? run->size : count - run->start;
    run->left -= run->size;
    return 1;
}

/* Whether neighbours are of different groups. They have loops of their own, over the groups. */
static inline int qc_is_by_row(const qc_grouping *grouping)
{
    return grouping->inner == 1 && grouping->count > 1;
}

/* So many of them at a time. */
static inline size_t qc_next_row(size_t start, const qc_grouping *grouping, size_t count)
{
    return grouping->count < count - start ? grouping->count : count - start;
}

static inline qc_status qc_grouping_check(const qc_grouping *grouping, qc_error *error)
{
    QC_CHECK(grouping->inner >= 1, QC_INVALID, "groups: consecutive elements of a group", 0,
             grouping->inner, 1);
    QC_CHECK(grouping->count >= 1, QC_INVALID, "groups: number", 0, grouping->count, 1);
    return QC_OK;
}

#endif /* QC_GROUPING_H */
