/*
 * The scale of values that are exact multiples of it: value = scale * level in float32, for
 * integers. Such values were quantized before, and then stored as floats.
 *
 * A float32 stands for the interval of reals that round to it. If the smallest magnitude is level
 * k, the scale is in that interval divided by k. This determines the level of every other value,
 * whose own interval, divided by its level, makes the interval of the scale narrower, or empty: then
 * the next k is tried. The largest level bounds k by the ratio of the smallest to the largest
 * magnitude, so weights that are no multiples are refused after a few divisions.
 *
 * Intervals are computed in double, and only tell where to look. The proof is the multiplication
 * that decoders make, for every value.
 */
#include "base/float_bits.h"
#include "qcodec_numeric.h"

#define MANTISSA_BITS 23
/* Intervals are this much wider than computed, more than double rounds in a few operations. */
#define SLACK 0x1p-48

typedef struct interval {
    double low, high;
} interval;

typedef struct magnitudes {
    const float *values;
    size_t count;
    float min, max; /* 0 if there are none but zeros */
} magnitudes;

static inline float magnitude_of(float value)
{
    return qc_f32_of_bits(qc_bits_of_f32(value) & ~QC_F32_SIGN);
}

/* The reals that round to a magnitude, which is not 0. */
static interval rounded_to(float magnitude)
{
    uint32_t bits = qc_bits_of_f32(magnitude);
    double value = (double)magnitude, below = (double)qc_f32_of_bits(bits - 1);
    double above = (double)qc_f32_of_bits(bits + 1);
    if (bits + 1 == QC_F32_INFINITY)
        above = value + (value - below);
    return (interval){(value + below) * 0.5, (value + above) * 0.5};
}

/* Returns 0 if a value is not finite. */
static int find_magnitudes(const float *values, size_t count, magnitudes *found)
{
    *found = (magnitudes){values, count, 0, 0};
    for (size_t i = 0; i < count; i++) {
        float magnitude = magnitude_of(values[i]);
        if (qc_bits_of_f32(magnitude) >= QC_F32_INFINITY)
            return 0;
        if (magnitude != 0 && (found->min == 0 || magnitude < found->min))
            found->min = magnitude;
        if (magnitude > found->max)
            found->max = magnitude;
    }
    return 1;
}

static inline double nearest_level(float magnitude, double inverse)
{
    return (double)(uint32_t)((double)magnitude * inverse + 0.5);
}

/* Narrow the interval of the scale down to what a magnitude allows. Returns 0 if nothing is left. */
static inline int narrow(float magnitude, interval *scale)
{
    interval value = rounded_to(magnitude);
    double level = nearest_level(magnitude, 2 / (scale->low + scale->high));
    if (level * scale->low > value.high || level * scale->high < value.low)
        return 0;
    if (level * scale->low < value.low)
        scale->low = value.low / level;
    if (level * scale->high > value.high)
        scale->high = value.high / level;
    return 1;
}

/* The scales with which the smallest magnitude may have this level. */
static int scales_of(const magnitudes *magnitudes, double level, interval *scale)
{
    interval first = rounded_to(magnitudes->min);
    *scale = (interval){first.low / level, first.high / level};
    if (!narrow(magnitudes->max, scale))
        return 0;
    for (size_t i = 0; i < magnitudes->count; i++) {
        float magnitude = magnitude_of(magnitudes->values[i]);
        if (magnitude != 0 && !narrow(magnitude, scale))
            return 0;
    }
    return 1;
}

/* The level of each value, with its sign. Returns 0 unless scale * level is exactly the value. */
static int prove(const magnitudes *magnitudes, float scale, unsigned max_level, int16_t *levels)
{
    double inverse = 1 / (double)scale;
    for (size_t i = 0; i < magnitudes->count; i++) {
        uint32_t bits = qc_bits_of_f32(magnitudes->values[i]);
        float magnitude = qc_f32_of_bits(bits & ~QC_F32_SIGN);
        double level = nearest_level(magnitude, inverse);
        if (level > max_level || scale * (float)level != magnitude)
            return 0;
        levels[i] = (int16_t)(bits & QC_F32_SIGN ? -(int)level : (int)level);
        if (bits == QC_F32_SIGN)
            levels[i] = QC_NEGATIVE_ZERO;
    }
    return 1;
}

/* Of the floats in an interval, the one with the fewest bits that is proved: the scale was perhaps
   of a narrower type, and trailing zeros are cheap. */
static float proved_scale(const magnitudes *magnitudes, interval scale, unsigned max_level,
                          int16_t *levels)
{
    double low = scale.low * (1 - SLACK), high = scale.high * (1 + SLACK);
    uint32_t lowest = qc_bits_of_f32((float)low), before = 0;
    lowest += (double)qc_f32_of_bits(lowest) < low;
    for (unsigned bits = 0; bits <= MANTISSA_BITS; bits++) {
        uint32_t dropped = ((uint32_t)1 << (MANTISSA_BITS - bits)) - 1;
        uint32_t candidate = (lowest + dropped) & ~dropped;
        float value = qc_f32_of_bits(candidate);
        if (candidate == before || candidate == 0 || (double)value > high)
            continue;
        if (prove(magnitudes, value, max_level, levels))
            return value;
        before = candidate;
    }
    return 0;
}

/* The largest scale of a group, 0 if there is none. */
static float find_scale(const magnitudes *magnitudes, unsigned max_level, int16_t *levels)
{
    double max_first = (max_level + 0.5) * (double)magnitudes->min / (double)magnitudes->max;
    for (double level = 1; level <= max_first; level++) {
        interval scale;
        float found;
        if (!scales_of(magnitudes, level, &scale))
            continue;
        found = proved_scale(magnitudes, scale, max_level, levels);
        if (found != 0)
            return found;
    }
    return 0;
}

size_t qc_equal_steps(const float *values, const uint16_t *counts, size_t groups, size_t limit,
                      unsigned max_level, float *scales, int16_t *levels)
{
    size_t group = 0;
    if (max_level > QC_MAX_LEVEL)
        max_level = QC_MAX_LEVEL;
    for (; group < groups; group++) {
        magnitudes magnitudes;
        int16_t *to = levels + group * limit;
        size_t count = counts[group] < limit ? counts[group] : limit;
        scales[group] = 0;
        if (!find_magnitudes(values + group * limit, count, &magnitudes))
            break;
        if (magnitudes.max != 0)
            scales[group] = find_scale(&magnitudes, max_level, to);
        else
            prove(&magnitudes, 1, max_level, to);
        if (magnitudes.max != 0 && scales[group] == 0)
            break;
    }
    return group;
}
