/*
 * Work that is shared among threads gives the results of one thread, whatever the number of tasks
 * and the order in which they are done. The threads are those of a caller that does the tasks from
 * the last to the first, and merges them in order.
 */

#include "base/tasks.h"
#include "qcodec_numeric.h"
#include "support.h"

enum { COUNT = (1 << 22) + 77, K = 16 };

static size_t calls, ended; /* of `backwards`; and after which it says stop, 0: none */

static int goes_on(void *context)
{
    (void)context;
    return 0;
}

static int backwards(void *context, const qc_tasks *tasks)
{
    const qc_poll alone = {goes_on, context, NULL, 1};
    char **scratch = malloc(tasks->count * sizeof *scratch);
    calls++;
    for (size_t i = tasks->count; i-- > 0;) {
        scratch[i] = malloc(tasks->scratch_bytes + 1);
        memset(scratch[i], 0xA5, tasks->scratch_bytes + 1);
        CHECK(tasks->run(tasks->argument, i, scratch[i], &alone) == 0, "task %zu stopped", i);
    }
    for (size_t i = 0; i < tasks->count; i++) {
        if (tasks->merge != NULL)
            tasks->merge(tasks->argument, i, scratch[i]);
        free(scratch[i]);
    }
    free(scratch);
    return calls == ended;
}

static float *values;

static void fill(unsigned kind)
{
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < COUNT; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        float even = (float)(state >> 40) / (1 << 23) - 1;
        values[i] = kind == 2 && state % 3 != 0 ? 0 : even * even * even;
    }
    if (kind == 1)
        values[COUNT - 5] = 5000;
}

typedef struct results {
    float centroids[K], thresholds[4], means[4], low, high;
    double coarseness;
    int coarse[2];
    uint8_t *trits, *codes;
} results;

static void compute(const qc_poll *poll, results *to)
{
    const qc_grouping one = {1, 1}, rows = {1001, 400};
    const qc_affine_step step = {0.01, -100, 100, 100};
    qc_affine_step *steps = malloc(rows.count * sizeof *steps);
    float *thresholds = malloc(2 * rows.count * sizeof *thresholds);
    void *room = malloc(qc_kmeans_fast_workspace(K) + qc_ternary_best_workspace(2));
    for (size_t g = 0; g < rows.count; g++) {
        thresholds[2 * g] = thresholds[2 * g + 1] = (float)g / 800;
        steps[g] = step;
        steps[g].step *= (double)(g + 1) / 200;
    }
    CHECK(qc_kmeans_fast(values, COUNT, K, to->centroids, &to->coarseness, room, poll, NULL) == 0,
          "k-means");
    for (size_t sides = 1; sides <= 2; sides++)
        CHECK(qc_ternary_best(values, COUNT, sides, to->thresholds + 2 * sides - 2,
                              to->means + 2 * sides - 2, &to->coarse[sides - 1], room, poll,
                              NULL) == 0,
              "ternary");
    CHECK(qc_group_ranges(values, COUNT, &one, &to->low, &to->high, poll, NULL) == 0, "range");
    CHECK(qc_ternary_codes(values, COUNT, &rows, thresholds, to->trits, poll, NULL) == 0, "trits");
    CHECK(qc_affine_codes(values, COUNT, &rows, steps, 1, to->codes, poll, NULL) == 0, "codes");
    free(steps);
    free(thresholds);
    free(room);
}

static results empty(void)
{
    results new;
    memset(&new, 0, sizeof new);
    new.trits = calloc(COUNT, 1);
    new.codes = calloc(COUNT, 1);
    return new;
}

static void check_results(void)
{
    for (unsigned kind = 0; kind < 3; kind++) {
        results expected = empty(), found = empty();
        fill(kind);
        compute(NULL, &expected);
        for (size_t threads = 2; threads < 6; threads += 3) {
            const qc_poll poll = {goes_on, NULL, backwards, threads};
            calls = 0;
            compute(&poll, &found);
            CHECK(calls >= 6, "%zu calls shared their work", calls);
            CHECK(memcmp(&expected, &found, offsetof(results, trits)) == 0, "kind %u", kind);
            CHECK(memcmp(expected.trits, found.trits, COUNT) == 0, "kind %u: trits", kind);
            CHECK(memcmp(expected.codes, found.codes, COUNT) == 0, "kind %u: codes", kind);
        }
        free(expected.trits), free(expected.codes), free(found.trits), free(found.codes);
    }
}

/* A caller that ends the call, as by Ctrl-C. */
static void check_end(void)
{
    const qc_poll poll = {goes_on, NULL, backwards, 2};
    const qc_grouping one = {1, 1};
    float low, high, found[K];
    int coarse;
    void *room = malloc(qc_kmeans_fast_workspace(K) + qc_ternary_best_workspace(2));
    fill(0);
    calls = 0, ended = 1;
    CHECK(qc_group_ranges(values, COUNT, &one, &low, &high, &poll, NULL) == QC_INTERRUPTED,
          "range");
    calls = 0;
    CHECK(qc_kmeans_fast(values, COUNT, K, found, NULL, room, &poll, NULL) == QC_INTERRUPTED,
          "k-means");
    for (ended = 1; ended <= 2; ended++) { /* the histogram, and the values of some bins */
        calls = 0;
        CHECK(qc_ternary_best(values, COUNT, 1, found, found + 1, &coarse, room, &poll, NULL) ==
                  QC_INTERRUPTED,
              "ternary, call %zu", ended);
    }
    ended = 0;
    values[COUNT / 2] = (float)(1e30 * 1e30);
    CHECK(qc_group_ranges(values, COUNT, &one, &low, &high, &poll, NULL) == QC_INVALID, "infinity");
    free(room);
}

int main(void)
{
    values = malloc(COUNT * sizeof *values);
    check_results();
    check_end();
    free(values);
    return 0;
}
