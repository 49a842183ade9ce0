/*
 * The kernels of the quantizers stay inside values, results and workspace, whatever bits the values
 * have, and what they find holds.
 */
#include <math.h>

#include "qcodec_numeric.h"
#include "support.h"

#define MOST 3000

static guarded input, output, workspace;

/* Normal floats, or (kind 1) any bits, or (kind 2) few different ones. */
static float *fill(size_t count, unsigned kind)
{
    float *values = (float *)last_bytes(input, count * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)(random_bits() >> 11);
        float spread = (float)(int32_t)bits * 0x1p-31f;
        values[i] = kind == 2 ? (float)(bits % 5) - 2 : spread * spread * spread;
        if (kind == 1)
            memcpy(&values[i], &bits, sizeof bits);
    }
    return values;
}

static double squares_of_ternary(const float *values, size_t count, const float *thresholds,
                                 const float *means)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double value = values[i];
        double kept = value > thresholds[0] ? means[0] : -value > thresholds[1] ? -means[1] : 0;
        sum += (value - kept) * (value - kept);
    }
    return sum;
}

static void check_ternary(const float *values, size_t count, unsigned kind)
{
    for (size_t sides = 1; sides <= 2; sides++) {
        void *scratch = last_bytes(workspace, qc_ternary_best_workspace(sides));
        float *found = (float *)last_bytes(output, 2 * sides * sizeof *found);
        int coarse;
        qc_status status = qc_ternary_best(values, count, sides, found, found + sides, &coarse,
                                           scratch, NULL, NULL);
        if (status == QC_INVALID && kind == 1 && !qc_all_finite(values, count))
            continue;
        CHECK(status == QC_OK, "%zu values of kind %u", count, kind);
        if (sides == 2 && kind != 1) {
            double best = squares_of_ternary(values, count, found, found + 2);
            float other[4] = {0.1f, 0.1f, 0.3f, 0.3f};
            double worse = squares_of_ternary(values, count, other, other + 2);
            CHECK(best <= worse * (1 + 1e-6), "%g is more than %g", best, worse);
        }
    }
}

static void check_k_means(const float *values, size_t count, unsigned kind)
{
    size_t k = 1 + random_bits() % 256;
    void *scratch = last_bytes(workspace, (qc_kmeans_fast_workspace(k) + 7) / 8 * 8);
    float *centroids = (float *)last_bytes(output, k * sizeof *centroids);
    qc_status status = qc_kmeans_fast(values, count, k, centroids, NULL, scratch, NULL, NULL);
    if (count == 0 || !qc_all_finite(values, count)) {
        CHECK(status == QC_INVALID, "%zu values of kind %u", count, kind);
        return;
    }
    CHECK(status == QC_OK, "%zu values of kind %u", count, kind);
    for (size_t j = 1; j < k; j++)
        CHECK(centroids[j - 1] <= centroids[j], "centroid %zu", j);
}

static void check_costs(const float *values, size_t count)
{
    float centroids[256];
    double costs[256];
    size_t k = 1 + random_bits() % 256;
    for (size_t j = 0; j < k; j++) {
        centroids[j] = (float)j * 0.01f - 1;
        costs[j] = (double)(random_bits() % 1000) * 1e-5;
    }
    uint8_t *codes = last_bytes(output, count);
    CHECK(qc_assign_by_cost(values, count, centroids, costs, k, codes, NULL) == QC_OK, "k %zu", k);
    for (size_t i = 0; i < count; i++)
        CHECK(codes[i] < k, "code %u of %zu", codes[i], k);
}

static void check_masks(const float *values, size_t count)
{
    uint8_t *mask = last_bytes(output, count);
    size_t m = 1 + random_bits() % QC_MAX_N_OF_M, n = 1 + random_bits() % m, kept = 0;
    qc_mask_n_of_m(values, 1, count, n, m, mask);
    for (size_t i = 0; i < count; i++)
        kept += mask[i];
    size_t rest = count % m;
    CHECK(kept == count / m * n + (rest < n ? rest : n), "%zu of %zu, %zu values", n, m, count);

    size_t ties = random_bits() % 100, above;
    qc_mask_above(values, count, 1.0f, ties, mask);
    float *between = (float *)last_bytes(input, MOST * sizeof(float)) - (count + 1);
    size_t equal = qc_magnitudes_between(values, count, 1.0f, 1.0f, &above, between);
    kept = 0;
    for (size_t i = 0; i < count; i++)
        kept += mask[i];
    CHECK(kept == above + (equal < ties ? equal : ties), "%zu above, %zu equal", above, equal);
}

static void check_exact_forms(const float *values, size_t count, unsigned kind)
{
    uint8_t *codes = last_bytes(output, count);
    size_t ends[] = {count / 3, count}, limit = 1 + random_bits() % QC_MAX_VALUES, done;
    uint64_t *patterns = (uint64_t *)last_bytes(workspace, 2 * limit * sizeof *patterns);
    uint16_t counts[2];
    CHECK(qc_distinct(values, 4, ends, 2, limit, patterns, counts, codes, &done, NULL, NULL) ==
              QC_OK,
          "%zu values", count);
    CHECK(done == 2 || kind != 2 || limit < 5, "%zu groups of kind %u", done, kind);
    for (size_t i = 0; i < ends[1] && done == 2; i++) {
        size_t group = i >= ends[0];
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        CHECK(codes[i] < counts[group] && patterns[group * limit + codes[i]] == bits, "code %zu",
              i);
    }
    float scales[2];
    int32_t zeros[2];
    qc_levels levels[2];
    CHECK(qc_equal_steps(values, ends, 2, QC_F32, 255, scales, levels, &done, NULL, NULL) == QC_OK,
          "steps");
    CHECK(done == 2 || kind != 2, "%zu groups of kind %u have steps", done, kind);
    for (size_t group = 0; group < 2; group++) {
        scales[group] = done == 2 && scales[group] > 0 ? scales[group] : 1;
        zeros[group] = done == 2 ? -levels[group].min : 0;
    }
    qc_status status =
        qc_step_codes(values, ends, 2, QC_F32, scales, zeros, 0, 1, codes, NULL, NULL);
    CHECK(status == QC_OK || kind != 2, "codes of kind %u", kind);
    for (size_t i = 0; i < ends[1] && status == QC_OK; i++) {
        size_t group = i >= ends[0];
        CHECK((float)(codes[i] - zeros[group]) * scales[group] == values[i], "value %zu", i);
    }
}

static size_t group_of(const qc_grouping *grouping, size_t i)
{
    return i / grouping->inner % grouping->count;
}

/* Ranges, squares, codes and errors of groups, against the plain way to compute them. */
static void check_steps(const float *values, size_t count, unsigned kind)
{
    enum { GROUPS = 5 };
    qc_grouping grouping = {1 + random_bits() % 9, 1 + random_bits() % GROUPS};
    float low[GROUPS], high[GROUPS];
    double sums[GROUPS], plain[GROUPS] = {0}, clipped[GROUPS], all[GROUPS], limits[GROUPS];
    qc_status ranges = qc_group_ranges(values, count, &grouping, low, high, NULL, NULL);
    CHECK(ranges == QC_OK || (kind == 1 && ranges == QC_INVALID), "ranges");
    CHECK(qc_group_squares(values, count, &grouping, sums, NULL, NULL) == QC_OK, "squares");
    for (size_t i = 0; i < count && kind != 1; i++) {
        size_t group = group_of(&grouping, i);
        CHECK(low[group] <= values[i] && values[i] <= high[group], "value %zu", i);
        plain[group] += (double)values[i] * values[i];
    }
    for (size_t g = 0; g < grouping.count && kind != 1; g++)
        CHECK(fabs(sums[g] - plain[g]) <= 1e-12 * plain[g], "%g is not %g", sums[g], plain[g]);
    qc_affine_step steps[GROUPS], fixed[GROUPS];
    for (size_t g = 0; g < GROUPS; g++) {
        double zero = (double)(random_bits() % 200);
        steps[g] =
            (qc_affine_step){1.0 / (double)(1 + random_bits() % 99), -zero, 255 - zero, zero};
        fixed[g] = (qc_affine_step){0.25, -1, 0.75, 0};
        limits[g] = g == 3 ? -1 : INFINITY;
    }
    for (size_t size = 1; size <= 2; size++) {
        uint8_t *codes = last_bytes(output, size * count);
        CHECK(qc_affine_codes(values, count, &grouping, steps, size, codes, NULL, NULL) == QC_OK,
              "codes");
        for (size_t i = 0; i < count && kind != 1; i++) {
            const qc_affine_step *step = &steps[group_of(&grouping, i)];
            volatile double quotient = values[i] / step->step; /* a double on i686 too */
            double level = rint(quotient);
            level = level < step->low ? step->low : level > step->high ? step->high : level;
            uint16_t code = codes[i];
            if (size == 2)
                memcpy(&code, codes + 2 * i, sizeof code);
            CHECK(code == level + step->zero, "value %zu: %u", i, code);
        }
    }
    CHECK(qc_fixed_point_errors(values, count, &grouping, fixed, limits, clipped, all, NULL,
                                NULL) == QC_OK,
          "errors");
    memset(plain, 0, sizeof plain);
    for (size_t i = 0; i < count && kind != 1; i++) {
        double kept = rint(fmin(fmax(values[i], -1), 0.75) * 4) / 4 - values[i];
        plain[group_of(&grouping, i)] += kept * kept;
    }
    for (size_t g = 0; g < grouping.count && kind != 1; g++) {
        CHECK(fabs(all[g] - (g == 3 ? 0 : plain[g])) <= 1e-12 * plain[g], "error of group %zu", g);
        CHECK(clipped[g] <= all[g], "clipped of group %zu", g);
    }
}

/* Thresholds, sums and codes of ternary weights by groups, against the plain way. */
static void check_ternary_groups(const float *values, size_t count, unsigned kind)
{
    enum { GROUPS = 5 };
    qc_grouping grouping = {1 + random_bits() % 9, 1 + random_bits() % GROUPS};
    size_t sides = 1 + random_bits() % 2;
    float thresholds[2 * GROUPS] = {0}, both[2 * GROUPS] = {0};
    double sums[2 * GROUPS], plain[2 * GROUPS] = {0};
    uint64_t counts[2 * GROUPS], plain_counts[2 * GROUPS] = {0};
    uint8_t *codes = last_bytes(output, count);
    void *scratch = malloc(qc_ternary_thresholds_workspace(count, &grouping));
    qc_status status =
        qc_ternary_thresholds(values, count, &grouping, sides, thresholds, scratch, NULL, NULL);
    CHECK(status == QC_OK || (kind == 1 && status == QC_INVALID), "ternary thresholds");
    free(scratch);
    for (size_t g = 0; g < grouping.count && status == QC_OK; g++)
        for (size_t side = 0; side < 2; side++)
            both[2 * g + side] = thresholds[sides * g + (sides == 2 ? side : 0)];
    CHECK(qc_sums_beyond(values, count, &grouping, both, sums, counts, NULL, NULL) == QC_OK,
          "sums beyond");
    CHECK(qc_ternary_codes(values, count, &grouping, both, codes, NULL, NULL) == QC_OK, "trits");
    for (size_t i = 0; i < count && kind != 1; i++) {
        size_t at = 2 * group_of(&grouping, i);
        int above = values[i] > both[at], below = values[i] < -both[at + 1];
        CHECK(codes[i] == 1 + above - below, "trit %zu: %u", i, codes[i]);
        plain[at] += above ? (double)values[i] : 0;
        plain[at + 1] -= below ? (double)values[i] : 0;
        plain_counts[at] += (unsigned)above;
        plain_counts[at + 1] += (unsigned)below;
    }
    for (size_t i = 0; i < 2 * grouping.count && kind != 1; i++)
        CHECK(fabs(sums[i] - plain[i]) <= 1e-12 * plain[i] && counts[i] == plain_counts[i],
              "%g, not %g", sums[i], plain[i]);
}

/* A codebook for each group has the nearest of its centroids for each value. */
static void check_codebooks(const float *values, size_t count, unsigned kind)
{
    enum { GROUPS = 5, K = 6 };
    qc_grouping grouping = {1 + random_bits() % 40, 1 + random_bits() % GROUPS};
    const qc_lloyd lloyd = {(qc_kmeans_init)(random_bits() % 4), 1, 100};
    qc_group_codebooks wanted = {1 + random_bits() % K, random_bits() % 2 * 1000, 1, 0, NULL};
    wanted.exact = (int)(random_bits() % 2);
    wanted.lloyd = random_bits() % 3 == 0 ? &lloyd : NULL;
    size_t bytes = qc_group_codebooks_workspace(count, &grouping, wanted.k);
    void *scratch = malloc(bytes + 1);
    uint8_t *kept = malloc(count + 1), *codes = last_bytes(output, count);
    float books[GROUPS * K];
    uint16_t entries[GROUPS];
    for (size_t i = 0; i < count; i++)
        kept[i] = random_bits() % 4 != 0;
    qc_status status = qc_group_codebooks_find(values, kept, count, &grouping, &wanted, books,
                                               entries, codes, scratch, NULL, NULL);
    CHECK(status == QC_OK || (kind == 1 && status == QC_INVALID), "codebooks");
    for (size_t i = 0; i < count && status == QC_OK; i++) {
        size_t group = group_of(&grouping, i);
        const float *book = books + group * wanted.k;
        if (!kept[i])
            continue;
        CHECK(codes[i] < entries[group] && entries[group] <= wanted.k, "code %u", codes[i]);
        for (size_t j = 0; j < wanted.k; j++)
            CHECK(fabs((double)values[i] - book[codes[i]]) <= fabs((double)values[i] - book[j]),
                  "value %zu is nearer to %zu", i, j);
    }
    free(scratch);
    free(kept);
}

int main(void)
{
    input = guarded_memory((2 * MOST + 1) * sizeof(float));
    output = guarded_memory(MOST * sizeof(float));
    size_t ternary = qc_ternary_best_workspace(2), k_means = qc_kmeans_fast_workspace(256) + 8;
    workspace = guarded_memory(ternary > k_means ? ternary : k_means);
    for (size_t count = 0; count <= MOST; count += count < 20 ? 1 : 331)
        for (unsigned kind = 0; kind < 3; kind++) {
            const float *values = fill(count, kind);
            check_ternary(values, count, kind);
            check_k_means(values, count, kind);
            check_costs(values, count);
            check_masks(values, count);
            check_exact_forms(values, count, kind);
            check_steps(values, count, kind);
            check_ternary_groups(values, count, kind);
            check_codebooks(values, count, kind);
        }
    return 0;
}
