/*
 * Refusals of functions by groups for test_arguments.c, which includes this.
 */
#ifndef ARGUMENTS_GROUPS_H
#define ARGUMENTS_GROUPS_H

static const float four[] = {-2, -1, 0.5f, 3};

static qc_status codes_of(size_t inner, size_t count, double step, double low, double high,
                          double zero, size_t code_size, qc_error *error)
{
    const qc_affine_step steps[2] = {{step, low, high, zero}, {1, 0, 1, 0}};
    uint8_t codes[8];
    return qc_affine_codes(four, 4, &(qc_grouping){inner, count}, steps, code_size, codes, NULL,
                           error);
}

static void equal_steps_of_groups(void)
{
    const char *inner = "groups: consecutive elements of a group", *count = "groups: number";
    const char *step = "affine codes: step or ends of a group";
    float low[2], high[2];
    double sums[2];
    CHECK(codes_of(2, 2, 1, -1, 254, 1, 1, NULL) == QC_OK, "codes");
    CHECK(codes_of(2, 2, 1, -1, 65534, 1, 2, NULL) == QC_OK, "wide codes");
    REFUSED(codes_of(0, 2, 1, 0, 1, 0, 1, &error), QC_INVALID, inner);
    REFUSED(codes_of(2, 0, 1, 0, 1, 0, 1, &error), QC_INVALID, count);
    REFUSED(codes_of(2, 2, 1, 0, 1, 0, 3, &error), QC_INVALID, "affine codes: bytes of a code");
    const qc_affine_step wrong[] = {
        {0, 0, 255, 0},   {-1, 0, 255, 0}, {NAN, 0, 255, 0}, {1, 9, 8, 0},  {1, 300, 0, -1},
        {1, -10, 246, 9}, {1, 0, 256, 0},  {1, 0, 255, 1},   {1, 0, 0, -1}, {1, 0, 0, 256},
        {1, NAN, 1, 0},   {1, 0, NAN, 0},  {1, 0, 1, NAN},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        REFUSED(
            codes_of(2, 2, wrong[i].step, wrong[i].low, wrong[i].high, wrong[i].zero, 1, &error),
            QC_INVALID, step);
    REFUSED(codes_of(2, 2, 1, 0, 65536, 0, 2, &error), QC_INVALID, step);
    REFUSED(qc_group_ranges(four, 4, &(qc_grouping){0, 1}, low, high, NULL, &error), QC_INVALID,
            inner);
    for (size_t inner = 1; inner <= 2; inner++) {
        static const float not_finite[] = {NAN, -NAN, INFINITY, -INFINITY};
        for (size_t i = 0; i < 4; i++) {
            float values[40] = {0};
            values[9 * i] = not_finite[i];
            REFUSED(qc_group_ranges(values, 40, &(qc_grouping){inner, 2}, low, high, NULL, &error),
                    QC_INVALID, "ranges: values are not finite");
        }
    }
    REFUSED(qc_group_squares(four, 4, &(qc_grouping){1, 0}, sums, NULL, &error), QC_INVALID, count);
}

static void ternary_groups(void)
{
    const char *inner = "groups: consecutive elements of a group";
    double sums[4];
    uint64_t counts[4], room[4096];
    uint8_t trits[4];
    const qc_grouping none = {0, 1}, two = {2, 2};
    const float infinite[] = {1, 2, 3, -INFINITY}, thresholds[4] = {0};
    float best[4];
    REFUSED(qc_ternary_thresholds(four, 4, &none, 1, best, room, NULL, &error), QC_INVALID, inner);
    REFUSED(qc_ternary_thresholds(four, 4, &two, 3, best, room, NULL, &error), QC_INVALID,
            "ternary: number of scales");
    REFUSED(qc_ternary_thresholds(infinite, 4, &two, 2, best, room, NULL, &error), QC_INVALID,
            "ternary: values are not finite");
    REFUSED(qc_sums_beyond(four, 4, &none, thresholds, sums, counts, NULL, &error), QC_INVALID,
            inner);
    REFUSED(qc_ternary_codes(four, 4, &none, thresholds, trits, NULL, &error), QC_INVALID, inner);
}

static void deviation_sums(void)
{
    double above[1], below[1], sums[2];
    const size_t cuts[] = {0, 5};
    const char *number = "sums of deviations: number of values";
    CHECK(qc_deviation_sums_keep(four, 4, above, below, NULL, NULL) == QC_OK, "sums");
    CHECK(qc_deviation_sums(four, 4, above, below, cuts, 1, sums, NULL) == QC_OK, "sums");
    CHECK(sums[0] == 4, "%g", sums[0]); /* -(-1 - 0.5 + -2 - 0.5) */
    REFUSED(qc_deviation_sums_keep(four, 0, above, below, NULL, &error), QC_INVALID, number);
    REFUSED(qc_deviation_sums(four, 0, above, below, cuts, 1, sums, &error), QC_INVALID, number);
    REFUSED(qc_deviation_sums(four, 4, above, below, cuts, 2, sums, &error), QC_INVALID,
            "sums of deviations: cut");
}

static qc_status books_of(size_t inner, size_t groups, size_t k, size_t count, qc_error *error)
{
    static uint8_t *room;
    const qc_group_codebooks wanted = {k, 10, 0, 0, NULL};
    float books[2 * 256];
    uint16_t entries[2];
    uint8_t codes[4];
    if (room == NULL)
        room = malloc(qc_group_codebooks_workspace(4, &(qc_grouping){1, 1}, 256));
    return qc_group_codebooks_find(four, NULL, count, &(qc_grouping){inner, groups}, &wanted, books,
                                   entries, codes, room, NULL, error);
}

static void codebooks_of_groups(void)
{
    CHECK(books_of(2, 2, 2, 4, NULL) == QC_OK, "codebooks");
    REFUSED(books_of(0, 2, 2, 4, &error), QC_INVALID, "groups: consecutive elements of a group");
    REFUSED(books_of(2, 0, 2, 4, &error), QC_INVALID, "groups: number");
    REFUSED(books_of(2, 2, 0, 4, &error), QC_INVALID, "k-means: number of centroids");
    REFUSED(books_of(2, 2, 257, 4, &error), QC_INVALID, "k-means: number of centroids");
    REFUSED(books_of(2, 2, 257, 0, &error), QC_INVALID, "k-means: number of centroids");
}

static void groups(void)
{
    equal_steps_of_groups();
    ternary_groups();
    codebooks_of_groups();
    deviation_sums();
}

#endif /* ARGUMENTS_GROUPS_H */
