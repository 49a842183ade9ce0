/*
 * One element from one float type to another, on its bits: exact, or rounded once to nearest
 * even. Branch-free where it matters, so that loops over these become vector code. Subnormals
 * must be kept: callers bracket these with qc_float_mode_enter and qc_float_mode_leave.
 */
#ifndef QC_FLOAT_BITS_H
#define QC_FLOAT_BITS_H

#include "base/bytes.h"

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "the core needs NaN and subnormals as they are: compile it without -ffast-math"
#endif

#define QC_F32_INFINITY 0x7F800000u
#define QC_F32_NAN      0x7FC00000u
#define QC_F32_SIGN     0x80000000u

static inline float qc_f32_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t qc_bits_of_f32(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* A float32 without its sign. */
static inline uint32_t qc_magnitude_of_f32(float value)
{
    return qc_bits_of_f32(value) & ~QC_F32_SIGN;
}

static inline double qc_f64_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t qc_bits_of_f64(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The next float32 below a finite one. */
static inline float qc_next_below(float value)
{
    uint32_t bits = qc_bits_of_f32(value);
    if ((bits & ~QC_F32_SIGN) == 0)
        return qc_f32_of_bits(QC_F32_SIGN | 1);
    return qc_f32_of_bits(bits & QC_F32_SIGN ? bits + 1 : bits - 1);
}

/* `chosen` is 1 or 0. By a mask: a compiler would put the floating-point operations of one value
   behind a branch, as they may raise exceptions, and then make no vector code. */
static inline uint32_t qc_choose(int chosen, uint32_t bits, uint32_t otherwise)
{
    uint32_t mask = 0u - (uint32_t)chosen;
    return (bits & mask) | (otherwise & ~mask);
}

/* Whether a magnitude, which has no sign, is below a limit: vectors compare signed numbers. */
static inline int qc_is_below(uint32_t magnitude, uint32_t limit)
{
    return (int32_t)magnitude < (int32_t)limit;
}

/* f16 to f32, exact. */
static inline uint32_t qc_f32_of_f16(uint32_t half)
{
    const uint32_t least_normal = 113u << 23; /* 2^-14 */
    uint32_t magnitude = (half & 0x7FFFu) << 13;
    uint32_t exponent = magnitude & 0x0F800000u;
    uint32_t normal = magnitude + ((127u - 15u) << 23);
    uint32_t special = magnitude + ((255u - 31u) << 23);
    /* A subnormal is (2^-14 + fraction) - 2^-14; both are normal numbers of f32. */
    uint32_t subnormal =
        qc_bits_of_f32(qc_f32_of_bits(magnitude + least_normal) - qc_f32_of_bits(least_normal));
    uint32_t result = qc_choose(exponent == 0x0F800000u, special, normal);
    result = qc_choose(exponent == 0, subnormal, result);
    return result | (half & 0x8000u) << 16;
}

/* bf16 to f32, exact. */
static inline uint32_t qc_f32_of_bf16(uint32_t brain) { return brain << 16; }

/* f8e5m2 to f32, exact: it is the upper half of an f16. */
static inline uint32_t qc_f32_of_f8e5m2(uint32_t byte) { return qc_f32_of_f16(byte << 8); }

/* f8e4m3 to f32, exact: no infinities, S.1111.111 is NaN. */
static inline uint32_t qc_f32_of_f8e4m3(uint32_t byte)
{
    const uint32_t least_normal = (127u - 6u) << 23; /* 2^-6 */
    uint32_t magnitude = (byte & 0x7Fu) << 20;
    uint32_t normal = magnitude + ((127u - 7u) << 23);
    uint32_t subnormal =
        qc_bits_of_f32(qc_f32_of_bits(magnitude + least_normal) - qc_f32_of_bits(least_normal));
    uint32_t result = qc_choose(qc_is_below(magnitude, 1u << 23), subnormal, normal);
    result = qc_choose((byte & 0x7Fu) == 0x7Fu, QC_F32_NAN, result);
    return result | (byte & 0x80u) << 24;
}

/* e8m0 to f32, exact: 2^(byte - 127), the smallest of which is subnormal; 255 is NaN. */
static inline uint32_t qc_f32_of_e8m0(uint32_t byte)
{
    uint32_t power = byte == 0 ? 1u << 22 : byte << 23;
    return byte == 255 ? QC_F32_NAN : power;
}

/* f32 to f16. */
static inline uint32_t qc_f16_of_f32(uint32_t bits)
{
    const uint32_t half_ulp_at_one_half = 126u << 23; /* 0.5f, whose last place is 2^-24 */
    uint32_t sign = bits & QC_F32_SIGN;
    uint32_t magnitude = bits ^ sign;
    uint32_t odd = (magnitude >> 13) & 1;
    /* A carry out of the fraction rightly raises the exponent. */
    uint32_t normal = (magnitude - ((127u - 15u) << 23) + 0xFFFu + odd) >> 13;
    /* Below 2^-14 the last place of an f16 is 2^-24: adding 0.5 rounds to it. */
    uint32_t subnormal =
        qc_bits_of_f32(qc_f32_of_bits(magnitude) + qc_f32_of_bits(half_ulp_at_one_half)) -
        half_ulp_at_one_half;
    uint32_t result = qc_choose(qc_is_below(magnitude, 113u << 23), subnormal, normal);
    result = qc_choose(qc_is_below(magnitude, 143u << 23), result, 0x7C00u); /* below 2^16 */
    result = qc_choose(qc_is_below(QC_F32_INFINITY, magnitude), 0x7E00u, result);
    return result | sign >> 16;
}

/* f32 to bf16. */
static inline uint32_t qc_bf16_of_f32(uint32_t bits)
{
    uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1)) >> 16;
    /* A NaN whose payload is in the lower half must not become an infinity. */
    return (bits & ~QC_F32_SIGN) > QC_F32_INFINITY ? bits >> 16 | 0x40u : rounded;
}

/* f32 to f16 and back, as f32. */
static inline uint32_t qc_round_to_f16(uint32_t bits)
{
    const uint32_t half_ulp_at_one_half = 126u << 23, dropped = 0x1FFFu;
    uint32_t sign = bits & QC_F32_SIGN;
    uint32_t magnitude = bits ^ sign;
    uint32_t normal = (magnitude + 0xFFFu + ((magnitude >> 13) & 1)) & ~dropped;
    /* As in qc_f16_of_f32; then as many units of 2^-24, which is exact, also in wider registers. */
    uint32_t sum = qc_bits_of_f32(qc_f32_of_bits(magnitude) + qc_f32_of_bits(half_ulp_at_one_half));
    uint32_t subnormal = qc_bits_of_f32((float)(int32_t)(sum - half_ulp_at_one_half) * 0x1p-24f);
    uint32_t result = qc_choose(qc_is_below(magnitude, 113u << 23), subnormal, normal);
    result = qc_choose(qc_is_below(normal, 143u << 23), result, QC_F32_INFINITY); /* below 2^16 */
    result = qc_choose(qc_is_below(QC_F32_INFINITY, magnitude), QC_F32_NAN, result);
    return result | sign;
}

/* f32 to bf16 and back, as f32. */
static inline uint32_t qc_round_to_bf16(uint32_t bits) { return qc_bf16_of_f32(bits) << 16; }

/* f32 to a type of 16 bits and back; to any other type, which holds every f32, nothing changes. */
static inline uint32_t qc_round_to(qc_dtype dtype, uint32_t bits)
{
    return dtype == QC_F16    ? qc_round_to_f16(bits)
           : dtype == QC_BF16 ? qc_round_to_bf16(bits)
                              : bits;
}

/* f64 to f32. */
static inline uint32_t qc_f32_of_f64(double value) { return qc_bits_of_f32((float)value); }

/* f64 to f32, rounded to odd: of the two neighbours of an inexact value the one whose last bit is
   set. Rounding that once more to a type with two bits less gives what rounding at once would. */
static inline uint32_t qc_f32_odd_of_f64(double value)
{
    float nearest = (float)value;
    uint32_t bits = qc_bits_of_f32(nearest);
    int inexact = (double)nearest < value || (double)nearest > value; /* false for NaN */
    int too_large = value < 0 ? (double)nearest < value : (double)nearest > value;
    uint32_t toward_value = too_large ? bits - 1 : bits + 1;
    return inexact && (bits & 1) == 0 ? toward_value : bits;
}

#endif /* QC_FLOAT_BITS_H */
