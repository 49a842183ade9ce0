/*
 * A partition that is near the cheapest one, in a fraction of the time.
 *
 * First comes the cheapest partition whose cuts are on a coarse grid of points, by the exact method
 * (kmeans_partition.c). In a good partition all clusters have about the same error, which the price
 * of a cluster tells, so the grid has cells of a small part of that error. Then cuts move off the
 * grid: each has a few places around it to choose from, and the best choice for all of them
 * together follows from dynamic programming over cuts and places. While some cut takes the first or
 * last of its places, this is repeated; then places come closer together, down to neighbouring
 * points. So the result is better than any partition whose cuts are a place or two away from it,
 * which neither Lloyd's steps nor cuts moved one by one promise.
 */
#include <math.h>

#include "numeric/kmeans_partition.h"

#define MIN_POINTS    16   /* per cluster: for fewer the exact method is as fast */
#define MANY_POINTS   512  /* per cluster: the grid is finer, as it hardly takes time then */
#define CELL_PART     1024 /* of the price of a cluster, which is twice its error: 8 to 16 cells */
#define FINE_PART     8192 /* 16 to 32 cells */
#define MIN_CELLS     4    /* per cluster; if there are fewer, ... */
#define MAX_CELLS     64   /* ... or more, the limit of their errors is ... */
#define CORRECTION    8    /* ... so many times too large or too small */
#define MAX_TRIES     8    /* until the exact method takes over */
#define PLACES        5    /* to choose from for each cut */
#define MIDDLE        (PLACES / 2)
#define MAX_ROUNDS    64
#define STEPS_PER_CUT 2 /* of the ticker */

typedef struct grid {
    qc_point *points; /* [limit + 1] */
    uint32_t *places; /* [limit + 1]: their numbers */
    size_t cells, limit;
} grid;

static size_t max_cells(size_t k) { return MAX_CELLS * k; }

/* Places are followed by what is aligned for double. */
static size_t places_bytes(size_t k) { return (max_cells(k) + 2) * sizeof(uint32_t); }

size_t qc_partition_near_workspace(size_t k)
{
    return (max_cells(k) + 1) * sizeof(qc_point) + places_bytes(k) +
           qc_partition_workspace(max_cells(k), k);
}

/* ---- the grid ---- */

/* Add cells that end at `last`, of errors up to `limit`, by halves. Returns 0 if there are too
   many. */
static int add_cells(grid *to, const qc_point *points, size_t first, size_t last, double limit)
{
    while (last - first > 1 && qc_error_between(points + first, points + last) > limit) {
        size_t middle = first + (last - first) / 2;
        if (!add_cells(to, points, first, middle, limit)) /* as deep as `last` has bits */
            return 0;
        first = middle;
    }
    if (to->cells == to->limit)
        return 0;
    to->cells++;
    to->points[to->cells] = points[last];
    to->places[to->cells] = (uint32_t)last;
    return 1;
}

/* Returns 0 if no limit gives a suitable number of cells. */
static int make_grid(grid *to, const qc_point *points, size_t count, size_t k, double limit)
{
    to->points[0] = points[0];
    to->places[0] = 0;
    for (unsigned tries = 0; tries < MAX_TRIES; tries++) {
        to->cells = 0;
        if (!add_cells(to, points, 0, count, limit))
            limit *= CORRECTION;
        else if (to->cells < MIN_CELLS * k)
            limit /= CORRECTION;
        else
            return 1;
    }
    return 0;
}

/* ---- cuts off the grid ---- */

/* How far apart the places of a cut are; in the end neighbouring points. `many` has the widths of
   cells at cuts. */
static inline size_t step_of(const qc_partition *run, size_t j, unsigned level)
{
    size_t step = run->many[j] >> level;
    return step > 1 ? step : 1;
}

/* Place number `p` of cut `j`. Each cut leaves a point for each cluster. */
static inline size_t place_of(const qc_partition *run, size_t j, size_t p, unsigned level)
{
    size_t cut = run->few[j], min = j, max = run->count - (run->k - j);
    size_t step = step_of(run, j, level);
    if (p < MIDDLE)
        return cut - min > (MIDDLE - p) * step ? cut - (MIDDLE - p) * step : min;
    return max - cut > (p - MIDDLE) * step ? cut + (p - MIDDLE) * step : max;
}

/* Move all cuts to the best of their places. Returns whether one took the first or last place.
   `from` has a row for each cut up to number k. */
static int move_cuts(qc_partition *run, unsigned level, uint8_t (*from)[PLACES])
{
    size_t places[PLACES], next[PLACES], p = 0;
    double costs[PLACES], next_costs[PLACES];
    int at_edge = 0;
    for (p = 0; p < PLACES; p++) {
        places[p] = place_of(run, 1, p, level);
        costs[p] = qc_error_between(run->points, run->points + places[p]);
    }
    for (size_t j = 2; j <= run->k; j++) {
        for (p = 0; p < PLACES; p++) {
            next[p] = j < run->k ? place_of(run, j, p, level) : run->count;
            next_costs[p] = INFINITY;
            for (size_t q = 0; q < PLACES && places[q] < next[p]; q++) {
                double cost =
                    costs[q] + qc_error_between(run->points + places[q], run->points + next[p]);
                if (cost < next_costs[p]) {
                    next_costs[p] = cost;
                    from[j][p] = (uint8_t)q;
                }
            }
        }
        memcpy(places, next, sizeof places);
        memcpy(costs, next_costs, sizeof costs);
    }
    p = 0;
    for (size_t j = run->k; j > 1; j--) {
        p = from[j][p];
        size_t place = place_of(run, j - 1, p, level);
        at_edge |= (p == 0 || p == PLACES - 1) && place != run->few[j - 1];
        run->few[j - 1] = (uint32_t)place;
    }
    return at_edge;
}

static int is_last(const qc_partition *run, unsigned level)
{
    for (size_t j = 1; j < run->k; j++)
        if (step_of(run, j, level) > 1)
            return 0;
    return 1;
}

static void leave_grid(qc_partition *run, const grid *from)
{
    unsigned level = 1;
    uint8_t(*rows)[PLACES] = (uint8_t(*)[PLACES])from->points; /* which are not needed any more */
    for (size_t j = 1; j < run->k; j++) {
        const uint32_t *place = from->places + run->few[j];
        run->many[j] = (place[1] - place[-1]) / 2;
        run->few[j] = *place;
    }
    run->few[run->k] = (uint32_t)run->count;
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        if (qc_tick(run->ticker, STEPS_PER_CUT * run->k))
            return;
        if (move_cuts(run, level, rows))
            continue;
        if (is_last(run, level))
            return;
        level++;
    }
}

/* Error of a cell up to which it is fine enough at this price. */
static double limit_of(const qc_partition *all, double guess)
{
    double cube = (double)all->k * (double)all->k * (double)all->k;
    double price = qc_error_between(all->points, all->points + all->count) / cube * guess;
    return price / (all->count < MANY_POINTS * all->k ? CELL_PART : FINE_PART);
}

qc_status qc_partition_find_near(qc_partition *run, const qc_point *points, size_t count, size_t k,
                                 double *guess, qc_ticker *ticker, void *workspace, qc_error *error)
{
    const qc_partition all = {.points = points, .count = count, .k = k};
    grid on = {.points = (qc_point *)workspace, .limit = max_cells(k)};
    on.places = (uint32_t *)(on.points + on.limit + 1);
    int is_fine = 0;
    for (unsigned tries = 0; tries < MAX_TRIES && !is_fine; tries++) {
        double limit = limit_of(&all, *guess);
        if (k < 2 || count < MIN_POINTS * k || !make_grid(&on, points, count, k, limit))
            return qc_partition_find(run, points, count, k, guess, ticker, workspace, error);
        QC_TRY(qc_partition_find(run, on.points, on.cells, k, guess, ticker,
                                 (uint8_t *)on.places + places_bytes(k), error));
        /* A guess that was much too high makes a grid that is much too coarse. */
        is_fine = limit <= CORRECTION * limit_of(&all, *guess) || on.cells == count;
    }
    run->points = points;
    run->count = count;
    leave_grid(run, &on);
    QC_GO_ON_IF(!ticker->stopped);
    return QC_OK;
}
