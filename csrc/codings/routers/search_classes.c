/*
 * Searches for classes of rows and columns, as k-means does: every row goes to
 * the class whose tables cost it the fewest bits, then every column, then the tables are estimated
 * again from the symbols they now have. A few rounds suffice. The start orders rows and columns by
 * their cost under one table for all. Costs are estimates in whole numbers, so the result is the
 * same on all machines.
 */
#include "base/log2_fixed.h"
#include "codings/routers/router_search.h"

#define ROUNDS 12
/* Changes of less than this part of the rows and columns end the search. */
#define SETTLED_PART 64
#define SYMBOLS      (1u << QC_ROUTER_MAX_WIDTH)
#define SIDE         QC_ROUTER_SIDE_CLASSES
#define BINS         256 /* of costs, to start from */
#define ROUND_PART   8   /* of a ticker's steps: what a round takes for each symbol */

/* What an entry of a map takes, about. */
#define MAP_ENTRY_COST 384

typedef struct search {
    const qc_router_input *input;
    size_t rows, columns;
    unsigned row_classes, column_classes;
    uint8_t *row_map, *column_map, *best_row_map, *best_column_map;
    uint64_t *costs; /* SIDE per column, or one per row or column */
    uint32_t histograms[QC_ROUTER_MAX_SUB_STREAMS][SYMBOLS];
    uint32_t lengths[QC_ROUTER_MAX_SUB_STREAMS][SYMBOLS]; /* of codes, in units of 2^-8 bits */
} search;

/* ---- tables ---- */

static void count_symbols(search *s)
{
    const uint8_t *symbols = s->input->symbols;
    memset(s->histograms, 0, sizeof s->histograms);
    for (size_t i = 0, row = 0; i < s->input->count; i += s->columns, row++) {
        size_t end = s->input->count - i < s->columns ? s->input->count - i : s->columns;
        unsigned first = s->row_map[row] * s->column_classes;
        for (size_t column = 0; column < end; column++)
            s->histograms[first + s->column_map[column]][symbols[i + column]]++;
    }
}

/* As if each symbol had been seen half a time more. */
static void estimate_lengths(search *s)
{
    unsigned symbols = 1u << s->input->width;
    for (unsigned target = 0; target < s->row_classes * s->column_classes; target++) {
        uint32_t total = 0;
        for (unsigned v = 0; v < symbols; v++)
            total += s->histograms[target][v];
        unsigned all = qc_log2_fixed(2 * total + symbols);
        for (unsigned v = 0; v < symbols; v++)
            s->lengths[target][v] = all - qc_log2_fixed(2 * s->histograms[target][v] + 1);
    }
}

/* ---- rounds ---- */

static unsigned cheapest(const uint64_t *costs, unsigned classes)
{
    unsigned best = 0;
    for (unsigned class = 1; class < classes; class ++)
        best = costs[class] < costs[best] ? class : best;
    return best;
}

/* Returns how many rows change their class. */
static size_t assign_rows(search *s)
{
    size_t changed = 0;
    for (size_t row = 0; row < s->rows; row++) {
        const uint8_t *symbols = s->input->symbols + row * s->columns;
        size_t left = s->input->count - row * s->columns;
        size_t end = left < s->columns ? left : s->columns;
        uint64_t costs[SIDE] = {0};
        for (unsigned class = 0; class < s->row_classes; class ++)
            for (size_t column = 0; column < end; column++)
                costs[class] +=
                    s->lengths[class * s->column_classes + s->column_map[column]][symbols[column]];
        unsigned class = cheapest(costs, s->row_classes);
        changed += s->row_map[row] != class;
        s->row_map[row] = (uint8_t) class;
    }
    return changed;
}

static size_t assign_columns(search *s)
{
    size_t changed = 0;
    memset(s->costs, 0, s->columns * SIDE * sizeof *s->costs);
    for (size_t row = 0; row < s->rows; row++) {
        const uint8_t *symbols = s->input->symbols + row * s->columns;
        size_t left = s->input->count - row * s->columns;
        size_t end = left < s->columns ? left : s->columns;
        const uint32_t(*lengths)[SYMBOLS] = s->lengths + s->row_map[row] * s->column_classes;
        for (unsigned class = 0; class < s->column_classes; class ++)
            for (size_t column = 0; column < end; column++)
                s->costs[column * SIDE + class] += lengths[class][symbols[column]];
    }
    for (size_t column = 0; column < s->columns; column++) {
        unsigned class = cheapest(s->costs + column * SIDE, s->column_classes);
        changed += s->column_map[column] != class;
        s->column_map[column] = (uint8_t) class;
    }
    return changed;
}

/* ---- the start: classes of about as many rows, by their cost under one table for all ---- */

static void by_rank(const uint64_t *costs, size_t count, unsigned classes, uint8_t *map)
{
    uint64_t min = UINT64_MAX, max = 0;
    size_t bins[BINS] = {0}, before = 0;
    for (size_t i = 0; i < count; i++) {
        min = costs[i] < min ? costs[i] : min;
        max = costs[i] > max ? costs[i] : max;
    }
    uint64_t step = (max - min) / BINS + 1;
    for (size_t i = 0; i < count; i++)
        bins[(costs[i] - min) / step]++;
    for (unsigned bin = 0; bin < BINS; bin++) { /* the bin's class */
        size_t middle = before + bins[bin] / 2;
        before += bins[bin];
        bins[bin] = middle * classes / count;
    }
    for (size_t i = 0; i < count; i++)
        map[i] = (uint8_t)bins[(costs[i] - min) / step];
}

static void begin(search *s, unsigned row_classes, unsigned column_classes)
{
    const uint8_t *symbols = s->input->symbols;
    s->row_classes = s->column_classes = 1;
    memset(s->row_map, 0, s->rows);
    memset(s->column_map, 0, s->columns);
    count_symbols(s);
    estimate_lengths(s);
    memset(s->costs, 0, s->columns * sizeof *s->costs);
    for (size_t i = 0; i < s->input->count; i++)
        s->costs[i % s->columns] += s->lengths[0][symbols[i]];
    by_rank(s->costs, s->columns, column_classes, s->column_map);
    memset(s->costs, 0, s->rows * sizeof *s->costs);
    for (size_t i = 0; i < s->input->count; i++)
        s->costs[i / s->columns] += s->lengths[0][symbols[i]];
    by_rank(s->costs, s->rows, row_classes, s->row_map);
    s->row_classes = row_classes;
    s->column_classes = column_classes;
}

static uint64_t total_cost(const search *s)
{
    uint64_t cost = 0;
    for (unsigned target = 0; target < s->row_classes * s->column_classes; target++)
        cost += qc_router_cost(s->histograms[target], 1u << s->input->width);
    cost += s->row_classes > 1 ? s->rows * MAP_ENTRY_COST : 0;
    return cost + (s->column_classes > 1 ? s->columns * MAP_ENTRY_COST : 0);
}

static void try_classes(search *s, unsigned row_classes, unsigned column_classes,
                        qc_router_plan *plan)
{
    begin(s, row_classes, column_classes);
    count_symbols(s);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (qc_tick(s->input->ticker, s->input->count / ROUND_PART))
            return;
        estimate_lengths(s);
        size_t changed = row_classes > 1 ? assign_rows(s) : 0;
        count_symbols(s);
        estimate_lengths(s);
        changed += column_classes > 1 ? assign_columns(s) : 0;
        count_symbols(s);
        if (changed <= (s->rows + s->columns) / SETTLED_PART)
            break;
    }
    uint64_t cost = total_cost(s);
    if (cost >= plan->cost)
        return;
    plan->cost = cost;
    plan->row_classes = row_classes;
    plan->column_classes = column_classes;
    plan->targets = row_classes * column_classes;
    memcpy(s->best_row_map, s->row_map, s->rows);
    memcpy(s->best_column_map, s->column_map, s->columns);
}

size_t qc_router_find_classes_workspace(const qc_router_input *input)
{
    size_t columns = input->geometry.row_length, rows = qc_router_rows(input->count, columns);
    size_t costs = columns * SIDE > rows ? columns * SIDE : rows;
    return sizeof(search) + costs * sizeof(uint64_t) + 2 * (rows + columns);
}

/* Numbers of classes of rows and columns: those that are tried with the least effort come first. */
static const uint8_t tried[][2] = {
    {2, 2}, {1, 3}, {3, 1}, {4, 2}, {2, 4}, {4, 4}, /* usually */
    {1, 2}, {2, 1}, {3, 2}, {2, 3}, {3, 3}, {1, 6}, {6, 1}, {8, 2}, {2, 8}, {5, 3}, {3, 5},
};

static size_t numbers_tried(unsigned effort)
{
    return effort < QC_EFFORT_USUAL  ? 1
           : effort < QC_EFFORT_HIGH ? 6
                                     : sizeof tried / sizeof *tried;
}

void qc_router_find_classes(const qc_router_input *input, unsigned effort, qc_router_plan *plan,
                            void *workspace)
{
    search *s = workspace;
    s->input = input;
    s->columns = input->geometry.row_length;
    s->rows = qc_router_rows(input->count, s->columns);
    s->costs = (uint64_t *)(s + 1);
    s->row_map =
        (uint8_t *)(s->costs + (s->columns * SIDE > s->rows ? s->columns * SIDE : s->rows));
    s->best_row_map = s->row_map + s->rows;
    s->column_map = s->best_row_map + s->rows;
    s->best_column_map = s->column_map + s->columns;
    plan->cost = UINT64_MAX;
    plan->row_map = s->best_row_map;
    plan->column_map = s->best_column_map;
    for (size_t i = 0; i < numbers_tried(effort); i++)
        try_classes(s, tried[i][0], tried[i][1], plan);
}
