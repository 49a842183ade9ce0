/*
 * The scale of values that are exact multiples of it: value = scale * level in float32, for
 * integers. Such values were quantized before, and then stored as floats.
 *
 * A float32 stands for the interval of reals that round to it. If the smallest magnitude is level
 * k, the scale is in that interval divided by k. This determines the level of every other value,
 * whose own interval, divided by its level, narrows the interval of the scale, or leaves nothing:
 * then the next k is tried. The largest level bounds k by the ratio of the smallest to the largest
 * magnitude. Weights that are no multiples are refused after one or two values for each k.
 *
 * Intervals are computed in double, and only tell where to look. The proof is the multiplication
 * that decoders make, for every value.
 */
#include "base/check.h"
#include "base/float_bits.h"
#include "base/ticker.h"
#include "qcodec_numeric.h"

#define MANTISSA_BITS 23
/* Scales are sought this much beyond their interval, more than double rounds in some operations. */
#define SLACK 0x1p-48

/* Of values that were quantized, some are small: their smallest magnitude has at most this level.
 */
#define MAX_FIRST_LEVEL 1024

/* Values between two questions to the ticker, and how many of them are one of its steps. */
#define PIECE       ((size_t)1 << 16)
#define STEP_VALUES 16

typedef struct interval {
    double low, high;
} interval;

typedef struct search {
    const float *values; /* of a group */
    size_t count;
    uint32_t min, max; /* the bits of the smallest and largest magnitude, without zeros */
    double max_level;
    interval scales;
    double inverse; /* of a scale of the interval */
    qc_ticker *ticker;
} search;

static inline uint32_t magnitude_of(float value) { return qc_bits_of_f32(value) & ~QC_F32_SIGN; }

static inline double value_of(uint32_t bits) { return (double)qc_f32_of_bits(bits); }

/* The reals that round to a magnitude, which is neither 0 nor infinite. */
static inline interval rounded_to(uint32_t magnitude)
{
    double value = value_of(magnitude), below = value - value_of(magnitude - 1);
    double above = magnitude + 1 < QC_F32_INFINITY ? value_of(magnitude + 1) - value : below;
    return (interval){value - 0.5 * below, value + 0.5 * above};
}

/* Find the extremes of finite values. Returns 0 if a value is not finite, or interrupted. */
static int find_extremes(search *search)
{
    uint32_t min = UINT32_MAX, max = 0;
    for (size_t start = 0; start < search->count; start += PIECE) {
        size_t end = search->count - start < PIECE ? search->count : start + PIECE;
        if (qc_tick(search->ticker, PIECE / STEP_VALUES))
            return 0;
        for (size_t i = start; i < end; i++) {
            uint32_t magnitude = magnitude_of(search->values[i]);
            uint32_t less = magnitude - 1; /* of 0 it is the largest */
            min = less < min ? less : min;
            max = magnitude > max ? magnitude : max;
        }
    }
    search->min = min + 1;
    search->max = max;
    return max < QC_F32_INFINITY;
}

/* Narrow the interval of the scale to what a magnitude allows. Returns 0 if nothing is left. */
static inline int narrow(search *search, uint32_t magnitude)
{
    interval value = rounded_to(magnitude), *scales = &search->scales;
    double quotient = value_of(magnitude) * search->inverse, level, low, high;
    if (!(quotient < search->max_level + 1)) /* also NaN: values may have changed */
        return 0;
    level = (double)(int32_t)(quotient + 0.5);
    low = level * scales->low;
    high = level * scales->high;
    if (low > value.high || high < value.low)
        return 0;
    if (low < value.low || high > value.high) {
        scales->low = low < value.low ? value.low / level : scales->low;
        scales->high = high > value.high ? value.high / level : scales->high;
        search->inverse = 2 / (scales->low + scales->high);
    }
    return 1;
}

/* Find the scales at which the smallest magnitude may have this level. */
static int find_interval(search *search, double level)
{
    interval min = rounded_to(search->min);
    search->scales = (interval){min.low / level, min.high / level};
    search->inverse = level / value_of(search->min);
    if (!narrow(search, search->max))
        return 0;
    for (size_t i = 0; i < search->count; i++) {
        uint32_t magnitude = magnitude_of(search->values[i]);
        if (i % PIECE == 0 && qc_tick(search->ticker, PIECE / STEP_VALUES))
            return 0;
        if (magnitude != 0 && !narrow(search, magnitude))
            return 0;
    }
    return 1;
}

/* The level of a value, whose order is that of the values; -0.0 is 0. Returns 0 unless the value is
   exactly the level times the scale. */
static inline int exact_level(float value, float scale, double inverse, double max_level,
                              int32_t *level)
{
    uint32_t bits = qc_bits_of_f32(value), magnitude = bits & ~QC_F32_SIGN;
    double quotient = value_of(magnitude) * inverse;
    if (!(quotient >= 0 && quotient < max_level + 0.5)) /* also NaN */
        return 0;
    *level = (int32_t)(quotient + 0.5);
    /* As bits: machines that multiply with more bits than a float has round only when they store.
     */
    if (qc_bits_of_f32(scale * (float)*level) != magnitude)
        return 0;
    if (bits & QC_F32_SIGN)
        *level = -*level;
    return 1;
}

/* Whether every value is exactly a level times the scale; finds the range of the levels. */
static int prove(const search *search, float scale, qc_levels *levels)
{
    double inverse = 1 / (double)scale;
    qc_levels found = {0, 0, 0};
    for (size_t i = 0; i < search->count; i++) {
        float value = search->values[i];
        int32_t level;
        if (i % PIECE == 0 && qc_tick(search->ticker, PIECE / STEP_VALUES))
            return 0;
        if (!exact_level(value, scale, inverse, search->max_level, &level))
            return 0;
        found.min = level < found.min ? level : found.min;
        found.max = level > found.max ? level : found.max;
        found.negative_zeros |= qc_bits_of_f32(value) == QC_F32_SIGN;
    }
    *levels = found;
    return 1;
}

/* Of the floats in the interval, the one with the fewest bits that is proved: perhaps the scale was
   of a narrower type, and trailing zeros are cheap. 0 if there is none. */
static float proved_scale(const search *search, qc_levels *levels)
{
    double low = search->scales.low * (1 - SLACK), high = search->scales.high * (1 + SLACK);
    uint32_t lowest = qc_bits_of_f32((float)low), before = 0;
    lowest += value_of(lowest) < low;
    for (unsigned bits = 0; bits <= MANTISSA_BITS; bits++) {
        uint32_t dropped = ((uint32_t)1 << (MANTISSA_BITS - bits)) - 1;
        uint32_t candidate = (lowest + dropped) & ~dropped;
        if (candidate == before || candidate == 0 || value_of(candidate) > high)
            continue;
        if (prove(search, qc_f32_of_bits(candidate), levels))
            return qc_f32_of_bits(candidate);
        before = candidate;
    }
    return 0;
}

/* The largest scale, 0 if there is none. */
static float find_scale(search *search, qc_levels *levels)
{
    double ratio = value_of(search->min) / value_of(search->max);
    double last = (search->max_level + 0.5) * ratio; /* level of the smallest magnitude */
    if (last > MAX_FIRST_LEVEL)
        last = MAX_FIRST_LEVEL;
    for (double level = 1; level <= last && !search->ticker->stopped; level++) {
        float scale = find_interval(search, level) ? proved_scale(search, levels) : 0;
        if (qc_tick(search->ticker, 1) || scale != 0)
            return scale;
    }
    return 0;
}

qc_status qc_equal_steps(const float *values, const size_t *ends, size_t groups, unsigned max_level,
                         float *scales, qc_levels *levels, size_t *done, const qc_poll *poll,
                         qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    size_t start = 0, group = 0;
    QC_CHECK(max_level >= 1 && max_level <= QC_MAX_LEVEL, QC_INVALID, "largest level", 0, max_level,
             QC_MAX_LEVEL);
    for (; group < groups; start = ends[group++]) {
        search search = {.values = values + start, .count = ends[group] - start};
        int zeros;
        search.max_level = max_level;
        search.ticker = &ticker;
        if (!find_extremes(&search))
            break;
        zeros = search.max == 0;
        scales[group] = zeros ? 0 : find_scale(&search, &levels[group]);
        if (zeros ? !prove(&search, 1, &levels[group]) : scales[group] == 0)
            break;
    }
    QC_GO_ON_IF(!ticker.stopped);
    *done = group;
    return QC_OK;
}

static inline void store_code(uint8_t *codes, size_t size, size_t i, int64_t code)
{
    uint16_t wide = (uint16_t)code;
    if (size == 1)
        codes[i] = (uint8_t)code;
    else
        memcpy(codes + 2 * i, &wide, sizeof wide);
}

/* Returns 0 if a value has no code, or if interrupted. */
static inline int group_codes(const float *values, size_t count, float scale, int64_t zero,
                              int negative_zeros, uint8_t *codes, size_t size, qc_ticker *ticker)
{
    double inverse = 1 / (double)scale;
    int64_t max = size == 1 ? UINT8_MAX : UINT16_MAX;
    for (size_t i = 0; i < count; i++) {
        float value = values[i];
        int32_t level;
        int64_t code;
        if (i % PIECE == 0 && qc_tick(ticker, PIECE / STEP_VALUES))
            return 0;
        if (!exact_level(value, scale, inverse, QC_MAX_LEVEL, &level))
            return 0;
        code = zero + level;
        if (negative_zeros)
            code -= qc_bits_of_f32(value) >> 31; /* all below 0 make room */
        if (code < 0 || code > max)
            return 0;
        store_code(codes, size, i, code);
    }
    return 1;
}

qc_status qc_step_codes(const float *values, const size_t *ends, size_t groups, const float *scales,
                        const int32_t *zeros, int negative_zeros, size_t code_size, void *codes,
                        const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    size_t start = 0;
    QC_CHECK(code_size == 1 || code_size == 2, QC_INVALID, "code size", 0, code_size, 2);
    for (size_t group = 0; group < groups; start = ends[group++]) {
        const float *from = values + start;
        size_t count = ends[group] - start;
        float scale = scales[group];
        int64_t zero = zeros[group];
        uint8_t *to = (uint8_t *)codes + start * code_size;
        int exact = code_size == 1
                        ? group_codes(from, count, scale, zero, negative_zeros, to, 1, &ticker)
                        : group_codes(from, count, scale, zero, negative_zeros, to, 2, &ticker);
        QC_GO_ON_IF(!ticker.stopped);
        QC_CHECK(exact, QC_INVALID, "values that are no multiples of the scale", start, group, 0);
    }
    return QC_OK;
}
