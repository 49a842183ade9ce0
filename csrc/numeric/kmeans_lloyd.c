/*
 * k-means by Lloyd's steps (Lloyd 1982) over sorted values: assign every value to the nearest
 * centroid, then move each centroid to the mean of its values, until nothing moves. Both steps
 * lower the squared error or leave it, so the method ends, in a local optimum.
 *
 * In one dimension a cluster is a range of the sorted values. So a step is one binary search per
 * cluster for its end, and the mean is a difference of two running sums: the time of a step does
 * not depend on the number of values. Running sums are centred on the median and compensated, see
 * kmeans.h. Only every APART-th is stored; those between are summed up from it when they are asked
 * for, in the same order and so to the same bits.
 */
#include "numeric/kmeans.h"

typedef struct lloyd {
    const float *sorted;
    size_t count;
    size_t k;
    double centre;
    double *squared;   /* [count]: for one of the starts, in the memory of the sums */
    qc_running_sum *up, *down; /* every APART-th sum of values less centre, from the median on */
    double *centroids; /* [k] ascending */
    size_t *ends;      /* [k + 1]: cluster j is [ends[j], ends[j + 1]) */
    qc_ticker ticker;  /* once it says stop, nothing is computed any more */
} lloyd;

/* In a ticker's steps: to find the end of one cluster, and to look at its ends. */
#define SEARCH_STEPS 4

#define APART 16

static size_t sums_of(size_t values) { return values / APART + 1; }

/* Bytes of the sums, and of the squared distances in the same place. */
static size_t sums_room(size_t count)
{
    size_t median = count / 2;
    size_t sums = sizeof(qc_running_sum) * (sums_of(median) + sums_of(count - median));
    size_t squared = sizeof(double) * count;
    return sums > squared ? sums : squared;
}

size_t qc_kmeans_workspace(size_t count, size_t k)
{
    return sizeof(double) * k + sums_room(count) + sizeof(size_t) * (k + 1);
}

/* splitmix64 (Steele, Lea, Flood): the next number of a sequence. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* Evenly in [0, 1). */
static double next_uniform(uint64_t *state) { return (double)(next_random(state) >> 11) * 0x1p-53; }

/* Keep centroids[0 .. filled] ascending: its last element moves to its place. */
static void sink_last(double *centroids, size_t filled)
{
    double value = centroids[filled];
    for (; filled > 0 && centroids[filled - 1] > value; filled--)
        centroids[filled] = centroids[filled - 1];
    centroids[filled] = value;
}

static void start_linear(lloyd *run)
{
    double min = run->sorted[0], max = run->sorted[run->count - 1];
    for (size_t j = 0; j < run->k; j++) {
        double part = run->k == 1 ? 0.5 : (double)j / (double)(run->k - 1);
        run->centroids[j] = min + (max - min) * part;
    }
}

static void start_density(lloyd *run)
{
    for (size_t j = 0; j < run->k; j++) {
        double quantile = ((double)j + 0.5) / (double)run->k;
        run->centroids[j] = run->sorted[(size_t)(quantile * (double)run->count)];
    }
}

/* k different values of the sample, each set equally likely (Floyd). `ends` holds the indices. */
static void start_forgy(lloyd *run, uint64_t *random)
{
    size_t *chosen = run->ends;
    for (size_t j = 0; j < run->k; j++) {
        size_t last = run->count > run->k ? run->count - run->k + j : j % run->count;
        size_t index = (size_t)(next_random(random) % (last + 1));
        for (size_t i = 0; i < j; i++)
            if (chosen[i] == index) {
                index = last;
                break;
            }
        chosen[j] = index;
        run->centroids[j] = run->sorted[index];
        sink_last(run->centroids, j);
    }
}

/* Draws each next centroid with a probability proportional to the squared distance to the nearest
   one so far. `running` holds the squared distances. */
static void start_plusplus(lloyd *run, uint64_t *random)
{
    double *squared = run->squared;
    size_t drawn = (size_t)(next_random(random) % run->count);
    for (size_t j = 0; j < run->k; j++) {
        double newest = run->sorted[drawn], total = 0;
        run->centroids[j] = newest;
        sink_last(run->centroids, j);
        for (size_t i = 0; i < run->count; i++) {
            if (!qc_kmeans_goes_on(&run->ticker, i))
                return;
            double distance = (double)run->sorted[i] - newest;
            double square = distance * distance;
            squared[i] = j == 0 || square < squared[i] ? square : squared[i];
            total += squared[i];
        }
        double target = next_uniform(random) * total;
        for (drawn = 0; drawn + 1 < run->count && target >= squared[drawn]; drawn++)
            target -= squared[drawn];
    }
}

static void start(lloyd *run, qc_kmeans_init init, uint64_t seed)
{
    uint64_t random = seed;
    switch (init) {
    case QC_KMEANS_LINEAR: start_linear(run); break;
    case QC_KMEANS_DENSITY: start_density(run); break;
    case QC_KMEANS_FORGY: start_forgy(run, &random); break;
    case QC_KMEANS_PLUSPLUS: start_plusplus(run, &random); break;
    }
}

/* The values from `from` on, the sum of which grows by each less the centre; below the median, the
   values before `from`, and it grows by the centre less each. */
static inline void add_values(const lloyd *run, size_t from, size_t count, int below,
                              qc_running_sum *sum)
{
    for (size_t i = 0; i < count; i++)
        qc_running_add(sum, below ? run->centre - (double)run->sorted[from - 1 - i]
                                  : (double)run->sorted[from + i] - run->centre);
}

static void sum_side(lloyd *run, size_t count, int below, qc_running_sum *sums)
{
    qc_running_sum sum = {0, 0};
    size_t median = run->count / 2;
    sums[0] = sum;
    for (size_t i = 0; count - i >= APART && qc_kmeans_goes_on(&run->ticker, i); i += APART) {
        add_values(run, below ? median - i : median + i, APART, below, &sum);
        sums[i / APART + 1] = sum;
    }
}

static void sum_values(lloyd *run)
{
    size_t median = run->count / 2;
    sum_side(run, run->count - median, 0, run->up);
    sum_side(run, median, 1, run->down);
}

/* The sum of the values before `end` less the centre, up to a constant. */
static double sum_before(const lloyd *run, size_t end)
{
    size_t median = run->count / 2;
    int below = end < median;
    size_t away = below ? median - end : end - median, stored = away - away % APART;
    qc_running_sum sum = (below ? run->down : run->up)[stored / APART];
    add_values(run, below ? median - stored : median + stored, away - stored, below, &sum);
    return qc_running_total(&sum);
}

/* Each value to the nearest centroid, the lower one of two equally near. */
static void assign(lloyd *run)
{
    run->ends[0] = 0;
    for (size_t j = 0; j + 1 < run->k; j++) {
        double middle = (run->centroids[j] + run->centroids[j + 1]) * 0.5;
        run->ends[j + 1] = qc_first_above(run->sorted, run->ends[j], run->count, middle);
    }
    run->ends[run->k] = run->count;
}

/* The distance of the value farthest from its centroid, which is an end of a cluster. */
static double farthest(const lloyd *run, double *value)
{
    double max = 0;
    for (size_t j = 0; j < run->k; j++) {
        size_t first = run->ends[j], last = run->ends[j + 1];
        for (size_t i = first; i < last; i = i + 1 < last ? last - 1 : last) {
            double distance = (double)run->sorted[i] - run->centroids[j];
            distance = distance < 0 ? -distance : distance;
            if (distance > max) {
                max = distance;
                *value = run->sorted[i];
            }
        }
    }
    return max;
}

/* Give every empty cluster the value that is then farthest from its centroid. Ends, because each
   time one more centroid is at a value and stays there; or all values have theirs. */
static void fill_empty_clusters(lloyd *run)
{
    for (size_t j = 0; j < run->k; j++) {
        double value = 0;
        if (run->ends[j] != run->ends[j + 1])
            continue;
        if (qc_tick(&run->ticker, SEARCH_STEPS * run->k) || farthest(run, &value) == 0)
            return;
        for (size_t i = j; i + 1 < run->k; i++)
            run->centroids[i] = run->centroids[i + 1];
        run->centroids[run->k - 1] = value;
        sink_last(run->centroids, run->k - 1);
        assign(run);
        j = (size_t)-1; /* clusters have moved: look from the first again */
    }
}

/* Each centroid to the mean of its cluster. Returns whether one moved. */
static int move_centroids(lloyd *run)
{
    int moved = 0;
    for (size_t j = 0; j < run->k; j++) {
        size_t first = run->ends[j], last = run->ends[j + 1];
        if (first == last)
            continue;
        double sum = sum_before(run, last) - sum_before(run, first);
        double mean = qc_range_mean(run->sorted, first, last, sum, run->centre);
        moved |= mean != run->centroids[j];
        run->centroids[j] = mean;
    }
    return moved;
}

/* The centroids of the clusters that are not empty; the last one fills up. */
static void write_centroids(const lloyd *run, float *centroids)
{
    size_t written = 0;
    for (size_t j = 0; j < run->k; j++)
        if (run->ends[j] != run->ends[j + 1])
            centroids[written++] = (float)run->centroids[j];
    for (size_t j = written; j < run->k; j++)
        centroids[j] = centroids[written - 1];
}

qc_status qc_kmeans_lloyd(const float *sorted, size_t count, size_t k, qc_kmeans_init init,
                          uint64_t seed, size_t max_steps, float *centroids, double *error_sum,
                          void *workspace, const qc_poll *poll, qc_error *error)
{
    QC_TRY(qc_kmeans_check(sorted, count, k, error));
    QC_CHECK(init <= QC_KMEANS_PLUSPLUS, QC_INVALID, "k-means: start", 0, init, QC_KMEANS_PLUSPLUS);
    lloyd run = {.sorted = sorted,
                 .count = count,
                 .k = k,
                 .centre = qc_median(sorted, count),
                 .ticker = qc_ticker_of(poll)};
    run.centroids = (double *)workspace;
    run.squared = run.centroids + k;
    run.ends = (size_t *)((uint8_t *)run.squared + sums_room(count));
    run.up = (qc_running_sum *)run.squared;
    run.down = run.up + sums_of(count - count / 2);
    start(&run, init, seed);
    sum_values(&run);
    QC_GO_ON_IF(!run.ticker.stopped);
    assign(&run);
    fill_empty_clusters(&run);
    for (size_t step = 0; step < max_steps && move_centroids(&run); step++) {
        QC_TICK(&run.ticker, SEARCH_STEPS * k);
        assign(&run);
        fill_empty_clusters(&run);
    }
    write_centroids(&run, centroids);
    if (error_sum != NULL)
        *error_sum = qc_kmeans_error(sorted, count, centroids, k, &run.ticker);
    QC_GO_ON_IF(!run.ticker.stopped);
    return QC_OK;
}
