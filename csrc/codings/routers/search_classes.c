/*
 * Searches for classes of rows and columns, as k-means does: every row goes to
 * the class whose tables cost it the fewest bits, then every column, then the tables are estimated
 * again from the symbols they now have. A few rounds suffice. The start orders rows and columns by
 * their cost under one table for all. Costs are estimates in whole numbers, so the result is the
 * same on all machines.
 *
 * A row's cost depends only on how often each symbol occurs in it under each class of columns. Rows
 * that are long enough have these *tallies*: then its cost under a class is a product of two short
 * vectors, and a row or column that changes its class changes the tallies of the other side and the
 * histograms of the tables. So the symbols are seen once or twice for each number of classes that
 * is tried, and then only those of the rows and columns that move. Columns are treated alike.
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

/* More members than this part are many. */
#define MANY_PART 6

/* Tallies are numbers of 16 bits. */
#define MAX_TALLY INT16_MAX
/* Rows that are tallied together. */
#define ROWS_IN_TURN 4
/* So many bytes of tallies stay in the L1 cache. */
#define TALLY_TILE ((size_t)1 << 14)

/* Rows, or columns. */
typedef struct side {
    size_t count;
    size_t length; /* symbols of the longest one */
    unsigned classes;
    uint8_t *map, *next_map, *best_map;
    uint64_t *start_costs; /* under one table for all */
    /* By member, class of the other side, and symbol. */
    int16_t *tallies;
    int has_tallies;
} side;

typedef struct search {
    const qc_router_input *input;
    side rows, columns;
    uint64_t *costs; /* SIDE per column */
    uint32_t histograms[QC_ROUTER_MAX_SUB_STREAMS][SYMBOLS];
    /* Of codes, in units of 2^-8 bits: by class of the side that is being assigned, class of the
       other side, and symbol. */
    int16_t lengths[QC_ROUTER_MAX_SUB_STREAMS * SYMBOLS];
} search;

static size_t row_end(const search *s, size_t row)
{
    size_t left = s->input->count - row * s->columns.count;
    return left < s->columns.count ? left : s->columns.count;
}

/* ---- tables ---- */

static uint32_t *histogram_of(search *s, const side *own, unsigned class, unsigned other)
{
    unsigned row = own == &s->rows ? class : other, column = own == &s->rows ? other : class;
    return s->histograms[row * s->columns.classes + column];
}

static void count_symbols(search *s)
{
    const uint8_t *symbols = s->input->symbols;
    size_t columns = s->columns.count;
    memset(s->histograms, 0, sizeof s->histograms);
    for (size_t row = 0; row < s->rows.count; row++, symbols += columns) {
        size_t end = row_end(s, row);
        uint32_t(*own)[SYMBOLS] = s->histograms + s->rows.map[row] * s->columns.classes;
        for (size_t column = 0; column < end; column++)
            own[s->columns.map[column]][symbols[column]]++;
    }
}

/* Of the codes of a side's classes. As if each symbol had been seen half a time more. */
static void estimate_lengths(search *s, const side *own, const side *other)
{
    unsigned symbols = 1u << s->input->width;
    int16_t *lengths = s->lengths;
    for (unsigned class = 0; class < own->classes; class ++)
        for (unsigned by = 0; by < other->classes; by++) {
            const uint32_t *counts = histogram_of(s, own, class, by);
            uint32_t total = 0;
            for (unsigned v = 0; v < symbols; v++)
                total += counts[v];
            unsigned all = qc_log2_fixed(2 * total + symbols);
            for (unsigned v = 0; v < symbols; v++)
                *lengths++ = (int16_t)(all - qc_log2_fixed(2 * counts[v] + 1));
        }
}

/* ---- tallies ---- */

static size_t tally_size(const search *s, const side *other)
{
    return (size_t)other->classes << s->input->width;
}

/* Several rows in turn: a count has to be stored before the next symbol of the same row can raise
   it. `rows` is a constant where this is inlined. */
static inline void tally_some_rows(const search *s, size_t row, size_t rows, size_t end)
{
    size_t size = tally_size(s, &s->columns), columns = s->columns.count;
    const uint8_t *symbols = s->input->symbols + row * columns;
    int16_t *tallies = s->rows.tallies + row * size;
    unsigned width = s->input->width;
    for (size_t column = 0; column < end; column++) {
        int16_t *own = tallies + ((size_t)s->columns.map[column] << width);
        for (size_t i = 0; i < rows; i++)
            own[i * size + symbols[i * columns + column]]++;
    }
}

static void tally_rows(search *s)
{
    size_t row = 0, whole = s->input->count / s->columns.count;
    memset(s->rows.tallies, 0, s->rows.count * tally_size(s, &s->columns) * sizeof(int16_t));
    for (; row + ROWS_IN_TURN <= whole; row += ROWS_IN_TURN)
        tally_some_rows(s, row, ROWS_IN_TURN, s->columns.count);
    for (; row < s->rows.count; row++)
        tally_some_rows(s, row, 1, row_end(s, row));
}

/* Some columns at a time, row by row. */
static void tally_columns(search *s)
{
    size_t size = tally_size(s, &s->rows), columns = s->columns.count;
    size_t tile = TALLY_TILE / (size * sizeof(int16_t)) + 1;
    unsigned width = s->input->width;
    memset(s->columns.tallies, 0, columns * size * sizeof(int16_t));
    for (size_t first = 0; first < columns; first += tile)
        for (size_t row = 0; row < s->rows.count; row++) {
            const uint8_t *symbols = s->input->symbols + row * columns;
            int16_t *tallies = s->columns.tallies + ((size_t)s->rows.map[row] << width);
            size_t end = row_end(s, row);
            end = end < first + tile ? end : first + tile;
            for (size_t column = first; column < end; column++)
                tallies[column * size + symbols[column]]++;
        }
}

static void tally(search *s, const side *own)
{
    if (own == &s->rows)
        tally_rows(s);
    else
        tally_columns(s);
}

/* The histograms of the tables: from the tallies of a side, if it has them. */
static void find_histograms(search *s, const side *own, const side *other)
{
    size_t symbols = (size_t)1 << s->input->width;
    const int16_t *tallies = own->tallies;
    if (!own->has_tallies) {
        count_symbols(s);
        return;
    }
    memset(s->histograms, 0, sizeof s->histograms);
    for (size_t i = 0; i < own->count; i++)
        for (unsigned by = 0; by < other->classes; by++, tallies += symbols) {
            uint32_t *counts = histogram_of(s, own, own->map[i], by);
            for (size_t v = 0; v < symbols; v++)
                counts[v] += (uint32_t)tallies[v];
        }
}

/* Members of a side are shorter than their tallies would be, or too long for them. */
static void prepare_side(search *s, side *own, const side *other)
{
    own->has_tallies =
        own->classes > 1 && own->length <= MAX_TALLY && own->length >= tally_size(s, other);
    if (own->has_tallies)
        tally(s, own);
}

/* A member goes from one class to another: the histograms of the tables and the tallies of the
   other side follow. */
static void move(search *s, const side *own, const side *other, size_t member, unsigned to)
{
    int is_row = own == &s->rows;
    unsigned from = own->map[member], width = s->input->width;
    size_t columns = s->columns.count, step = is_row ? 1 : columns;
    size_t at = is_row ? member * columns : member, size = tally_size(s, own);
    own->map[member] = (uint8_t)to;
    if (own->has_tallies) {
        const int16_t *tallies = own->tallies + member * tally_size(s, other);
        for (unsigned by = 0; by < other->classes; by++, tallies += (size_t)1 << width)
            for (unsigned v = 0; v < 1u << width; v++) {
                histogram_of(s, own, from, by)[v] -= (uint32_t)tallies[v];
                histogram_of(s, own, to, by)[v] += (uint32_t)tallies[v];
            }
    }
    for (size_t i = 0; i < other->count && at < s->input->count; i++, at += step) {
        unsigned v = s->input->symbols[at];
        if (!own->has_tallies) {
            histogram_of(s, own, from, other->map[i])[v]--;
            histogram_of(s, own, to, other->map[i])[v]++;
        }
        if (other->has_tallies) {
            other->tallies[i * size + ((size_t)from << width | v)]--;
            other->tallies[i * size + ((size_t)to << width | v)]++;
        }
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

/* The costs of a member under each class, by its tallies. */
static void find_costs(const search *s, const side *own, const side *other, size_t member,
                       uint64_t costs[SIDE])
{
    size_t size = tally_size(s, other);
    const int16_t *tallies = own->tallies + member * size, *lengths = s->lengths;
    for (unsigned class = 0; class < own->classes; class ++, lengths += size) {
        int32_t cost = 0;
        for (size_t i = 0; i < size; i++)
            cost += tallies[i] * lengths[i];
        costs[class] = (uint64_t)cost;
    }
}

/* Those of a row, by its symbols. */
static void find_row_costs(const search *s, size_t row, uint64_t costs[SIDE])
{
    const uint8_t *symbols = s->input->symbols + row * s->columns.count;
    size_t end = row_end(s, row), size = tally_size(s, &s->columns);
    unsigned width = s->input->width;
    const int16_t *lengths = s->lengths;
    for (unsigned class = 0; class < s->rows.classes; class ++, lengths += size) {
        costs[class] = 0;
        for (size_t column = 0; column < end; column++)
            costs[class] +=
                (uint64_t)lengths[(size_t)s->columns.map[column] << width | symbols[column]];
    }
}

/* Those of all columns. */
static void find_column_costs(search *s)
{
    size_t columns = s->columns.count, size = tally_size(s, &s->rows);
    memset(s->costs, 0, columns * SIDE * sizeof *s->costs);
    for (size_t row = 0; row < s->rows.count; row++) {
        const uint8_t *symbols = s->input->symbols + row * columns;
        const int16_t *lengths = s->lengths + ((size_t)s->rows.map[row] << s->input->width);
        size_t end = row_end(s, row);
        for (unsigned class = 0; class < s->columns.classes; class ++, lengths += size)
            for (size_t column = 0; column < end; column++)
                s->costs[column * SIDE + class] += (uint64_t)lengths[symbols[column]];
    }
}

/* If many members move, it is faster to count anew. */
static void change_classes(search *s, side *own, const side *other, size_t changed)
{
    if (changed > own->count / MANY_PART) {
        memcpy(own->map, own->next_map, own->count);
        if (other->has_tallies)
            tally(s, other);
        find_histograms(s, own, other);
        return;
    }
    for (size_t i = 0; i < own->count; i++)
        if (own->next_map[i] != own->map[i])
            move(s, own, other, i, own->next_map[i]);
}

/* Returns how many rows, or columns, change their class. */
static size_t assign(search *s, side *own, const side *other)
{
    size_t changed = 0;
    if (own->classes == 1)
        return 0;
    estimate_lengths(s, own, other);
    if (!own->has_tallies && own == &s->columns)
        find_column_costs(s);
    for (size_t i = 0; i < own->count; i++) {
        uint64_t own_costs[SIDE], *costs = own_costs;
        if (own->has_tallies)
            find_costs(s, own, other, i, costs);
        else if (own == &s->rows)
            find_row_costs(s, i, costs);
        else
            costs = s->costs + i * SIDE;
        own->next_map[i] = (uint8_t)cheapest(costs, own->classes);
        changed += own->next_map[i] != own->map[i];
    }
    change_classes(s, own, other, changed);
    return changed;
}

/* ---- the start: classes of about as many rows, by their cost under one table for all ---- */

static void find_start_costs(search *s)
{
    const uint8_t *symbols = s->input->symbols;
    size_t columns = s->columns.count;
    s->rows.classes = s->columns.classes = 1;
    memset(s->rows.map, 0, s->rows.count);
    memset(s->columns.map, 0, columns);
    count_symbols(s);
    estimate_lengths(s, &s->rows, &s->columns);
    memset(s->columns.start_costs, 0, columns * sizeof(uint64_t));
    for (size_t row = 0; row < s->rows.count; row++, symbols += columns) {
        size_t end = row_end(s, row);
        uint64_t cost = 0;
        for (size_t column = 0; column < end; column++) {
            uint64_t length = (uint64_t)s->lengths[symbols[column]];
            cost += length;
            s->columns.start_costs[column] += length;
        }
        s->rows.start_costs[row] = cost;
    }
}

static void by_rank(const side *own)
{
    const uint64_t *costs = own->start_costs;
    uint64_t min = UINT64_MAX, max = 0;
    size_t bins[BINS] = {0}, before = 0, count = own->count;
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
        bins[bin] = middle * own->classes / count;
    }
    for (size_t i = 0; i < count; i++)
        own->map[i] = (uint8_t)bins[(costs[i] - min) / step];
}

/* ---- the search ---- */

static uint64_t total_cost(const search *s)
{
    uint64_t cost = 0;
    for (unsigned target = 0; target < s->rows.classes * s->columns.classes; target++)
        cost += qc_router_cost(s->histograms[target], 1u << s->input->width);
    cost += s->rows.classes > 1 ? s->rows.count * MAP_ENTRY_COST : 0;
    return cost + (s->columns.classes > 1 ? s->columns.count * MAP_ENTRY_COST : 0);
}

static void try_classes(search *s, unsigned row_classes, unsigned column_classes,
                        qc_router_plan *plan)
{
    side *rows = &s->rows, *columns = &s->columns;
    rows->classes = row_classes;
    columns->classes = column_classes;
    by_rank(rows);
    by_rank(columns);
    prepare_side(s, rows, columns);
    prepare_side(s, columns, rows);
    find_histograms(s, rows->has_tallies ? rows : columns, rows->has_tallies ? columns : rows);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (qc_tick(s->input->ticker, s->input->count / ROUND_PART))
            return;
        size_t changed = assign(s, rows, columns);
        changed += assign(s, columns, rows);
        if (changed <= (rows->count + columns->count) / SETTLED_PART)
            break;
    }
    uint64_t cost = total_cost(s);
    if (cost >= plan->cost)
        return;
    plan->cost = cost;
    plan->row_classes = row_classes;
    plan->column_classes = column_classes;
    plan->targets = row_classes * column_classes;
    memcpy(rows->best_map, rows->map, rows->count);
    memcpy(columns->best_map, columns->map, columns->count);
}

/* Tallies take as many numbers as there are symbols, or fewer. */
size_t qc_router_find_classes_workspace(const qc_router_input *input)
{
    size_t columns = input->geometry.row_length, rows = qc_router_rows(input->count, columns);
    size_t tallies = 2 * (input->count + rows + columns) * sizeof(int16_t);
    return sizeof(search) + (columns * SIDE + rows + columns) * sizeof(uint64_t) + tallies +
           3 * (rows + columns);
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
    size_t columns = input->geometry.row_length, rows = qc_router_rows(input->count, columns);
    s->input = input;
    s->rows = (side){.count = rows, .length = columns};
    s->columns = (side){.count = columns, .length = rows};
    s->costs = (uint64_t *)(s + 1);
    s->rows.start_costs = s->costs + columns * SIDE;
    s->columns.start_costs = s->rows.start_costs + rows;
    s->rows.tallies = (int16_t *)(s->columns.start_costs + columns);
    s->columns.tallies = s->rows.tallies + rows * columns;
    s->rows.map = (uint8_t *)(s->columns.tallies + rows * columns);
    s->rows.next_map = s->rows.map + rows;
    s->rows.best_map = s->rows.next_map + rows;
    s->columns.map = s->rows.best_map + rows;
    s->columns.next_map = s->columns.map + columns;
    s->columns.best_map = s->columns.next_map + columns;
    plan->cost = UINT64_MAX;
    plan->row_map = s->rows.best_map;
    plan->column_map = s->columns.best_map;
    find_start_costs(s);
    for (size_t i = 0; i < numbers_tried(effort); i++)
        try_classes(s, tried[i][0], tried[i][1], plan);
}
