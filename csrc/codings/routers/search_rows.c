/*
 * Finds classes of rows in one pass. Rows of weights differ in scale, so rows of their exponents
 * differ in their mean, and rows of integers in their mean distance from 0. Rows are ordered by
 * that mean into a few bins, and the cuts between bins of the least cost are found by dynamic
 * programming.
 */
#include "base/log2_fixed.h"
#include "codings/routers/router_search.h"

#define BINS    16
#define CLASSES 4    /* maximum that is searched for */
#define BUCKETS 1024 /* of means, to order by */
#define SYMBOLS (1u << QC_ROUTER_MAX_WIDTH)

#define STEP         4
#define MANY_SYMBOLS ((size_t)1 << 16)

/* What an entry of the map takes, about. */
#define MAP_ENTRY_COST 256

/* One class more has to save this part of all. */
#define WORTHWHILE_PART 1024

typedef struct search {
    const qc_router_input *input;
    size_t rows;
    uint32_t *means; /* of rows, in units of a bucket; then their bins */
    /* Of all bins before each. */
    uint32_t before[BINS + 1][SYMBOLS];
    uint64_t costs[BINS][BINS + 1]; /* of the bins from one to before another */
} search;

static size_t row_end(const search *s, size_t row)
{
    size_t length = s->input->geometry.row_length, left = s->input->count - row * length;
    return left < length ? left : length;
}

static void find_means(search *s)
{
    size_t length = s->input->geometry.row_length;
    unsigned center = s->input->center;
    for (size_t row = 0; row < s->rows; row++) {
        const uint8_t *symbols = s->input->symbols + row * length;
        size_t end = row_end(s, row);
        uint32_t sum = 0; /* of at most 2^22 bytes */
        for (size_t i = 0; i < end; i++)
            sum += symbols[i] < center ? center - symbols[i] : symbols[i] - center;
        s->means[row] = (uint32_t)((uint64_t)sum * (BUCKETS / SYMBOLS) / end);
    }
}

/* Bins of about as many rows each: what has the same mean is in the same bin. */
static void find_bins(search *s)
{
    size_t buckets[BUCKETS] = {0}, before = 0;
    for (size_t row = 0; row < s->rows; row++)
        buckets[s->means[row]]++;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        size_t middle = before + buckets[bucket] / 2;
        before += buckets[bucket];
        buckets[bucket] = middle * BINS / s->rows;
    }
    for (size_t row = 0; row < s->rows; row++)
        s->means[row] = (uint32_t)buckets[s->means[row]];
}

/* If there are many symbols, only one in STEP is counted. */
static void count_bins(search *s)
{
    size_t length = s->input->geometry.row_length;
    unsigned step = s->input->count < MANY_SYMBOLS ? 1 : STEP;
    memset(s->before, 0, sizeof s->before);
    for (size_t row = 0; row < s->rows; row++) {
        const uint8_t *symbols = s->input->symbols + row * length;
        uint32_t *counts = s->before[s->means[row] + 1];
        size_t end = row_end(s, row);
        for (size_t i = 0; i < end; i += step)
            counts[symbols[i]] += step;
    }
    for (unsigned bin = 0; bin < BINS; bin++)
        for (unsigned v = 0; v < SYMBOLS; v++)
            s->before[bin + 1][v] += s->before[bin][v];
}

static void find_costs(search *s, uint64_t head)
{
    uint32_t counts[SYMBOLS];
    for (unsigned from = 0; from < BINS; from++)
        for (unsigned to = from + 1; to <= BINS; to++) {
            for (unsigned v = 0; v < SYMBOLS; v++)
                counts[v] = s->before[to][v] - s->before[from][v];
            s->costs[from][to] = qc_router_cost(counts, SYMBOLS) + head;
        }
}

/* The cheapest cuts of the bins into 1 to CLASSES classes: returns how many pay,
   and where each ends. */
static unsigned find_cuts(const search *s, unsigned ends[CLASSES])
{
    uint64_t cost[CLASSES][BINS + 1]; /* of the bins before one, by the number of classes less 1 */
    unsigned cut[CLASSES][BINS + 1] = {{0}}, best = 0;
    uint64_t map = s->rows * (uint64_t)MAP_ENTRY_COST;
    for (unsigned to = 1; to <= BINS; to++)
        cost[0][to] = s->costs[0][to];
    for (unsigned classes = 1; classes < CLASSES; classes++)
        for (unsigned to = classes + 1; to <= BINS; to++) {
            cost[classes][to] = UINT64_MAX;
            for (unsigned at = classes; at < to; at++) {
                uint64_t sum = cost[classes - 1][at] + s->costs[at][to];
                if (sum < cost[classes][to]) {
                    cost[classes][to] = sum;
                    cut[classes][to] = at;
                }
            }
        }
    uint64_t worth = cost[0][BINS] / WORTHWHILE_PART;
    for (unsigned classes = 1; classes < CLASSES; classes++) {
        uint64_t maps = best > 0 ? 0 : map;
        if (cost[classes][BINS] + maps + worth * (classes - best) < cost[best][BINS])
            best = classes;
    }
    for (unsigned class = best, to = BINS;; class --) {
        ends[class] = to;
        if (class == 0)
            return best + 1;
        to = cut[class][to];
    }
}

size_t qc_router_find_rows_workspace(const qc_router_input *input)
{
    size_t rows = qc_router_rows(input->count, input->geometry.row_length);
    return sizeof(search) + rows * (sizeof(uint32_t) + 1);
}

void qc_router_find_rows(const qc_router_input *input, size_t head, qc_router_plan *plan,
                         void *workspace)
{
    search *s = workspace;
    unsigned ends[CLASSES];
    s->input = input;
    s->rows = qc_router_rows(input->count, input->geometry.row_length);
    s->means = (uint32_t *)(s + 1);
    find_means(s);
    find_bins(s);
    count_bins(s);
    find_costs(s, (uint64_t)head * 8 * QC_LOG2_ONE);
    plan->row_map = (uint8_t *)(s->means + s->rows);
    plan->column_classes = 1;
    plan->targets = plan->row_classes = find_cuts(s, ends);
    for (size_t row = 0; row < s->rows; row++) {
        unsigned class = 0;
        while (s->means[row] >= ends[class])
            class ++;
        plan->row_map[row] = (uint8_t) class;
    }
}
