/*
 * Counts values into bins that are narrow where values are dense, in one pass and without
 * logarithms.
 *
 * The number of a bin is the upper bits of the float |deviation| + offset. A float's bits are
 * ordered as its value, and their upper part is the exponent and the first bits of the fraction: a
 * logarithm, piecewise linear. With the offset added, bins are of equal width below it, where most
 * values are, and grow in proportion to the deviation above it. So an outlier takes a bin of its
 * own far out, and costs the others nothing. Negative deviations mirror the positive ones. Centre
 * and offset are medians of a small sample; they decide how fine the bins are, never which values
 * are counted.
 *
 * First only bins around the middle are prepared; if a value is outside, twice as many are, and
 * counting continues where it stopped. Only if that does not suffice, because of huge outliers or
 * values that are not finite, is the range found first.
 */
#include "numeric/kmeans_histogram.h"

#include <math.h>

#include "base/float_bits.h"
#include "base/tasks.h"
#include "kernels/kernels.h"

#define FRACTION_BITS 23
#define SAMPLES       255 /* that determine centre and offset; the result does not depend on them */
#define MIN_OFFSET    0x1p-100f /* of the largest deviation */

/* Octaves of deviations, from the offset on, that have bins at first, and at most while the range
   of the values is not known: few enough that MIN_OFFSET plays no part. */
#define FIRST_OCTAVES 5
#define MAX_OCTAVES   64

static inline int32_t number_of(const qc_bin_scale *scale, float value)
{
    float deviation = value * QC_SHRINK - scale->centre;
    int32_t side =
        (int32_t)(qc_bits_of_f32(fabsf(deviation) + scale->offset) >> scale->shift) - scale->base;
    return side ^ -(int32_t)(deviation < 0); /* -1 - side if negative */
}

/* Where a bin begins. The bits after those of the largest floats are infinity's: there bins end. */
static double edge_of(uint32_t bits)
{
    return bits == QC_F32_INFINITY ? 0x1p128 : (double)qc_f32_of_bits(bits);
}

/* The width of a bin, of deviations that are not shrunk. */
static double width_of(const qc_bin_scale *scale, int32_t number)
{
    uint32_t side = (uint32_t)(scale->base + (number < 0 ? -1 - number : number));
    double width = edge_of((side + 1) << scale->shift) - edge_of(side << scale->shift);
    return width / (double)QC_SHRINK;
}

/* An integer that is ordered as floats are. */
static inline int32_t order_of(float value)
{
    uint32_t bits = qc_bits_of_f32(value);
    return (int32_t)(bits & QC_F32_SIGN ? QC_F32_SIGN - bits : bits);
}

static inline float value_at(int32_t order)
{
    uint32_t bits = order < 0 ? QC_F32_SIGN - (uint32_t)order : (uint32_t)order;
    return qc_f32_of_bits(bits);
}

/* The smallest and the largest value. */
static qc_status find_range(const float *values, size_t count, float *min, float *max,
                            qc_error *error)
{
    int32_t low = INT32_MAX, high = INT32_MIN; /* integers, so that the loop becomes vector code */
    for (size_t i = 0; i < count; i++) {
        int32_t order = order_of(values[i]);
        low = order < low ? order : low;
        high = order > high ? order : high;
    }
    int32_t infinity = (int32_t)QC_F32_INFINITY;
    QC_CHECK(low > -infinity && high < infinity, QC_INVALID, "k-means: values are not finite", 0, 0,
             0);
    *min = value_at(low);
    *max = value_at(high);
    return QC_OK;
}

/* Shell's sort, for a few numbers. */
static void sort(float *numbers, size_t count)
{
    static const size_t gaps[] = {57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++)
        for (size_t i = gaps[g]; i < count; i++) {
            float number = numbers[i];
            size_t place = i;
            for (; place >= gaps[g] && numbers[place - gaps[g]] > number; place -= gaps[g])
                numbers[place] = numbers[place - gaps[g]];
            numbers[place] = number;
        }
}

/* Centre and offset: the median of a sample, and the median of its deviations that are not 0, or 0
   if all are. The sample may hold infinities and NaN. */
static qc_bin_scale find_scale(const float *values, size_t count)
{
    float sample[SAMPLES];
    size_t samples = count < SAMPLES ? count : SAMPLES;
    for (size_t i = 0; i < samples; i++)
        sample[i] = values[(size_t)((double)i / (double)samples * (double)count)] * QC_SHRINK;
    sort(sample, samples);
    qc_bin_scale scale = {.centre = sample[samples / 2]};
    size_t zeros = 0;
    for (size_t i = 0; i < samples; i++) {
        sample[i] = fabsf(sample[i] - scale.centre);
        zeros += sample[i] == 0;
    }
    sort(sample, samples);
    if (zeros < samples)
        scale.offset = sample[zeros + (samples - zeros) / 2];
    return scale;
}

static void set_precision(qc_bin_scale *scale, unsigned precision)
{
    scale->shift = FRACTION_BITS - precision;
    scale->base = (int32_t)(qc_bits_of_f32(scale->offset) >> scale->shift);
}

/* What the values are counted into: numbers from `first` to `last`. */
typedef struct window {
    int32_t first, last;
    qc_value_bin *zero;    /* the bin of number 0 ... */
    qc_value_bin *in_turn; /* ... which is counted in these */
} window;

/* Values counted between two questions to the ticker, and how many of them are one of its steps. */
#define PIECE      ((size_t)1 << 20)
#define STEP_PARTS 16

/* Count values up to the block that has a number outside the window; returns how many. Values are
   read again to be summed: if they have changed, to NaN even, sums are of no use, but every bin is
   one of the window. */
static size_t count_piece(const qc_bin_scale *scale, const window *in, const float *values,
                          size_t count)
{
    enum { BLOCK = 512 }; /* apart from the counting, numbers are found by vectors */
    int32_t numbers[BLOCK];
    qc_bin_values_kernel *kernel = qc_kernels_selected()->bin_values;
    int32_t in_turn = (int32_t)(in->in_turn - in->zero);
    size_t start = 0;
    if (kernel != NULL)
        start = kernel(scale, in->first, in->last, values, count, in_turn, in->zero);
    for (size_t block; start < count; start += block) {
        block = count - start < BLOCK ? count - start : BLOCK;
        int32_t outside = 0;
        for (size_t i = 0; i < block; i++) {
            numbers[i] = number_of(scale, values[start + i]);
            outside |= (numbers[i] < in->first) | (numbers[i] > in->last);
            numbers[i] = numbers[i] == 0 ? in_turn + (int32_t)(i % QC_TURNS) : numbers[i];
        }
        if (outside)
            break;
        for (size_t i = 0; i < block; i++) {
            qc_value_bin *bin = in->zero + numbers[i];
            bin->sum += values[start + i];
            bin->count += 1;
        }
    }
    return start;
}

/* The same in pieces, and no further than the ticker allows. */
static size_t count_values(const qc_bin_scale *scale, const window *in, const float *values,
                           size_t count, qc_ticker *ticker)
{
    size_t done = 0;
    while (done < count && !qc_tick(ticker, PIECE / STEP_PARTS)) {
        size_t piece = count - done < PIECE ? count - done : PIECE;
        size_t counted = count_piece(scale, in, values + done, piece);
        done += counted;
        if (counted < piece)
            break;
    }
    return done;
}

/* Make the bins from -half to half - 1 those that are counted; the new ones are empty. */
static void widen(window *counted, int32_t half)
{
    int32_t before = -counted->first;
    size_t more = (size_t)(half - before) * sizeof *counted->zero;
    memset(counted->zero - half, 0, more);
    memset(counted->zero + before, 0, more);
    counted->first = -half;
    counted->last = half - 1;
}

/* Without bins yet, in memory of QC_VALUE_BINS_ROOM of them. */
static window no_window(qc_value_bin *bins)
{
    window empty = {0, -1, bins + QC_VALUE_BINS / 2, bins + QC_VALUE_BINS};
    memset(empty.in_turn, 0, QC_TURNS * sizeof *empty.in_turn);
    return empty;
}

/* Count all values, with few bins around the middle first, and more where values ask for it.
   Returns 0 if that does not suffice, as with huge outliers, infinities and NaN. */
static int count_around(const qc_bin_scale *scale, unsigned precision, const float *values,
                        size_t count, window *counted, qc_ticker *ticker)
{
    int32_t max_half = MAX_OCTAVES << precision;
    int32_t infinite = (int32_t)(QC_F32_INFINITY >> scale->shift) - scale->base;
    max_half = max_half < infinite ? max_half : infinite;
    max_half = max_half < (int32_t)QC_VALUE_BINS / 2 ? max_half : (int32_t)QC_VALUE_BINS / 2;
    for (size_t done = 0; done < count && !ticker->stopped;) {
        int32_t half = -counted->first;
        int32_t wider = half == 0 ? FIRST_OCTAVES << precision : 2 * half;
        wider = wider < max_half ? wider : max_half;
        if (wider <= half)
            return 0;
        widen(counted, wider);
        done += count_values(scale, counted, values + done, count - done, ticker);
    }
    return 1;
}

/* ---- blocks ---- */

/* Sums depend on the order of their terms. So many values are counted in blocks, whose sums are
   then added in the order of the blocks, on however many threads the blocks are counted. */
#define BLOCK_VALUES ((size_t)1 << 21)
#define MAX_BLOCKS   64

typedef struct block_bins {
    window counted;
    int is_around; /* count_around sufficed */
    qc_value_bin bins[QC_VALUE_BINS_ROOM];
} block_bins;

typedef struct counting {
    const float *values;
    size_t count, block;
    const qc_bin_scale *scale;
    unsigned precision;
    window *total;
    int is_around; /* in all blocks */
} counting;

static size_t block_of(size_t count)
{
    size_t least = (count + MAX_BLOCKS - 1) / MAX_BLOCKS;
    return least <= BLOCK_VALUES ? BLOCK_VALUES : (least + PIECE - 1) / PIECE * PIECE;
}

static int count_block(void *argument, size_t task, void *scratch, const qc_poll *poll)
{
    const counting *all = argument;
    block_bins *own = scratch;
    qc_ticker ticker = qc_ticker_of(poll);
    size_t start = task * all->block, left = all->count - start;
    own->counted = no_window(own->bins);
    own->is_around = count_around(all->scale, all->precision, all->values + start,
                                  left < all->block ? left : all->block, &own->counted, &ticker);
    return ticker.stopped;
}

static void add_bins(qc_value_bin *to, const qc_value_bin *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i].sum += from[i].sum;
        to[i].count += from[i].count;
    }
}

static void add_block(void *argument, size_t task, void *scratch)
{
    counting *all = argument;
    const block_bins *own = scratch;
    const window *counted = &own->counted;
    (void)task;
    all->is_around &= own->is_around;
    if (!all->is_around)
        return;
    if (counted->first < all->total->first)
        widen(all->total, -counted->first);
    add_bins(all->total->zero + counted->first, counted->zero + counted->first,
             (size_t)(counted->last - counted->first + 1));
    add_bins(all->total->in_turn, counted->in_turn, QC_TURNS);
}

/* count_around for blocks of values, on several threads; `spare` is room for one block. */
static int count_blocks(const qc_bin_scale *scale, unsigned precision, const float *values,
                        size_t count, window *counted, qc_ticker *ticker, void *spare)
{
    counting all = {values, count, block_of(count), scale, precision, counted, 1};
    qc_tasks tasks = {(count + all.block - 1) / all.block, sizeof(block_bins), &all, count_block,
                      add_block};
    if (tasks.count == 1)
        return count_around(scale, precision, values, count, counted, ticker);
    return qc_run_tasks(ticker, &tasks, spare) || all.is_around;
}

/* The same for any finite values: their range is found first. */
static qc_status count_in_range(qc_bin_scale *scale, unsigned precision, const float *values,
                                size_t count, qc_value_bin *bins, window *counted,
                                qc_ticker *ticker, qc_error *error)
{
    float min, max;
    QC_TRY(find_range(values, count, &min, &max, error));
    float below = scale->centre - min * QC_SHRINK, above = max * QC_SHRINK - scale->centre;
    float widest = below > above ? below : above, min_offset = widest * MIN_OFFSET;
    /* The centre is one of the values, unless they have changed since it was found. */
    QC_CHECK(below >= 0 && above >= 0 && scale->offset <= widest, QC_INVALID,
             "k-means: values change while they are read", 0, 0, 0);
    scale->offset = scale->offset > min_offset ? scale->offset : min_offset;
    do { /* first is at most 0 and last is at least 0: the centre is among the values */
        set_precision(scale, precision--);
        counted->first = number_of(scale, min);
        counted->last = number_of(scale, max);
    } while ((size_t)(counted->last - counted->first) >= QC_VALUE_BINS);
    counted->zero = bins - counted->first;
    memset(bins, 0, (size_t)(counted->last - counted->first + 1) * sizeof *bins);
    memset(counted->in_turn, 0, QC_TURNS * sizeof *counted->in_turn);
    size_t done = count_values(scale, counted, values, count, ticker);
    QC_GO_ON_IF(!ticker->stopped);
    QC_CHECK(done == count, QC_INVALID, "k-means: values change while they are read", done, done,
             count);
    return QC_OK;
}

/* Moves the bins that have values, at least one, to the front. */
static void gather(const qc_bin_scale *scale, const window *counted, qc_value_histogram *histogram)
{
    qc_value_bin *bins = counted->zero + counted->first;
    size_t filled = 0;
    for (size_t turn = 0; turn < QC_TURNS; turn++) {
        counted->zero->sum += counted->in_turn[turn].sum;
        counted->zero->count += counted->in_turn[turn].count;
    }
    for (int32_t number = counted->first; number <= counted->last; number++) {
        const qc_value_bin *bin = counted->zero + number;
        if (number == 0)
            histogram->middle = filled;
        if (bin->count > 0) {
            double width = width_of(scale, number);
            histogram->within += bin->count * width * width / 12;
            bins[filled++] = *bin;
        }
    }
    histogram->bins = bins;
    histogram->count = filled;
}

size_t qc_value_histogram_workspace(void) { return sizeof(block_bins); }

qc_status qc_value_histogram_fill(const float *values, size_t count, unsigned precision,
                                  qc_value_bin *bins, qc_value_histogram *histogram, void *spare,
                                  qc_ticker *ticker, qc_error *error)
{
    qc_bin_scale scale = find_scale(values, count);
    window counted = no_window(bins);
    set_precision(&scale, precision);
    if (!(scale.offset > 0) ||
        !count_blocks(&scale, precision, values, count, &counted, ticker, spare))
        QC_TRY(count_in_range(&scale, precision, values, count, bins, &counted, ticker, error));
    QC_GO_ON_IF(!ticker->stopped);
    *histogram = (qc_value_histogram){.centre = (double)scale.centre / (double)QC_SHRINK};
    gather(&scale, &counted, histogram);
    return QC_OK;
}
