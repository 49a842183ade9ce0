/*
 * quantizers: chooses numbers for six values by every function of qcodec_numeric.h. Linked with the
 * files of the quantizers alone (csrc/README.md).
 */
#include <stdio.h>
#include <stdlib.h>

#include "qcodec_numeric.h"

#define COUNT 6
#define K     2

int main(void)
{
    float values[COUNT] = {3, -1, 1, 2.5f, -1, 1}, centroids[K], thresholds[COUNT], means[2];
    float between[COUNT + 1];
    double costs[K] = {0, 0}, error_sum, coarseness;
    uint8_t codes[COUNT], mask[COUNT];
    int coarse;
    size_t above, bytes = qc_ternary_best_workspace(2) + qc_kmeans_fast_workspace(K) +
                          qc_kmeans_exact_workspace(COUNT, K) + qc_kmeans_workspace(COUNT, K) +
                          qc_sort_workspace(COUNT);
    void *workspace = malloc(bytes);
    qc_error error;
    if (workspace == NULL || !qc_all_finite(values, COUNT) ||
        qc_ternary_best(values, COUNT, 2, thresholds, means, &coarse, workspace, NULL, &error) ||
        qc_kmeans_fast(values, COUNT, K, centroids, &coarseness, workspace, NULL, &error) ||
        qc_assign_by_cost(values, COUNT, centroids, costs, K, codes, &error))
        return 1;
    qc_mask_n_of_m(values, 1, COUNT, 1, 3, mask);
    qc_mask_above(values, COUNT, 1, 1, mask);
    size_t copied = qc_magnitudes_between(values, COUNT, 1, 2.5f, &above, between);
    if (qc_sort(values, COUNT, workspace, NULL, &error) ||
        qc_kmeans_lloyd(values, COUNT, K, QC_KMEANS_LINEAR, 0, 10, centroids, &error_sum, workspace,
                        NULL, &error) ||
        qc_kmeans_exact(values, COUNT, K, centroids, &error_sum, workspace, NULL, &error))
        return 1;
    qc_assign(values, COUNT, centroids, K, codes);

    const qc_grouping halves_of = {COUNT / 2, 2};
    const qc_group_codebooks wanted = {1, COUNT, 0, 0, NULL};
    const qc_affine_step each[2] = {{1, -1, 3, 1}, {0.5, -2, 6, 2}};
    const double limits[2] = {9, 9};
    float low[2], high[2], books[2];
    double squares[2], clipped[2], all[2];
    uint16_t entries[2];
    uint8_t affine[COUNT], own[COUNT];
    static const float of_codes[QC_CANDIDATE_ENTRIES] = {-1, 2};
    static const double of_bits[QC_CANDIDATE_ENTRIES] = {0.1, 0.1};
    const qc_candidates matrix = {values, codes, COUNT, NULL, 2, COUNT / 2};
    uint8_t stored[COUNT] = {1, 1};
    uint64_t sizes[QC_CANDIDATE_ENTRIES];
    double sums[QC_CANDIDATE_ENTRIES];
    uint32_t by_row[2], by_column[COUNT / 2];
    int changed;
    void *room = malloc(qc_group_codebooks_workspace(COUNT, &halves_of, 1));
    if (room == NULL || qc_group_ranges(values, COUNT, &halves_of, low, high, NULL, &error) ||
        qc_group_squares(values, COUNT, &halves_of, squares, NULL, &error) ||
        qc_affine_codes(values, COUNT, &halves_of, each, 1, affine, NULL, &error) ||
        qc_fixed_point_errors(values, COUNT, &halves_of, each, limits, clipped, all, NULL,
                              &error) ||
        qc_count_stored(&matrix, stored, sizes, sums, by_row, by_column, NULL, &error) ||
        qc_choose_stored(&matrix, of_codes, of_bits, 0.1, by_row, by_column, stored, &changed, NULL,
                         &error) ||
        qc_group_codebooks_find(values, NULL, COUNT, &halves_of, &wanted, books, entries, own, room,
                                NULL, &error))
        return 1;
    free(room);

    const size_t cuts[] = {0, COUNT};
    float pairs[4] = {0};
    double kept[2][1 + COUNT / QC_KEPT_SUMS];
    double kept_sums[4];
    uint64_t beyond[4];
    uint8_t trits[COUNT];
    room = malloc(qc_ternary_thresholds_workspace(COUNT, &halves_of));
    if (room == NULL ||
        qc_ternary_thresholds(values, COUNT, &halves_of, 2, pairs, room, NULL, &error) ||
        qc_sums_beyond(values, COUNT, &halves_of, pairs, kept_sums, beyond, NULL, &error) ||
        qc_ternary_codes(values, COUNT, &halves_of, pairs, trits, NULL, &error) ||
        qc_deviation_sums_keep(values, COUNT, kept[0], kept[1], NULL, &error) ||
        qc_deviation_sums(values, COUNT, kept[0], kept[1], cuts, 2, kept_sums, &error))
        return 1;
    free(room);

    size_t end = COUNT, done;
    uint64_t patterns[COUNT];
    uint16_t distinct;
    uint8_t numbers[COUNT], reversed[COUNT] = {3, 2, 1, 0}, steps[COUNT];
    float scale;
    qc_levels levels;
    if (qc_distinct(values, 4, &end, 1, COUNT, patterns, &distinct, numbers, &done, NULL, &error) ||
        qc_equal_steps(values, &end, 1, QC_F32, 9, &scale, &levels, &done, NULL, &error) ||
        done != 1 ||
        qc_step_codes(values, &end, 1, QC_F32, &scale, &(int32_t){2}, 0, 1, steps, NULL, &error))
        return 1;
    const qc_exact_probe probe = {
        .dtype = QC_F32, .count = COUNT, .row_sample = COUNT, .run_sample = COUNT, .max_level = 9};
    int may_be_exact;
    if (qc_may_have_exact_form(&probe, values, &may_be_exact, &error) || !may_be_exact)
        return 1;
    uint16_t halves[COUNT];
    float factor;
    if (qc_scaled_halves(values, &end, 1, QC_F16, &factor, &done, NULL, &error) || done != 1 ||
        qc_halves(values, &end, 1, &factor, QC_F16, halves, NULL, &error))
        return 1;
    qc_renumber(numbers, &end, 1, reversed, COUNT);
    printf("%u: %u%u%u%u%u%u, %g: %u%u%u%u%u%u\n", distinct, numbers[0], numbers[1], numbers[2],
           numbers[3], numbers[4], numbers[5], scale, steps[0], steps[1], steps[2], steps[3],
           steps[4], steps[5]);
    printf("%g %g %g, %u%u%u%u%u%u, %g %g, %zu %zu\n", centroids[0], centroids[1], error_sum,
           codes[0], codes[1], codes[2], codes[3], codes[4], codes[5], means[0], means[1], copied,
           above);
    printf("%g: %04x %04x %04x\n", factor, halves[0], halves[4], halves[5]);
    free(workspace);
    return 0;
}
