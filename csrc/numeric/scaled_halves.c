/*
 * The scale of values that are floats of 16 bits times it: value = scale * half in float32, rounded
 * once. Nets that are trained in float16 have such weights once their batch normalisation is
 * folded.
 *
 * Only significands count at first: powers of two change no bit of them. If a value's half has the
 * significand k, one of 1024 in f16 and of 128 in bf16, the scale's is that of value / k. So the
 * first value gives that many candidates, and each other value refutes all but about one in 4096 of
 * the wrong ones, because value / scale has to be so near to one of the few halves: a float32 has
 * 2^13 times as many significands as an f16. A dozen values leave the right one, or none, after a
 * few microseconds. Candidates whose halves end with zeros come first, so the largest scale of
 * several is found.
 *
 * A float32 stands for the interval of reals that round to it. Divided by its half, it is an
 * interval of the scale: those of all values narrow it. Of the floats inside, the one with the most
 * trailing zeros is tried first. The proof is the multiplication that decoders make, for every
 * value.
 *
 * The power of two is free. It is chosen so that the mean exponent of the halves is 0, which makes
 * groups alike, unless halves would then be too large, or too small to keep all their bits.
 */
#include "base/check.h"
#include "base/float_bits.h"
#include "base/ticker.h"
#include "qcodec_numeric.h"

#define MANTISSA_BITS 23
#define DOUBLE_BITS   52
#define LEAST_NORMAL  ((uint32_t)1 << MANTISSA_BITS)
/* Scales are sought this much beyond their interval, more than double rounds in some operations. */
#define SLACK 0x1p-48
/* Half a unit of two float32 values, relative to them: as far as a quotient may be from a half. */
#define NEAR (0x1p-23 * (1 + 0x1p-20))

/* Values of different significands that refute candidates before all others do. */
#define WITNESSES 16
/* Candidates of a group that are compared with all of its values. */
#define MAX_PASSES 4

/* Values between two questions to the ticker, and how many of them are one of its steps. */
#define PIECE       ((size_t)1 << 14)
#define STEP_VALUES 16

/* What a type of 16 bits can hold. */
typedef struct half_type {
    qc_dtype dtype;
    unsigned bits; /* of the mantissa */
    int min, max;  /* exponents of normal numbers */
} half_type;

static const half_type F16 = {QC_F16, 10, -14, 15}, BF16 = {QC_BF16, 7, -126, 127};

typedef struct search {
    const float *values; /* of a group */
    size_t count;
    const half_type *type;
    double witnesses[WITNESSES];
    unsigned witness_count;
    double low, high; /* of the scale, between 1/2 and 4 */
    double inverse;   /* of a scale between them */
    qc_ticker *ticker;
} search;

static inline double value_of(uint32_t bits) { return (double)qc_f32_of_bits(bits); }

/* Of a normal number. */
static inline int exponent_of(double value)
{
    return (int)(qc_bits_of_f64(value) >> DOUBLE_BITS) - 1023;
}

static inline double power_of_two(int exponent)
{
    return qc_f64_of_bits((uint64_t)(exponent + 1023) << DOUBLE_BITS);
}

/* A positive number, rounded to as many bits as a normal half has; its exponent does not matter. */
static inline double nearest_half(double value, unsigned mantissa_bits)
{
    unsigned dropped = DOUBLE_BITS - mantissa_bits;
    uint64_t bits = qc_bits_of_f64(value) + ((uint64_t)1 << (dropped - 1));
    return qc_f64_of_bits(bits >> dropped << dropped);
}

static int has_time(const search *search, size_t values)
{
    return !qc_tick(search->ticker, values / STEP_VALUES + 1);
}

/* ---- candidates ---- */

/* Find values of different significands, between 1 and 2. Returns 0 if a value is not finite. */
static int find_witnesses(search *search)
{
    uint32_t seen[WITNESSES];
    search->witness_count = 0;
    for (size_t i = 0; i < search->count && search->witness_count < WITNESSES; i++) {
        uint32_t magnitude = qc_magnitude_of_f32(search->values[i]);
        uint32_t significand = magnitude & (LEAST_NORMAL - 1);
        unsigned known = 0;
        if (magnitude >= QC_F32_INFINITY || (i % PIECE == 0 && !has_time(search, PIECE)))
            return 0;
        if (magnitude < LEAST_NORMAL) /* too few bits to tell anything */
            continue;
        while (known < search->witness_count && seen[known] != significand)
            known++;
        if (known < search->witness_count)
            continue;
        seen[known] = significand;
        search->witnesses[search->witness_count++] =
            value_of((uint32_t)127 << MANTISSA_BITS | significand);
    }
    return 1;
}

/* What refuses most candidates by integers: the ratio of the second witness to the first one, with
   RATIO_BITS after the point. Times a candidate, it is near to a half, of which each is a multiple
   of 1/2 if candidates are integers from 2^bits on. */
#define RATIO_BITS 40
/* More than NEAR times the largest such product, 2^(10 + 2), and what is lost by rounding. */
#define RATIO_NEAR (((uint64_t)1 << 29) + ((uint64_t)1 << 13))

static inline int may_be_near(uint64_t ratio, uint64_t candidate)
{
    uint64_t distance = ratio * candidate + RATIO_NEAR;
    return (distance & (((uint64_t)1 << (RATIO_BITS - 1)) - 1)) <= 2 * RATIO_NEAR;
}

/* Whether every witness, divided by a scale, is near to a half. */
static inline int may_be_scale(const search *search, double inverse)
{
    for (unsigned i = 1; i < search->witness_count; i++) {
        double quotient = search->witnesses[i] * inverse;
        double distance = nearest_half(quotient, search->type->bits) - quotient;
        if (distance > quotient * NEAR || distance < -quotient * NEAR)
            return 0;
    }
    return 1;
}

/* ---- the interval of the scale ---- */

/* Narrow the interval of the scale to what a normal value allows. Returns 0 if nothing is left. */
static inline int narrow(search *search, double value, double below, double above)
{
    double half = nearest_half(value * search->inverse, search->type->bits);
    double low = half * search->low, high = half * search->high;
    double min = value - 0.5 * below, max = value + 0.5 * above;
    if (low > max || high < min)
        return 0;
    if (low < min || high > max) {
        search->low = low < min ? min / half : search->low;
        search->high = high > max ? max / half : search->high;
        search->inverse = 2 / (search->low + search->high);
    }
    return 1;
}

/* By the significands of the witnesses. */
static int narrow_by_witnesses(search *search)
{
    for (unsigned i = 1; i < search->witness_count; i++)
        if (!narrow(search, search->witnesses[i], search->witnesses[i] == 1 ? 0x1p-24 : 0x1p-23,
                    0x1p-23))
            return 0;
    return 1;
}

/* The normal values of a group. */
typedef struct extent {
    double min, max;   /* magnitudes */
    int64_t exponents; /* their sum */
    size_t count;
} extent;

/* Values below the least normal float32 allow too many scales to tell anything. */
static int narrow_by_all(search *search, extent *values)
{
    extent found = {2 * power_of_two(127), 0, 0, 0};
    for (size_t i = 0; i < search->count; i++) {
        uint32_t magnitude = qc_magnitude_of_f32(search->values[i]);
        double value = value_of(magnitude);
        if (i % PIECE == 0 && !has_time(search, PIECE))
            return 0;
        if (magnitude < LEAST_NORMAL)
            continue;
        double unit = power_of_two((int)(magnitude >> MANTISSA_BITS) - 127 - MANTISSA_BITS);
        double below = (magnitude & (LEAST_NORMAL - 1)) == 0 && magnitude > LEAST_NORMAL ? 0.5 : 1;
        if (magnitude >= QC_F32_INFINITY || !narrow(search, value, below * unit, unit))
            return 0;
        found.min = value < found.min ? value : found.min;
        found.max = value > found.max ? value : found.max;
        found.exponents += (int)(magnitude >> MANTISSA_BITS) - 127;
        found.count++;
    }
    *values = found;
    return found.count > 0; /* values may have changed */
}

/* ---- the scale ---- */

/* The half of a value. Returns 0 unless their product is exactly the value. */
static inline int exact_half(float value, float scale, double inverse, qc_dtype dtype,
                             uint16_t *half)
{
    uint32_t bits = qc_bits_of_f32(value), magnitude = bits & ~QC_F32_SIGN;
    uint32_t quotient = qc_bits_of_f32((float)(value_of(magnitude) * inverse));
    uint32_t found = dtype == QC_F16 ? qc_f16_of_f32(quotient) : qc_bf16_of_f32(quotient);
    uint32_t wide = dtype == QC_F16 ? qc_f32_of_f16(found) : qc_f32_of_bf16(found);
    *half = (uint16_t)(found | (bits & QC_F32_SIGN) >> 16);
    /* As bits: machines that multiply with more bits than a float has round only when they store.
     */
    return magnitude < QC_F32_INFINITY && qc_bits_of_f32(scale * qc_f32_of_bits(wide)) == magnitude;
}

static int prove(const search *search, float scale)
{
    double inverse = 1 / (double)scale;
    uint16_t half;
    for (size_t i = 0; i < search->count; i++) {
        if (i % PIECE == 0 && !has_time(search, PIECE))
            return 0;
        if (!exact_half(search->values[i], scale, inverse, search->type->dtype, &half))
            return 0;
    }
    return 1;
}

/* The exponent of the power of two that is taken from the halves and given to the scale. */
static int exponent_of_scale(const search *search, const extent *values)
{
    const half_type *type = search->type;
    int64_t count = (int64_t)values->count, sum = values->exponents;
    int mean = (int)((sum + (sum < 0 ? 1 - count : 0)) / count);
    int min = exponent_of(nearest_half(values->min * search->inverse, type->bits)) - type->min;
    int max = exponent_of(nearest_half(values->max * search->inverse, type->bits)) - type->max;
    mean = mean > min ? min : mean;
    mean = mean < max ? max : mean;
    return mean < -125 ? -125 : mean > 126 ? 126 : mean; /* the scale is a normal number */
}

/* Of the floats in the interval, the one with the fewest bits that is proved; 0 if there is none.
 */
static float proved_scale(const search *search, const extent *values)
{
    double power = power_of_two(exponent_of_scale(search, values));
    double low = search->low * power * (1 - SLACK), high = search->high * power * (1 + SLACK);
    uint32_t lowest = qc_bits_of_f32((float)low), before = 0;
    lowest += value_of(lowest) < low;
    for (unsigned bits = 0; bits <= MANTISSA_BITS; bits++) {
        uint32_t dropped = ((uint32_t)1 << (MANTISSA_BITS - bits)) - 1;
        uint32_t candidate = (lowest + dropped) & ~dropped;
        if (candidate == before || candidate == 0 || value_of(candidate) > high)
            continue;
        if (prove(search, qc_f32_of_bits(candidate)))
            return qc_f32_of_bits(candidate);
        before = candidate;
    }
    return 0;
}

/* The scale if the first witness has this half; 0 if there is none. *passes are counted down. */
static float scale_of(search *search, double half, unsigned *passes)
{
    extent values;
    double first = search->witnesses[0];
    search->low = (first - (first == 1 ? 0x1p-25 : 0x1p-24)) / half;
    search->high = (first + 0x1p-24) / half;
    search->inverse = half / first;
    if (!narrow_by_witnesses(search))
        return 0;
    --*passes;
    return narrow_by_all(search, &values) ? proved_scale(search, &values) : 0;
}

/* 0 if there is none. */
static float find_scale(search *search)
{
    unsigned bits = search->type->bits, passes = MAX_PASSES;
    double of_first = 1 / search->witnesses[0], second = search->witnesses[0];
    if (search->witness_count > 1)
        second = search->witnesses[1];
    uint64_t ratio = (uint64_t)(second * of_first * (double)((uint64_t)1 << RATIO_BITS));
    for (unsigned zeros = bits + 1; zeros-- > 0;) {
        unsigned step = zeros == bits ? 1 : 2; /* odd multiples of 2^zeros */
        if (!has_time(search, (size_t)1 << (bits - zeros)))
            return 0;
        for (unsigned k = (1u << (bits - zeros)) | (step - 1); k < 2u << (bits - zeros);
             k += step) {
            double half = (double)k / (double)(1u << (bits - zeros)); /* from 1 to 2 */
            if (!may_be_near(ratio, (uint64_t)k << zeros) || !may_be_scale(search, half * of_first))
                continue;
            float scale = scale_of(search, half, &passes);
            if (scale != 0 || passes == 0)
                return scale;
        }
    }
    return 0;
}

static const half_type *type_of(qc_dtype dtype) { return dtype == QC_F16 ? &F16 : &BF16; }

static qc_status check_dtype(qc_dtype dtype, qc_error *error)
{
    QC_CHECK(dtype == QC_F16 || dtype == QC_BF16, QC_INVALID, "dtype of halves", 0, dtype, QC_BF16);
    return QC_OK;
}

qc_status qc_scaled_halves(const float *values, const size_t *ends, size_t groups, qc_dtype dtype,
                           float *scales, size_t *done, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    size_t start = 0, group = 0;
    QC_TRY(check_dtype(dtype, error));
    for (; group < groups; start = ends[group++]) {
        search search = {.values = values + start, .count = ends[group] - start};
        search.type = type_of(dtype);
        search.ticker = &ticker;
        if (!find_witnesses(&search))
            break;
        int is_empty = search.witness_count == 0;
        scales[group] = is_empty ? 0 : find_scale(&search);
        if (is_empty ? !prove(&search, 1) : scales[group] == 0)
            break;
    }
    QC_GO_ON_IF(!ticker.stopped);
    *done = group;
    return QC_OK;
}

qc_status qc_halves(const float *values, const size_t *ends, size_t groups, const float *scales,
                    qc_dtype dtype, uint16_t *halves, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    size_t start = 0;
    QC_TRY(check_dtype(dtype, error));
    for (size_t group = 0; group < groups; start = ends[group++]) {
        double inverse = 1 / (double)scales[group];
        for (size_t i = start; i < ends[group]; i++) {
            QC_TICK(&ticker, i % PIECE == 0 ? PIECE / STEP_VALUES : 0);
            QC_CHECK(exact_half(values[i], scales[group], inverse, dtype, &halves[i]), QC_INVALID,
                     "values that are no halves times the scale", i, group, 0);
        }
    }
    return QC_OK;
}
