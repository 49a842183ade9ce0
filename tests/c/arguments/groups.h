/*
 * Refusals of functions by groups for test_arguments.c, which includes this behind its values.
 */
#ifndef ARGUMENTS_GROUPS_H
#define ARGUMENTS_GROUPS_H

static const qc_grouping by_two = {1, 2};

static qc_status codes_by_step(qc_grouping grouping, qc_affine_step step, size_t code_size,
                               qc_error *error)
{
    const qc_affine_step steps[] = {{1, 0, 255, 0}, step};
    uint16_t codes[4];
    return qc_affine_codes(ascending, 4, &grouping, steps, code_size, codes, NULL, error);
}

static void affine_codes(void)
{
    const char *wrong_step = "affine codes: step or ends of a group";
    const qc_affine_step right = {1, -9, 246, 9},
                         wrong[] = {
                             {0, 0, 255, 0},   {-1, 0, 255, 0}, {NAN, 0, 255, 0}, {1, 9, 8, 0},
                             {1, -10, 246, 9}, {1, 0, 256, 0},  {1, 0, 255, 1},   {1, 0, 0, -1},
                             {1, 0, 0, 256},   {1, NAN, 1, 0},  {1, 0, NAN, 0},   {1, 0, 1, NAN},
                         };
    CHECK(codes_by_step(by_two, right, 1, NULL) == QC_OK, "codes");
    REFUSED(codes_by_step(by_two, right, 0, &error), QC_INVALID, "affine codes: bytes of a code");
    REFUSED(codes_by_step(by_two, right, 3, &error), QC_INVALID, "affine codes: bytes of a code");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        REFUSED(codes_by_step(by_two, wrong[i], 1, &error), QC_INVALID, wrong_step);
    CHECK(codes_by_step(by_two, (qc_affine_step){1, 0, 65535, 0}, 2, NULL) == QC_OK, "codes");
    REFUSED(codes_by_step(by_two, (qc_affine_step){1, 0, 65536, 0}, 2, &error), QC_INVALID,
            wrong_step);
}

static qc_status codebooks(qc_grouping grouping, size_t k, qc_error *error)
{
    const qc_group_codebooks wanted = {k, 4, 1, 0, NULL};
    float books[2 * 256];
    uint16_t entries[2];
    uint8_t codes[4];
    static double *workspace;
    if (workspace == NULL)
        workspace = malloc(qc_group_codebooks_workspace(4, &by_two, 256));
    return qc_group_codebooks_find(ascending, NULL, 4, &grouping, &wanted, books, entries, codes,
                                   workspace, NULL, error);
}

static void groups(void)
{
    const char *inner = "groups: consecutive elements of a group", *number = "groups: number";
    const qc_grouping empty = {0, 2}, none = {1, 0};
    const qc_affine_step step = {1, 0, 255, 0};
    const char *centroids = "k-means: number of centroids";
    REFUSED(codes_by_step(empty, step, 1, &error), QC_INVALID, inner);
    REFUSED(codes_by_step(none, step, 1, &error), QC_INVALID, number);
    CHECK(codebooks(by_two, 1, NULL) == QC_OK && codebooks(by_two, 256, NULL) == QC_OK,
          "codebooks");
    REFUSED(codebooks(by_two, 0, &error), QC_INVALID, centroids);
    REFUSED(codebooks(by_two, 257, &error), QC_INVALID, centroids);
    REFUSED(codebooks(empty, 2, &error), QC_INVALID, inner);
    REFUSED(codebooks(none, 2, &error), QC_INVALID, number);
}

#endif /* ARGUMENTS_GROUPS_H */
