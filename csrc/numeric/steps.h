/*
 * Values in equal steps: value = scale * level in float32, rounded to float16 or bfloat16 where the
 * tensor is of that type.
 */
#ifndef QC_STEPS_H
#define QC_STEPS_H

#include "base/check.h"
#include "base/float_bits.h"
#include "base/ticker.h"
#include "qcodec_numeric.h"

/* Values between two questions to the ticker, and how many of them are one of its steps. */
#define QC_STEP_PIECE  ((size_t)1 << 16)
#define QC_STEP_VALUES 16

typedef struct qc_step {
    float scale;
    double inverse;
    int32_t max_level;
    qc_dtype dtype; /* of the tensor, to which products are rounded: f32, f16 or bf16 */
} qc_step;

static inline qc_step qc_step_of(float scale, qc_dtype dtype, int32_t max_level)
{
    return (qc_step){scale, 1 / (double)scale, max_level, dtype};
}

static inline int32_t qc_max_step_level(qc_dtype dtype)
{
    return dtype == QC_F32 ? QC_MAX_LEVEL : QC_MAX_NARROW_LEVEL;
}

static inline qc_status qc_step_dtype_check(qc_dtype dtype, qc_error *error)
{
    QC_CHECK(dtype == QC_F32 || dtype == QC_F16 || dtype == QC_BF16, QC_INVALID,
             "steps of another dtype than f32, f16 or bf16", 0, dtype, QC_BF16);
    return QC_OK;
}

/* As bits: machines that multiply with more bits than a float has round only when they store. */
static inline uint32_t qc_multiple(const qc_step *step, int32_t level)
{
    return qc_round_to(step->dtype, qc_bits_of_f32(step->scale * (float)level));
}

/* The level of a value, whose order is that of the values; -0.0 is 0. Returns 0 unless the value is
   exactly the multiple of that level. */
static inline int qc_level_of(const qc_step *step, float value, int32_t *level)
{
    uint32_t bits = qc_bits_of_f32(value), magnitude = bits & ~QC_F32_SIGN, multiple;
    double quotient = (double)qc_f32_of_bits(magnitude) * step->inverse;
    if (!(quotient >= 0 && quotient < step->max_level + 1.0)) /* also NaN */
        return 0;
    *level = (int32_t)(quotient + 0.5);
    *level = *level < step->max_level ? *level : step->max_level;
    multiple = qc_multiple(step, *level);
    if (multiple != magnitude && step->dtype != QC_F32) {
        /* Below a power of two, numbers are closer together: the next level may round to it. */
        *level += multiple < magnitude ? 1 : -1;
        multiple = qc_multiple(step, *level);
    }
    if (multiple != magnitude || *level > step->max_level)
        return 0;
    if (bits & QC_F32_SIGN)
        *level = -*level;
    return 1;
}

/* The distinct values of a group of f16 or bf16, by ascending magnitude, at `few`. All are finite;
   those that are not 0 have magnitudes from `min` to `max`, as bits. Returns their number; 0 if
   there are more than `limit`, if some value is no number of that type, or interrupted. */
size_t qc_distinct_narrow(const float *values, size_t count, qc_dtype dtype, uint32_t min,
                          uint32_t max, float *few, size_t limit, qc_ticker *ticker);

#endif /* QC_STEPS_H */
