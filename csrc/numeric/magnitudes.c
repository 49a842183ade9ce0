/*
 * Counts magnitudes by the bits of the float: a histogram of the upper bits, then exact counts
 * within a narrow range. See magnitudes.h.
 */
#include "numeric/magnitudes.h"

#include "base/tasks.h"

/* While counting, a bin is one integer: the count above the sum. A turn is short enough for both:
   then they are moved to the bins. */
#define COUNT_SHIFT 40
#define ONE         ((uint64_t)1 << COUNT_SHIFT)
#define TURN        (((size_t)1 << (64 - COUNT_SHIFT)) - 1)

/* Neighbours are counted apart: a run of equal values, as zeros in pruned weights, need not wait
   for the counter each time. */
#define PARTS 2

/* Few values are in a narrow range of bits: most groups of this size have none. */
#define GROUP 32

size_t qc_count_magnitudes_workspace(size_t sides)
{
    return PARTS * sides * QC_MAGNITUDE_BINS * sizeof(uint64_t);
}

static inline void count_one(float value, uint32_t kept, uint64_t *counters)
{
    uint32_t bits = qc_bits_of_f32(value) & kept;
    counters[bits >> QC_LOW_BITS] += ONE | (bits & (QC_LOW_VALUES - 1));
}

static void count_turn(const float *values, size_t count, uint32_t kept, uint64_t *even,
                       uint64_t *odd)
{
    size_t i = 0;
    for (; count - i >= PARTS; i += PARTS) {
        count_one(values[i], kept, even);
        count_one(values[i + 1], kept, odd);
    }
    if (i < count)
        count_one(values[i], kept, even);
}

static void count_range(const float *values, size_t count, size_t sides, qc_magnitude_bin *bins,
                        qc_ticker *ticker, void *workspace)
{
    size_t span = sides * QC_MAGNITUDE_BINS;
    uint64_t *even = (uint64_t *)workspace, *odd = even + span;
    memset(bins, 0, span * sizeof *bins);
    for (size_t start = 0; start < count && !qc_tick(ticker, QC_TICKER_STEPS); start += TURN) {
        size_t turn = count - start < TURN ? count - start : TURN;
        memset(even, 0, PARTS * span * sizeof *even);
        count_turn(values + start, turn, qc_bits_of_sides(sides), even, odd);
        for (size_t bin = 0; bin < span; bin++) {
            bins[bin].count += (even[bin] >> COUNT_SHIFT) + (odd[bin] >> COUNT_SHIFT);
            bins[bin].low_sum += (even[bin] & (ONE - 1)) + (odd[bin] & (ONE - 1));
        }
    }
}

/* What tasks share. */
typedef struct counting {
    const float *values;
    size_t count, sides, tasks;
    qc_magnitude_bin *bins;
    uint32_t low, span, *exact;
} counting;

static const float *values_of(const counting *all, size_t task, size_t *count)
{
    size_t start = qc_task_start(task, all->tasks, all->count);
    *count = qc_task_start(task + 1, all->tasks, all->count) - start;
    return all->values + start;
}

static int count_task(void *argument, size_t task, void *scratch, const qc_poll *poll)
{
    const counting *all = argument;
    qc_magnitude_bin *bins = scratch;
    qc_ticker ticker = qc_ticker_of(poll);
    size_t count;
    const float *values = values_of(all, task, &count);
    count_range(values, count, all->sides, bins, &ticker, bins + all->sides * QC_MAGNITUDE_BINS);
    return ticker.stopped;
}

static void add_bins(void *argument, size_t task, void *scratch)
{
    const counting *all = argument;
    const qc_magnitude_bin *bins = scratch;
    (void)task;
    for (size_t bin = 0; bin < all->sides * QC_MAGNITUDE_BINS; bin++) {
        all->bins[bin].count += bins[bin].count;
        all->bins[bin].low_sum += bins[bin].low_sum;
    }
}

void qc_count_magnitudes(const float *values, size_t count, size_t sides, qc_magnitude_bin *bins,
                         qc_ticker *ticker, void *workspace)
{
    counting all = {values, count, sides, qc_few_tasks(ticker->poll, count), bins, 0, 0, NULL};
    size_t bytes = sides * QC_MAGNITUDE_BINS * sizeof *bins;
    qc_tasks tasks = {all.tasks, bytes + qc_count_magnitudes_workspace(sides), &all, count_task,
                      add_bins};
    if (tasks.count == 1) {
        count_range(values, count, sides, bins, ticker, workspace);
        return;
    }
    memset(bins, 0, bytes);
    qc_run_tasks(ticker, &tasks, NULL);
}

/* Whether any of a group of values is one of those. */
static inline int any_of_group(const float *values, uint32_t kept, uint32_t low, uint32_t span)
{
    uint32_t any = 0; /* no branches, so that the loop becomes vectors */
    for (size_t i = 0; i < GROUP; i++)
        any |= (qc_bits_of_f32(values[i]) & kept) - low < span;
    return any != 0;
}

static void count_group(const float *values, size_t count, uint32_t kept, uint32_t low,
                        uint32_t span, uint32_t *exact)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t place = (qc_bits_of_f32(values[i]) & kept) - low;
        if (place < span)
            exact[place]++;
    }
}

static void count_bits_of(const counting *all, const float *values, size_t count, uint32_t *exact)
{
    uint32_t kept = qc_bits_of_sides(all->sides), low = all->low, span = all->span;
    size_t i = 0;
    for (; count - i >= GROUP; i += GROUP)
        if (any_of_group(values + i, kept, low, span))
            count_group(values + i, GROUP, kept, low, span, exact);
    count_group(values + i, count - i, kept, low, span, exact);
}

static int count_bits_task(void *argument, size_t task, void *scratch, const qc_poll *poll)
{
    const counting *all = argument;
    size_t count;
    const float *values = values_of(all, task, &count);
    (void)poll; /* short: at the speed of memory */
    memset(scratch, 0, all->span * sizeof *all->exact);
    count_bits_of(all, values, count, scratch);
    return 0;
}

static void add_exact(void *argument, size_t task, void *scratch)
{
    const counting *all = argument;
    const uint32_t *exact = scratch;
    (void)task;
    for (uint32_t i = 0; i < all->span; i++)
        all->exact[i] += exact[i];
}

void qc_count_bits(const float *values, size_t count, size_t sides, uint32_t low, uint32_t span,
                   uint32_t *exact, qc_ticker *ticker)
{
    counting all = {values, count, sides, qc_few_tasks(ticker->poll, count),
                    NULL,   low,   span,  exact};
    qc_tasks tasks = {all.tasks, span * sizeof *exact, &all, count_bits_task, add_exact};
    if (tasks.count == 1)
        count_bits_of(&all, values, count, exact);
    else
        qc_run_tasks(ticker, &tasks, NULL);
}
