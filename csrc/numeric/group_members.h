/*
 * The members of a group, gathered from the tensor and sorted.
 */
#ifndef QC_GROUP_MEMBERS_H
#define QC_GROUP_MEMBERS_H

#include "numeric/grouping.h"

/* How groups lie in `count` elements: each has `inner` elements in every `period`, as far as they
   are in the tensor, so no product overflows. */
typedef struct qc_group_layout {
    size_t count, inner, period;
} qc_group_layout;

static inline size_t qc_smaller(size_t a, size_t b) { return a < b ? a : b; }

static inline qc_group_layout qc_group_layout_of(size_t count, const qc_grouping *grouping)
{
    size_t inner = grouping->count == 1 ? count : qc_smaller(grouping->inner, count);
    size_t period = count / grouping->count < inner ? count : inner * grouping->count;
    return (qc_group_layout){count, inner, period};
}

/* The most members of a group. */
static inline size_t qc_max_members(const qc_group_layout *in)
{
    return in->period == 0 ? 0 : qc_smaller((in->count / in->period + 1) * in->inner, in->count);
}

/* The first element of a group; `count` if it has none. */
static inline size_t qc_first_member(const qc_group_layout *in, size_t group)
{
    return in->inner == 0 || group > in->count / in->inner ? in->count : group * in->inner;
}

/* Bytes of so many floats, a multiple of those of a double. */
static inline size_t qc_room_of_floats(size_t count)
{
    return (count * sizeof(float) + sizeof(double) - 1) / sizeof(double) * sizeof(double);
}

/* Sort as qc_sort does, but faster if there are few values, and none is NaN. */
#define QC_INSERTED 64 /* so many values are sorted by insertion */
static inline qc_status qc_sort_members(float *values, size_t count, void *workspace,
                                        const qc_poll *poll, qc_error *error)
{
    if (count > QC_INSERTED)
        return qc_sort(values, count, workspace, poll, error);
    for (size_t i = 1; i < count; i++) {
        float value = values[i];
        size_t place = i;
        for (; place > 0 && values[place - 1] > value; place--)
            values[place] = values[place - 1];
        values[place] = value;
    }
    return QC_OK;
}

#endif /* QC_GROUP_MEMBERS_H */
