/*
 * Nearest centroids. Values are compared with the thresholds between neighbouring centroids. A
 * threshold is a float32, the largest that still belongs to the lower centroid: the exact middle
 * is computed with the rounding error of its sum, so comparing in float32 gives the exact answer.
 *
 * Few thresholds are compared one after the other, which becomes vector code; many by bisection
 * without branches, or by a kernel that descends a tree of thresholds.
 */
#include "base/float_bits.h"
#include "kernels/kernels.h"
#include "qcodec_numeric.h"

#define MAX_CENTROIDS 256
#define LINEAR_LIMIT  16 /* up to here comparing with every threshold is the fastest */

/* The distinct centroids: the thresholds between them, and their numbers. */
typedef struct thresholds {
    float at[MAX_CENTROIDS];
    uint8_t first[MAX_CENTROIDS]; /* the first centroid of each distinct value */
    size_t distinct;
    unsigned levels; /* of a tree of the thresholds, for a kernel */
    float tree[MAX_CENTROIDS];
} thresholds;

/* The largest float32 that is not nearer to `high` than to `low`. */
static float threshold_between(float low, float high)
{
    double sum = (double)low + (double)high;
    /* What the sum lost in rounding (the two-sum of Knuth): it decides a value in the middle. */
    double part = sum - (double)low;
    double lost = ((double)low - (sum - part)) + ((double)high - part);
    double middle = sum * 0.5;
    float nearest = (float)middle;
    int above = (double)nearest > middle || ((double)nearest == middle && lost < 0);
    return above ? qc_next_below(nearest) : nearest;
}

static void find_thresholds(const float *centroids, size_t k, thresholds *table)
{
    size_t distinct = 0;
    float last = 0;
    for (size_t j = 0; j < k && j < MAX_CENTROIDS; j++) {
        if (distinct != 0 && centroids[j] == last)
            continue;
        if (distinct != 0)
            table->at[distinct - 1] = threshold_between(last, centroids[j]);
        last = centroids[j];
        table->first[distinct++] = (uint8_t)j;
    }
    table->distinct = distinct;
}

/* The number of thresholds below each value, counted one threshold after the other. */
static void count_below(const thresholds *table, const float *values, size_t count, uint8_t *codes)
{
    for (size_t i = 0; i < count; i++)
        codes[i] = 0;
    for (size_t j = 0; j + 1 < table->distinct; j++) {
        float at = table->at[j];
        for (size_t i = 0; i < count; i++)
            codes[i] = (uint8_t)(codes[i] + (values[i] > at));
    }
}

/* The same by bisection, without branches on the values. */
static void bisect_below(const thresholds *table, const float *values, size_t count, uint8_t *codes)
{
    size_t half = 1;
    while (half * 2 < table->distinct)
        half *= 2;
    for (size_t i = 0; i < count; i++) {
        size_t below = 0;
        for (size_t step = half; step != 0; step /= 2)
            below += values[i] > table->at[below + step - 1] ? step : 0;
        codes[i] = (uint8_t)below;
    }
}

/* Prepares either search. In the tree, the children of node n are 2n and 2n + 1. */
static void plant_tree(thresholds *table)
{
    /* Infinity, so that a search over a power of two never ends there. */
    for (size_t j = table->distinct == 0 ? 0 : table->distinct - 1; j < MAX_CENTROIDS; j++)
        table->at[j] = qc_f32_of_bits(QC_F32_INFINITY);
    table->levels = 0;
    while ((size_t)1 << table->levels < table->distinct)
        table->levels++;
    memset(table->tree, 0, sizeof table->tree);
    for (unsigned level = 0; level < table->levels; level++) {
        size_t nodes = (size_t)1 << level, step = (size_t)1 << (table->levels - level);
        for (size_t i = 0; i < nodes; i++)
            table->tree[nodes + i] = table->at[i * step + step / 2 - 1];
    }
}

static void assign_block(const thresholds *table, const float *values, size_t count, uint8_t *codes)
{
    qc_descend_kernel *kernel = qc_kernels_selected()->descend;
    size_t done = 0;
    if (kernel != NULL && table->levels > 0)
        done = kernel(table->tree, table->levels, values, count, codes);
    if (table->distinct <= LINEAR_LIMIT)
        count_below(table, values + done, count - done, codes + done);
    else
        bisect_below(table, values + done, count - done, codes + done);
}

static void assign_all(const thresholds *table, const float *values, size_t count, int renumber,
                       uint8_t *codes)
{
    enum { BLOCK = 1024 }; /* values and codes stay in L1 */
    for (size_t i = 0; i < count; i += BLOCK) {
        size_t block = count - i < BLOCK ? count - i : BLOCK;
        assign_block(table, values + i, block, codes + i);
        if (renumber)
            for (size_t j = i; j < i + block; j++)
                codes[j] = table->first[codes[j]];
    }
}

void qc_assign(const float *values, size_t count, const float *centroids, size_t k, uint8_t *codes)
{
    thresholds table;
    find_thresholds(centroids, k, &table);
    plant_tree(&table);
    assign_all(&table, values, count, table.distinct != k, codes);
}

void qc_assign_by_thresholds(const float *values, size_t count, const float *at,
                             size_t threshold_count, uint8_t *codes)
{
    thresholds table = {.distinct = threshold_count + 1};
    for (size_t j = 0; j < threshold_count && j < MAX_CENTROIDS; j++)
        table.at[j] = at[j];
    plant_tree(&table);
    assign_all(&table, values, count, 0, codes);
}
