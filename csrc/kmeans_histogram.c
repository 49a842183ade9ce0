/*
 * The number of a bin is the upper bits of a float, |deviation| + offset: equal steps below the
 * offset, steps that grow with the deviation above it. Negative deviations mirror the others.
 */
#include "kmeans_histogram.h"

#include <math.h>

#include "float_bits.h"

#define FRACTION_BITS 23
#define SHRINK        0.25f     /* so that deviations of finite values are finite */
#define SAMPLES       255       /* tell centre and offset: the result does not hang on them */
#define LEAST_OFFSET  0x1p-100f /* of the greatest deviation */

/* How deviations, shrunk, are numbered. */
typedef struct scale {
    float centre;
    float offset;
    unsigned shift;
    int32_t base; /* the number of deviation 0, before it is taken off */
} scale;

static inline int32_t number_of(const scale *by, float value)
{
    float deviation = value * SHRINK - by->centre;
    int32_t side = (int32_t)(qc_bits_of_f32(fabsf(deviation) + by->offset) >> by->shift) - by->base;
    return side ^ -(int32_t)(deviation < 0); /* -1 - side if negative */
}

/* The width of a bin, of deviations that are not shrunk. */
static double width_of(const scale *by, int32_t number)
{
    uint32_t side = (uint32_t)(by->base + (number < 0 ? -1 - number : number));
    double low = qc_f32_of_bits(side << by->shift), high = qc_f32_of_bits((side + 1) << by->shift);
    return (high - low) / (double)SHRINK;
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

/* The least and the greatest value. */
static qc_status find_range(const float *values, size_t count, float *least, float *greatest,
                            qc_error *error)
{
    int32_t low = INT32_MAX, high = INT32_MIN; /* integers, so that the loop becomes vectors */
    for (size_t i = 0; i < count; i++) {
        int32_t order = order_of(values[i]);
        low = order < low ? order : low;
        high = order > high ? order : high;
    }
    int32_t infinity = (int32_t)QC_F32_INFINITY;
    QC_CHECK(low > -infinity && high < infinity, QC_INVALID, "k-means: values are not finite", 0, 0,
             0);
    *least = value_at(low);
    *greatest = value_at(high);
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

/* Centre and offset: the median of a sample, and the median of its deviations that are not 0. */
static scale find_scale(const float *values, size_t count, float least, float greatest)
{
    float sample[SAMPLES];
    size_t samples = count < SAMPLES ? count : SAMPLES;
    for (size_t i = 0; i < samples; i++)
        sample[i] = values[(size_t)((double)i / (double)samples * (double)count)] * SHRINK;
    sort(sample, samples);
    scale by = {.centre = sample[samples / 2]};
    size_t zeros = 0;
    for (size_t i = 0; i < samples; i++) {
        sample[i] = fabsf(sample[i] - by.centre);
        zeros += sample[i] == 0;
    }
    sort(sample, samples);
    float below = by.centre - least * SHRINK, above = greatest * SHRINK - by.centre;
    by.offset = (below > above ? below : above) * LEAST_OFFSET;
    if (zeros < samples && sample[zeros + (samples - zeros) / 2] > by.offset)
        by.offset = sample[zeros + (samples - zeros) / 2];
    return by;
}

static void count_values(const scale *by, const float *values, size_t count, qc_value_bin *zero)
{
    enum { BLOCK = 512 }; /* apart from the counting, numbers are found by vectors */
    int32_t numbers[BLOCK];
    for (size_t start = 0; start < count; start += BLOCK) {
        size_t block = count - start < BLOCK ? count - start : BLOCK;
        for (size_t i = 0; i < block; i++)
            numbers[i] = number_of(by, values[start + i]);
        for (size_t i = 0; i < block; i++) {
            qc_value_bin *bin = zero + numbers[i];
            bin->sum += values[start + i];
            bin->count += 1;
        }
    }
}

/* Move the bins with values, of which there is one, to the front; `first` is the first number. */
static void gather(const scale *by, int32_t first, size_t span, qc_value_histogram *histogram)
{
    qc_value_bin *bins = histogram->bins;
    size_t filled = 0;
    for (size_t i = 0; i < span; i++) {
        int32_t number = first + (int32_t)i;
        if (number == 0)
            histogram->middle = filled;
        if (bins[i].count > 0) {
            double width = width_of(by, number);
            histogram->within += bins[i].count * width * width / 12;
            bins[filled++] = bins[i];
        }
    }
    histogram->count = filled;
}

qc_status qc_value_histogram_fill(const float *values, size_t count, unsigned precision,
                                  qc_value_bin *bins, qc_value_histogram *histogram,
                                  qc_error *error)
{
    float least, greatest;
    QC_TRY(find_range(values, count, &least, &greatest, error));
    scale by = find_scale(values, count, least, greatest);
    int32_t first, last; /* at most 0, at least 0: the centre is among the values */
    do {
        by.shift = FRACTION_BITS - precision--;
        by.base = (int32_t)(qc_bits_of_f32(by.offset) >> by.shift);
        first = number_of(&by, least);
        last = number_of(&by, greatest);
    } while ((size_t)(last - first) >= QC_VALUE_BINS);
    size_t span = (size_t)(last - first) + 1;
    memset(bins, 0, span * sizeof *bins);
    count_values(&by, values, count, bins - first);
    *histogram = (qc_value_histogram){.centre = (double)by.centre / (double)SHRINK, .bins = bins};
    gather(&by, first, span, histogram);
    return QC_OK;
}
