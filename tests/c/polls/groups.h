/*
 * Calls on groups of values for test_poll.c, which includes this behind its buffers.
 */
#ifndef POLLS_GROUPS_H
#define POLLS_GROUPS_H

static const qc_grouping rows = {1000, 100};
static const qc_affine_step step = {1, -128, 127, 128};
static qc_affine_step row_steps[100];

static qc_status ranges(const qc_poll *poll, size_t *size)
{
    *size = 200 * sizeof(float);
    return qc_group_ranges((const float *)memory, MANY * VALUES, &rows, (float *)out,
                           (float *)out + 100, poll, NULL);
}

static qc_status squares(const qc_poll *poll, size_t *size)
{
    *size = 100 * sizeof(double);
    return qc_group_squares((const float *)memory, MANY * VALUES, &rows, (double *)(void *)out,
                            poll, NULL);
}

static qc_status affine_codes(const qc_poll *poll, size_t *size)
{
    for (size_t row = 0; row < rows.count; row++)
        row_steps[row] = step;
    *size = MANY * VALUES;
    return qc_affine_codes((const float *)memory, MANY * VALUES, &rows, row_steps, 1, out, poll,
                           NULL);
}

static qc_status fixed_point_errors(const qc_poll *poll, size_t *size)
{
    static double limits[100];
    for (size_t row = 0; row < rows.count; row++)
        limits[row] = INFINITY;
    double *errors = (double *)(void *)out;
    *size = 200 * sizeof *errors;
    return qc_fixed_point_errors((const float *)memory, MANY * VALUES, &rows, row_steps, limits,
                                 errors, errors + 100, poll, NULL);
}

static qc_status deviation_sums(const qc_poll *poll, size_t *size)
{
    static double below[MANY * VALUES / 2 / QC_KEPT_SUMS + 1];
    *size = (MANY * VALUES / 2 / QC_KEPT_SUMS + 1) * sizeof(double);
    return qc_deviation_sums_keep((const float *)memory, MANY * VALUES, (double *)(void *)out,
                                  below, poll, NULL);
}

static qc_status ternary_thresholds(const qc_poll *poll, size_t *size)
{
    *size = 2 * rows.count * sizeof *found;
    return qc_ternary_thresholds((const float *)memory, MANY * VALUES, &rows, 2, (float *)out,
                                 workspace, poll, NULL);
}

static qc_status sums_beyond(const qc_poll *poll, size_t *size)
{
    static float thresholds[200];
    static uint64_t counts[200];
    *size = 2 * rows.count * sizeof(double);
    return qc_sums_beyond((const float *)memory, MANY * VALUES, &rows, thresholds,
                          (double *)(void *)out, counts, poll, NULL);
}

static qc_status ternary_codes(const qc_poll *poll, size_t *size)
{
    static float thresholds[200];
    *size = MANY * VALUES;
    return qc_ternary_codes((const float *)memory, MANY * VALUES, &rows, thresholds, out, poll,
                            NULL);
}

#endif /* POLLS_GROUPS_H */
