/*
 * The cheapest partition of sorted, weighted points into k clusters, in a time that hardly depends
 * on k.
 *
 * In one dimension optimal clusters are ranges of the sorted points, so the task is to choose
 * the cuts between them. The textbook way is dynamic programming over (points, clusters); with
 * SMAWK or divide and conquer it takes time in proportion to n times k. Two ideas remove k.
 *
 * A price per cluster (a Lagrangian multiplier; "aliens trick"). Drop the number of clusters, and
 * charge each cluster a price. The cheapest partition into any number of clusters is a shortest
 * path over the points: best[j] = min over i < j of best[i] + error(i, j) + price. A lower price
 * gives more clusters. The optimal error is convex in k, because the squared error satisfies the
 * quadrangle inequality, so for each k there is a price at which an optimal partition into k
 * clusters is among the cheapest. We search for that price: first on a coarse grid of cuts, then
 * over all points, where one or two passes are usually enough.
 *
 * A queue of candidates (Hirschberg and Larmore 1987; Galil and Giancarlo 1989). By the same
 * inequality, once a later start i of the last cluster is better than an earlier one for some end
 * j, it stays better for all later ends. So the candidates are a queue, each with the first end
 * from which it is the best. A new candidate removes those that it beats from their own first end
 * on; where it takes over from the last one that remains is found by a binary search that starts
 * close by. A pass takes n log n steps at worst and a few n in practice. Invariant: the queue
 * holds the starts in ascending order, with ascending ends.
 *
 * Ties: a price may give fewer than k clusters or more, but never k. Two partitions at the same
 * price are then spliced (Aggarwal, Schieber and Tokuyama 1994): follow the one with more cuts
 * until a cluster of the other one contains one of its own that is just far enough ahead, and
 * change over. By the quadrangle inequality the result has exactly k clusters and is also a
 * cheapest one.
 *
 * Memory is linear in n.
 */
#include "numeric/kmeans_partition.h"

#include "base/bytes.h"

#define COARSE_POINTS   16384 /* of the grid of cuts, at most, ... */
#define COARSE_CELL     4     /* ... points per cut at least; and the grid is used ... */
#define COARSE_PER_MEAN 4     /* ... if each cluster has this many cells on average */
#define MAX_PRICES      100
#define PRICE_LEEWAY    1e-13 /* prices this near to each other are the same */
#define TICK_POINTS     256   /* between two questions to the ticker, ... */
#define TICK_STEPS      1024  /* ... which count as this many steps: a point takes a search */

static size_t coarse_points(size_t count)
{
    size_t points = count / COARSE_CELL;
    return points < COARSE_POINTS ? points : COARSE_POINTS;
}

size_t qc_partition_workspace(size_t count, size_t k)
{
    return sizeof(qc_point) * (coarse_points(count) + 1) +
           (sizeof(double) + 4 * sizeof(uint32_t)) * (count + 1) + sizeof(uint32_t) * (k + 1);
}

/* Cost of the points before j if their last cluster begins at i, without that cluster's price. */
static inline double cost(const qc_partition *run, size_t i, size_t j)
{
    return run->best[i] + qc_error_between(run->points + i, run->points + j);
}

/* The first end above `end` from which the beginning `newer` is better than `older`, which it is
   not at `end`; count + 1 if there is none. It tends to be near: steps double, then halve. */
static size_t takeover(const qc_partition *run, size_t older, size_t newer, size_t end)
{
    size_t step = 1, not_yet = end, beyond = run->count + 1;
    while (step < beyond - not_yet) {
        size_t probe = not_yet + step;
        if (cost(run, newer, probe) < cost(run, older, probe)) {
            beyond = probe;
            break;
        }
        not_yet = probe;
        step *= 2;
    }
    while (beyond - not_yet > 1) {
        size_t middle = not_yet + (beyond - not_yet) / 2;
        if (cost(run, newer, middle) < cost(run, older, middle))
            beyond = middle;
        else
            not_yet = middle;
    }
    return beyond;
}

/* Put the beginning `newer` behind the candidates in [head, tail); returns the new tail. */
static size_t enqueue(qc_partition *run, size_t head, size_t tail, size_t newer)
{
    while (tail > head) {
        size_t older = run->candidate[tail - 1];
        size_t from = run->from[tail - 1] > newer ? run->from[tail - 1] : newer + 1;
        if (cost(run, newer, from) < cost(run, older, from)) {
            tail--;
            continue;
        }
        from = takeover(run, older, newer, from);
        if (from <= run->count) {
            run->candidate[tail] = (uint32_t)newer;
            run->from[tail++] = (uint32_t)from;
        }
        return tail;
    }
    run->candidate[tail] = (uint32_t)newer;
    run->from[tail] = (uint32_t)newer + 1;
    return tail + 1;
}

/* Find the cheapest partition at a price a cluster; returns its number of clusters, 0 if the ticker
   says stop. */
static size_t solve(qc_partition *run, double price)
{
    size_t head = 0, tail = 1, clusters = 0;
    run->best[0] = 0;
    run->candidate[0] = 0;
    run->from[0] = 1;
    for (size_t j = 1; j <= run->count; j++) {
        if (j % TICK_POINTS == 0 && qc_tick(run->ticker, TICK_STEPS))
            return 0;
        while (head + 1 < tail && run->from[head + 1] <= j)
            head++;
        run->previous[j] = run->candidate[head];
        run->best[j] = cost(run, run->candidate[head], j) + price;
        if (j < run->count)
            tail = enqueue(run, head, tail, j);
    }
    for (size_t j = run->count; j > 0; j = run->previous[j])
        clusters++;
    return clusters;
}

/* The cuts of the solved partition, from 0 to count. */
static void write_cuts(const qc_partition *run, size_t clusters, uint32_t *cuts)
{
    size_t cut = run->count;
    for (size_t j = clusters; j > 0; j--) {
        cuts[j] = (uint32_t)cut;
        cut = run->previous[cut];
    }
    cuts[0] = 0;
}

/* A price between two positive ones, half the way by order of magnitude: doubles that are
   positive are ordered as their bits are. */
static double price_between(double low, double high)
{
    uint64_t low_bits, high_bits, middle_bits;
    double middle;
    memcpy(&low_bits, &low, sizeof low);
    memcpy(&high_bits, &high, sizeof high);
    middle_bits = low_bits + (high_bits - low_bits) / 2;
    memcpy(&middle, &middle_bits, sizeof middle);
    return middle;
}

/* Search for the price of k clusters, from a first guess. Returns the last price; `few` has at
   most k clusters then and, unless it is exactly k, `many` has more, both at that price. Ends early
   if the ticker says stop. */
static double search_price(qc_partition *run, double price)
{
    double low = 0, high = 0; /* 0: unknown */
    run->few_clusters = run->many_clusters = 0;
    for (unsigned tries = 0; tries < MAX_PRICES; tries++) {
        size_t clusters = solve(run, price);
        if (run->ticker->stopped)
            break;
        if (clusters > run->k) {
            low = price;
            run->many_clusters = clusters;
            write_cuts(run, clusters, run->many);
        } else {
            high = price;
            run->few_clusters = clusters;
            write_cuts(run, clusters, run->few);
        }
        if (clusters == run->k || (low > 0 && high > 0 && high - low <= PRICE_LEEWAY * high))
            break;
        /* For any smooth distribution the price falls with the cube of k. */
        double ratio = (double)clusters / (double)run->k;
        double next = price * ratio * ratio * ratio;
        int inside = next > low && (high == 0 || next < high);
        int enclosed = low > 0 && high > 0;
        price = enclosed && (tries > 8 || !inside) ? price_between(low, high) : next;
    }
    return price;
}

/* Makes `few`, which has fewer than k clusters, one of k: begins as `many`, which has more, and
   changes over where a cluster of few contains the cluster of many that is just far enough ahead.
 */
static void splice(qc_partition *run)
{
    size_t missing = run->k - run->few_clusters;
    size_t i = 0;
    /* Ends at the last cluster of few at the latest: its end is not below any cut. */
    while (run->many[i + missing + 1] > run->few[i + 1])
        i++;
    for (size_t j = run->few_clusters; j > i; j--)
        run->few[j + missing] = run->few[j];
    for (size_t j = 0; j <= i + missing; j++)
        run->few[j] = run->many[j];
    run->few_clusters = run->k;
}

/* A guess at the price, from the same search over a coarse grid of cuts. */
static double coarse_price(const qc_partition *run, qc_point *points, double price)
{
    qc_partition coarse = *run;
    coarse.count = coarse_points(run->count);
    coarse.points = points;
    for (size_t i = 0; i <= coarse.count; i++)
        points[i] = run->points[(size_t)((double)i / (double)coarse.count * (double)run->count)];
    points[coarse.count] = run->points[run->count];
    return search_price(&coarse, price);
}

/* Find the cuts of the optimal partition of more than k distinct values, unless the ticker says
   stop. */
static void find_cuts(qc_partition *run, qc_point *coarse, double *guess)
{
    double k = (double)run->k;
    double unit = qc_error_between(run->points, run->points + run->count) / (k * k * k);
    double price = unit * *guess;
    if (coarse_points(run->count) >= COARSE_PER_MEAN * run->k)
        price = coarse_price(run, coarse, price);
    price = search_price(run, price);
    if (run->ticker->stopped)
        return;
    if (run->few_clusters == run->k && unit > 0 && price > 0)
        *guess = price / unit;
    if (run->few_clusters == 0)
        run->few_clusters = 1, run->few[0] = 0, run->few[1] = (uint32_t)run->count;
    if (run->few_clusters < run->k) {
        if (run->many_clusters == 0)
            for (run->many_clusters = 0; run->many_clusters <= run->count; run->many_clusters++)
                run->many[run->many_clusters] = (uint32_t)run->many_clusters;
        splice(run);
    }
}

qc_status qc_partition_find(qc_partition *run, const qc_point *points, size_t count, size_t k,
                            double *guess, qc_ticker *ticker, void *workspace, qc_error *error)
{
    qc_point *coarse = (qc_point *)workspace;
    *run = (qc_partition){.points = points, .count = count, .k = k, .ticker = ticker};
    run->best = (double *)(coarse + coarse_points(count) + 1);
    run->previous = (uint32_t *)(run->best + count + 1);
    run->candidate = run->previous + count + 1;
    run->from = run->candidate + count + 1;
    run->many = run->from + count + 1;
    run->few = run->many + count + 1;
    if (count > k) {
        find_cuts(run, coarse, guess);
        QC_GO_ON_IF(!ticker->stopped);
        return QC_OK;
    }
    run->few_clusters = count;
    for (size_t i = 0; i <= count; i++)
        run->few[i] = (uint32_t)i;
    return QC_OK;
}
