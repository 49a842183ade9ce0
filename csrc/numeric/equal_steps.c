/*
 * The scale of values that are exact multiples of it: value = scale * level in float32, for
 * integers, and rounded once more if the tensor is float16 or bfloat16. Such values were quantized
 * before, and then stored as floats.
 *
 * A value stands for the interval of reals that round to it. If the smallest magnitude is level k,
 * the scale is in that interval divided by k. This determines the level of every other value, whose
 * own interval, divided by its level, narrows the interval of the scale, or leaves nothing: then
 * the next k is tried. The largest level bounds k by the ratio of the smallest to the largest
 * magnitude. Weights that are no multiples are refused after one or two values for each k.
 *
 * The intervals of float16 and bfloat16 are so wide that large values may have several levels.
 * There are few distinct values, so they are taken by ascending magnitude: the levels of small
 * values are certain, and make those of larger ones certain. Where several levels remain, the
 * interval is narrowed to what any of them allows, and all values are gone through again.
 *
 * Intervals are computed in double, and only tell where to look. The proof is the multiplication
 * that decoders make, for every value.
 */
#include "numeric/steps.h"

#include <math.h>

#define MANTISSA_BITS    23
#define F16_LEAST_NORMAL (113u << 23) /* 2^-14 */
/* Scales are sought this much beyond their interval, more than double rounds in some operations. */
#define SLACK 0x1p-48
/* More than all that is lost by rounding ratios and scales. */
#define RATIO_SLACK 0x1p-40
/* Ratios are fixed-point numbers of so many bits after the point, below 2^24. */
#define RATIO_BITS 40

/* Of values that were quantized, some are small: their smallest magnitude has at most this level.
 */
#define MAX_FIRST_LEVEL 1024

/* How often values of 16 bits are gone through, to narrow the interval. */
#define MAX_TURNS 4
/* Parts of the interval in which a scale of such values is sought. */
#define STARTS 8
/* Distinct ones: levels of both signs, and two zeros. */
#define MAX_FEW (2 * QC_MAX_NARROW_LEVEL + 2)

typedef struct interval {
    double low, high;
} interval;

typedef struct search {
    const float *values; /* of a group; of f16 and bf16 each distinct one once */
    size_t count;
    qc_dtype dtype;
    uint32_t min, max; /* the bits of the smallest and largest magnitude, without zeros */
    double max_level;
    interval scales;
    double inverse; /* of a scale of the interval */
    qc_ticker *ticker;
} search;

static inline double value_of(uint32_t bits) { return (double)qc_f32_of_bits(bits); }

/* The first and last float32 that round to a magnitude of a type. Half way, the even one is it. */
static inline void find_preimage(qc_dtype dtype, uint32_t magnitude, uint32_t *first,
                                 uint32_t *last)
{
    const uint32_t half = dtype == QC_F16 ? 1u << 12 : 1u << 15; /* a unit in the last place */
    uint32_t odd = magnitude / half / 2 % 2;
    *first = dtype == QC_F32 ? magnitude : magnitude - half + odd;
    *last = dtype == QC_F32 ? magnitude : magnitude + half - odd;
    if (dtype == QC_F16 && magnitude <= F16_LEAST_NORMAL) { /* multiples of 2^-24 */
        float value = qc_f32_of_bits(magnitude);
        odd = (uint32_t)(value * 0x1p24f) % 2;
        *first = qc_bits_of_f32(value - 0x1p-25f) + odd;
        *last = qc_bits_of_f32(value + 0x1p-25f) - odd;
    }
}

/* The reals that round to a magnitude, which is neither 0 nor infinite. */
static inline interval rounded_to(qc_dtype dtype, uint32_t magnitude)
{
    uint32_t first, last;
    find_preimage(dtype, magnitude, &first, &last);
    double low = value_of(first), below = low - value_of(first - 1);
    double high = value_of(last), above = below;
    if (last + 1 < QC_F32_INFINITY)
        above = value_of(last + 1) - high;
    return (interval){low - 0.5 * below, high + 0.5 * above};
}

/* Find the extremes of finite values. Returns 0 if a value is not finite, or interrupted. */
static int find_extremes(search *search)
{
    uint32_t min = UINT32_MAX, max = 0;
    for (size_t start = 0; start < search->count; start += QC_STEP_PIECE) {
        size_t end = search->count - start < QC_STEP_PIECE ? search->count : start + QC_STEP_PIECE;
        if (qc_tick(search->ticker, QC_STEP_PIECE / QC_STEP_VALUES))
            return 0;
        for (size_t i = start; i < end; i++) {
            uint32_t magnitude = qc_magnitude_of_f32(search->values[i]);
            uint32_t less = magnitude - 1; /* of 0 it is the largest */
            min = less < min ? less : min;
            max = magnitude > max ? magnitude : max;
        }
    }
    search->min = min + 1;
    search->max = max;
    return max < QC_F32_INFINITY;
}

/* Narrow the interval of the scale to what a magnitude allows, at the levels that it may have.
   Returns 0 if nothing is left. */
static inline int narrow(search *search, uint32_t magnitude)
{
    interval value = rounded_to(search->dtype, magnitude), *scales = &search->scales;
    double quotient = value_of(magnitude) * search->inverse, level, first, last;
    if (!(quotient < 2 * QC_MAX_LEVEL)) /* also NaN: values may have changed */
        return 0;
    level = (double)(int32_t)(quotient + 0.5);
    if (level <= search->max_level && level * scales->low >= value.low &&
        level * scales->high <= value.high)
        return 1;
    first = ceil(value.low / scales->high * (1 - SLACK));
    last = floor(value.high / scales->low * (1 + SLACK));
    last = last < search->max_level ? last : search->max_level;
    if (first > last)
        return 0;
    scales->low = last * scales->low < value.low ? value.low / last : scales->low;
    scales->high = first * scales->high > value.high ? value.high / first : scales->high;
    search->inverse = 2 / (scales->low + scales->high);
    return 1;
}

static int narrow_all(search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        uint32_t magnitude = qc_magnitude_of_f32(search->values[i]);
        if (i % QC_STEP_PIECE == 0 && qc_tick(search->ticker, QC_STEP_PIECE / QC_STEP_VALUES))
            return 0;
        if (magnitude != 0 && !narrow(search, magnitude))
            return 0;
    }
    return 1;
}

/* Find the scales at which the smallest magnitude may have this level. */
static int find_interval(search *search, double level)
{
    interval min = rounded_to(search->dtype, search->min), before;
    search->scales = (interval){min.low / level, min.high / level};
    search->inverse = level / value_of(search->min);
    if (!narrow(search, search->max))
        return 0;
    for (unsigned turn = 0; turn < (search->dtype == QC_F32 ? 1 : MAX_TURNS); turn++) {
        before = search->scales;
        if (!narrow_all(search))
            return 0;
        if (search->scales.low == before.low && search->scales.high == before.high)
            break;
    }
    return 1;
}

/* Whether every value is exactly a level times the scale; finds the range of the levels. */
static int prove(const search *search, float scale, qc_levels *levels)
{
    qc_step step = qc_step_of(scale, search->dtype, (int32_t)search->max_level);
    qc_levels found = {0, 0, 0};
    for (size_t i = 0; i < search->count; i++) {
        float value = search->values[i];
        int32_t level;
        if (i % QC_STEP_PIECE == 0 && qc_tick(search->ticker, QC_STEP_PIECE / QC_STEP_VALUES))
            return 0;
        if (!qc_level_of(&step, value, &level))
            return 0;
        found.min = level < found.min ? level : found.min;
        found.max = level > found.max ? level : found.max;
        found.negative_zeros |= qc_bits_of_f32(value) == QC_F32_SIGN;
    }
    *levels = found;
    return 1;
}

/* Of the floats from `lowest` up to `high`, the one with the fewest bits that is proved: perhaps
   the scale was of a narrower type, and trailing zeros are cheap. 0 if there is none. */
static float proved_scale_from(const search *search, uint32_t lowest, double high,
                               qc_levels *levels)
{
    uint32_t before = 0;
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

/* A scale of the interval that is proved, 0 if none is found. Of f32, the lowest float of the
   interval is one, if there is one. Of f16 and bf16, its products may be half way between two
   numbers; and where values have several levels, parts of the interval have no scale. */
static float proved_scale(const search *search, qc_levels *levels)
{
    double low = search->scales.low * (1 - SLACK), high = search->scales.high * (1 + SLACK);
    uint32_t lowest = qc_bits_of_f32((float)low), highest = qc_bits_of_f32((float)high);
    lowest += value_of(lowest) < low;
    float scale = proved_scale_from(search, lowest, high, levels);
    for (uint32_t i = 0; i < STARTS && scale == 0 && search->dtype != QC_F32 && lowest < highest;
         i++)
        scale =
            proved_scale_from(search, lowest + 1 + (highest - lowest) / STARTS * i, high, levels);
    return scale;
}

/* The interval of the ratio of the largest magnitude to the smallest one, as fixed-point numbers.
 */
typedef struct ratio {
    uint64_t low, high;
} ratio;

/* The first level from `level` on, of the smallest magnitude, at which that of the largest one may
   be an integer. Without a division, this refuses most levels of most values. */
static unsigned next_level(const ratio *ratio, unsigned level, unsigned last)
{
    uint64_t low = ratio->low * level - 1, high = ratio->high * level;
    for (; level <= last && (low ^ high) >> RATIO_BITS == 0; level++) {
        low += ratio->low;
        high += ratio->high;
    }
    return level;
}

/* The largest scale, 0 if there is none. */
static float find_scale(search *search, qc_levels *levels)
{
    interval min = rounded_to(search->dtype, search->min);
    interval max = rounded_to(search->dtype, search->max);
    double low = max.low / min.high * (1 - RATIO_SLACK);
    double high = max.high / min.low * (1 + RATIO_SLACK);
    double most = search->max_level / low; /* of the smallest magnitude */
    unsigned last = most < MAX_FIRST_LEVEL ? (unsigned)most : MAX_FIRST_LEVEL;
    if (last == 0)
        return 0;
    ratio ratio = {(uint64_t)(low * ((uint64_t)1 << RATIO_BITS)),
                   (uint64_t)(high * ((uint64_t)1 << RATIO_BITS)) + 1};
    for (unsigned level = next_level(&ratio, 1, last); level <= last && !search->ticker->stopped;
         level = next_level(&ratio, level + 1, last)) {
        float scale = find_interval(search, level) ? proved_scale(search, levels) : 0;
        if (qc_tick(search->ticker, 1) || scale != 0)
            return scale;
    }
    return 0;
}

/* Of values of 16 bits, keep each distinct one once. Returns 0 if there are too many. */
static int reduce(search *search, float *few)
{
    if (search->dtype == QC_F32)
        return 1;
    search->count = qc_distinct_narrow(search->values, search->count, search->dtype, search->min,
                                       search->max, few, MAX_FEW, search->ticker);
    search->values = few;
    return search->count != 0;
}

/* Whether a group has equal steps, and which. */
static int find_steps(search *search, float *scale, qc_levels *levels)
{
    float few[MAX_FEW];
    if (!find_extremes(search))
        return 0;
    *scale = 0;
    if (search->max == 0)
        return prove(search, 1, levels);
    if (reduce(search, few))
        *scale = find_scale(search, levels);
    return *scale != 0;
}

qc_status qc_equal_steps(const float *values, const size_t *ends, size_t groups, qc_dtype dtype,
                         unsigned max_level, float *scales, qc_levels *levels, size_t *done,
                         const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    size_t start = 0, group = 0;
    QC_TRY(qc_step_dtype_check(dtype, error));
    QC_CHECK(max_level >= 1 && max_level <= (unsigned)qc_max_step_level(dtype), QC_INVALID,
             "largest level", 0, max_level, (uint64_t)qc_max_step_level(dtype));
    for (; group < groups; start = ends[group++]) {
        search search = {.values = values + start, .count = ends[group] - start, .dtype = dtype};
        search.max_level = max_level;
        search.ticker = &ticker;
        if (!find_steps(&search, &scales[group], &levels[group]))
            break;
    }
    QC_GO_ON_IF(!ticker.stopped);
    *done = group;
    return QC_OK;
}
