/*
 * The exact optimum of one-dimensional k-means.
 *
 * Charge every cluster a price and ask for the cheapest partition into any number of clusters.
 * That is a shortest path over the sorted values: best[j] = min over i of best[i] + error(i, j) +
 * price. The squared error satisfies the quadrangle inequality, so the i that is best for j never
 * moves back as j grows, and a queue of candidates, each with the j from which it takes over,
 * finds the path in about n log n steps at worst and a few n in practice.
 *
 * The optimum for k clusters is convex in k. So a price exists at which it is a cheapest
 * partition, and more clusters come of a lower price: we search for the price. Its neighbourhood
 * is found on a coarse grid of cuts first, and most often one or two passes over all values remain.
 * Where a price gives fewer than k or more, but never k, as happens with ties, two partitions at
 * the same price are spliced (Aggarwal, Schieber and Tokuyama 1994): by the same inequality, one
 * of the spliced paths has k clusters and is a cheapest one too.
 *
 * Memory is linear in n, and time does not grow with k.
 */
#include "kmeans.h"

#define COARSE_POINTS 16384
#define MAX_PRICES    100
#define PRICE_LEEWAY  1e-13 /* prices this near to each other are the same */

/* Running sums over distinct values: differences of two points describe the values between. */
typedef struct point {
    double weight; /* how many values stand before */
    double sum;
    double squares;
} point;

typedef struct program {
    const point *points; /* [count + 1] */
    size_t count;
    size_t k;
    double *best;        /* [count + 1]: cost of the cheapest partition of what stands before */
    uint32_t *previous;  /* [count + 1]: where its last cluster begins */
    uint32_t *candidate; /* [count + 1]: queue of beginnings ... */
    uint32_t *from;      /* [count + 1]: ... and the end from which each is the best */
    uint32_t *many;      /* [count + 1]: cuts of a cheapest partition of more than k clusters */
    uint32_t *few;       /* [k + 1]: of at most k clusters */
    size_t many_clusters, few_clusters;
} program;

static size_t coarse_points(size_t count) { return count < COARSE_POINTS ? count : COARSE_POINTS; }

size_t qc_kmeans_exact_workspace(size_t count, size_t k)
{
    size_t points = sizeof(point) * (count + 1 + coarse_points(count) + 1);
    return points + (sizeof(double) + 5 * sizeof(uint32_t)) * (count + 1) +
           sizeof(uint32_t) * (k + 1);
}

/* The index after the run of equal values that starts at `first`. */
static size_t end_of_run(const float *sorted, size_t first, size_t count)
{
    size_t end = first + 1;
    while (end < count && sorted[end] == sorted[first])
        end++;
    return end;
}

/* Fill points from the distinct values, summed outward from the median; returns their number. */
static size_t sum_values(const float *sorted, size_t count, point *points)
{
    double centre = qc_median(sorted, count);
    size_t distinct = 0, median = 0;
    for (size_t i = 0; i < count; i = end_of_run(sorted, i, count)) {
        if (sorted[i] == centre)
            median = distinct;
        points[distinct++].weight = (double)i;
    }
    points[distinct].weight = (double)count;
    points[median].sum = points[median].squares = 0;
    qc_running_sum sum = {0, 0}, squares = {0, 0};
    for (size_t p = median; p < distinct; p++) {
        double value = (double)sorted[(size_t)points[p].weight] - centre;
        double weight = points[p + 1].weight - points[p].weight;
        qc_running_add(&sum, weight * value);
        qc_running_add(&squares, weight * value * value);
        points[p + 1].sum = qc_running_total(&sum);
        points[p + 1].squares = qc_running_total(&squares);
    }
    sum = squares = (qc_running_sum){0, 0};
    for (size_t p = median; p > 0; p--) {
        double value = (double)sorted[(size_t)points[p - 1].weight] - centre;
        double weight = points[p].weight - points[p - 1].weight;
        qc_running_add(&sum, -weight * value);
        qc_running_add(&squares, -weight * value * value);
        points[p - 1].sum = qc_running_total(&sum);
        points[p - 1].squares = qc_running_total(&squares);
    }
    return distinct;
}

/* Cost of what stands before j if its last cluster begins at i, without that cluster's price. */
static inline double cost(const program *run, size_t i, size_t j)
{
    const point *first = run->points + i, *last = run->points + j;
    double sum = last->sum - first->sum;
    double error = last->squares - first->squares - sum * sum / (last->weight - first->weight);
    return run->best[i] + (error > 0 ? error : 0);
}

/* The least end above `end` from which the beginning `newer` is better than `older`, which it is
   not at `end`; count + 1 if there is none. It tends to be near: steps double, then halve. */
static size_t takeover(const program *run, size_t older, size_t newer, size_t end)
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
static size_t enqueue(program *run, size_t head, size_t tail, size_t newer)
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

/* Find the cheapest partition at a price a cluster; returns its number of clusters. */
static size_t solve(program *run, double price)
{
    size_t head = 0, tail = 1, clusters = 0;
    run->best[0] = 0;
    run->candidate[0] = 0;
    run->from[0] = 1;
    for (size_t j = 1; j <= run->count; j++) {
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
static void write_cuts(const program *run, size_t clusters, uint32_t *cuts)
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
   most k clusters then and, unless it is exactly k, `many` has more, both at that price. */
static double search_price(program *run, double price)
{
    double low = 0, high = 0; /* 0: unknown */
    run->few_clusters = run->many_clusters = 0;
    for (unsigned tries = 0; tries < MAX_PRICES; tries++) {
        size_t clusters = solve(run, price);
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

/* Make `few`, of fewer than k clusters, one of k: begin as `many` does, which has more cuts, and
   go over to few where a cluster of few holds the one of many that is just far enough ahead. */
static void splice(program *run)
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
static double coarse_price(const program *run, point *points, double price)
{
    program coarse = *run;
    coarse.count = coarse_points(run->count);
    coarse.points = points;
    for (size_t i = 0; i <= coarse.count; i++)
        points[i] = run->points[(size_t)((double)i / (double)coarse.count * (double)run->count)];
    points[coarse.count] = run->points[run->count];
    return search_price(&coarse, price);
}

/* Find the cuts of the optimal partition of more than k distinct values. */
static void find_cuts(program *run, point *coarse)
{
    const point *first = run->points, *last = run->points + run->count;
    double sum = last->sum - first->sum, weight = last->weight - first->weight;
    double k = (double)run->k;
    double price = (last->squares - first->squares - sum * sum / weight) / (k * k * k);
    if (run->count > 4 * COARSE_POINTS)
        price = coarse_price(run, coarse, price);
    search_price(run, price);
    if (run->few_clusters == 0)
        run->few_clusters = 1, run->few[0] = 0, run->few[1] = (uint32_t)run->count;
    if (run->few_clusters < run->k) {
        if (run->many_clusters == 0)
            for (run->many_clusters = 0; run->many_clusters <= run->count; run->many_clusters++)
                run->many[run->many_clusters] = (uint32_t)run->many_clusters;
        splice(run);
    }
}

/* The means of the clusters between the cuts. */
static void write_centroids(const program *run, const float *sorted, double centre,
                            float *centroids)
{
    for (size_t j = 0; j < run->few_clusters; j++) {
        const point *first = run->points + run->few[j], *last = run->points + run->few[j + 1];
        centroids[j] = (float)qc_range_mean(sorted, (size_t)first->weight, (size_t)last->weight,
                                            last->sum - first->sum, centre);
    }
    for (size_t j = run->few_clusters; j < run->k; j++)
        centroids[j] = centroids[run->few_clusters - 1];
}

qc_status qc_kmeans_exact(const float *sorted, size_t count, size_t k, float *centroids,
                          double *error_sum, void *workspace, qc_error *error)
{
    QC_TRY(qc_kmeans_check(sorted, count, k, error));
    point *points = (point *)workspace;
    point *coarse = points + count + 1;
    program run = {.points = points, .count = sum_values(sorted, count, points), .k = k};
    run.best = (double *)(coarse + coarse_points(count) + 1);
    run.previous = (uint32_t *)(run.best + count + 1);
    run.candidate = run.previous + count + 1;
    run.from = run.candidate + count + 1;
    run.many = run.from + count + 1;
    run.few = run.many + count + 1;
    if (run.count <= k) {
        run.few_clusters = run.count;
        for (size_t i = 0; i <= run.count; i++)
            run.few[i] = (uint32_t)i;
    } else {
        find_cuts(&run, coarse);
    }
    write_centroids(&run, sorted, qc_median(sorted, count), centroids);
    if (error_sum != NULL)
        *error_sum = qc_kmeans_error(sorted, count, centroids, k);
    return QC_OK;
}
