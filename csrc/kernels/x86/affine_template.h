/*
 * Floats rounded to types of 16 bits, and kept as f32; affine codes of a byte to f32; and floats of
 * 16 bits, times a scale, to f32.
 */
#ifndef QC_X86_AFFINE_TEMPLATE_H
#define QC_X86_AFFINE_TEMPLATE_H

/* A constant dtype chooses when this is compiled. */
QC_SET static inline QC_VECTOR vector_round_to(qc_dtype dtype, QC_VECTOR bits)
{
    return dtype == QC_F16    ? vector_round_to_f16(bits)
           : dtype == QC_BF16 ? vector_round_to_bf16(bits)
                              : bits;
}

/* The dtype is a constant in each loop below. */
QC_SET static inline __attribute__((always_inline)) size_t
round_as(qc_dtype dtype, const uint32_t *bits, size_t count, uint8_t *out, int past_cache)
{
    const size_t floats = QC_VECTOR_BYTES / 4;
    size_t i = 0;
    for (; count - i >= floats; i += floats) {
        QC_VECTOR word = vector_load((const uint8_t *)(bits + i));
        vector_put(out + 4 * i, vector_round_to(dtype, word), past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_round_to_f16)(const uint32_t *bits, size_t count, uint8_t *out,
                                       int past_cache)
{
    return round_as(QC_F16, bits, count, out, past_cache);
}

QC_SET size_t QC_NAME(qc_round_to_bf16)(const uint32_t *bits, size_t count, uint8_t *out,
                                        int past_cache)
{
    return round_as(QC_BF16, bits, count, out, past_cache);
}

QC_SET static inline __attribute__((always_inline)) size_t
affine_as(qc_dtype dtype, const uint8_t *codes, size_t count, float scale, float zero, uint8_t *out,
          int past_cache)
{
    const QC_FLOATS zeros = QC_OP(set1_ps)(zero), scales = QC_OP(set1_ps)(scale);
    const size_t floats = QC_VECTOR_BYTES / 4;
    size_t i = 0;
    for (; count - i >= floats; i += floats) {
        QC_FLOATS steps = QC_OP(sub_ps)(vector_load_floats(codes + i), zeros);
        QC_VECTOR products = vector_of_floats(QC_OP(mul_ps)(scales, steps));
        vector_put(out + 4 * i, vector_round_to(dtype, products), past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_affine)(const uint8_t *codes, size_t count, float scale, float zero,
                                 qc_dtype dtype, uint8_t *out, int past_cache)
{
    switch (dtype) {
    case QC_F16: return affine_as(QC_F16, codes, count, scale, zero, out, past_cache);
    case QC_BF16: return affine_as(QC_BF16, codes, count, scale, zero, out, past_cache);
    default: return affine_as(QC_F32, codes, count, scale, zero, out, past_cache);
    }
}

QC_SET static inline __attribute__((always_inline)) size_t
affine_each_as(qc_dtype dtype, const float *floats, const float *zeros, const float *scales,
               size_t count, uint8_t *out, int past_cache)
{
    const size_t step = QC_VECTOR_BYTES / 4;
    size_t i = 0;
    for (; count - i >= step; i += step) {
        QC_FLOATS steps = QC_OP(loadu_ps)(floats + i);
        if (zeros != NULL)
            steps = QC_OP(sub_ps)(steps, QC_OP(loadu_ps)(zeros + i));
        QC_VECTOR products = vector_of_floats(QC_OP(mul_ps)(QC_OP(loadu_ps)(scales + i), steps));
        vector_put(out + 4 * i, vector_round_to(dtype, products), past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_affine_each)(const float *floats, const float *zeros, const float *scales,
                                      size_t count, qc_dtype dtype, uint8_t *out, int past_cache)
{
    switch (dtype) {
    case QC_F16: return affine_each_as(QC_F16, floats, zeros, scales, count, out, past_cache);
    case QC_BF16: return affine_each_as(QC_BF16, floats, zeros, scales, count, out, past_cache);
    default: return affine_each_as(QC_F32, floats, zeros, scales, count, out, past_cache);
    }
}

QC_SET static inline __attribute__((always_inline)) size_t scale_as(qc_dtype dtype,
                                                                    const uint8_t *elements,
                                                                    size_t count, float scale,
                                                                    uint8_t *out, int past_cache)
{
    const QC_FLOATS scales = QC_OP(set1_ps)(scale);
    const size_t floats = QC_VECTOR_BYTES / 4;
    size_t i = 0;
    for (; count - i >= floats; i += floats) {
        QC_FLOATS values = dtype == QC_F16 ? vector_load_f16(elements + 2 * i)
                                           : vector_load_bf16(elements + 2 * i);
        vector_put(out + 4 * i, vector_of_floats(QC_OP(mul_ps)(scales, values)), past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_scale_f16)(const uint8_t *elements, size_t count, float scale,
                                    uint8_t *out, int past_cache)
{
    return scale_as(QC_F16, elements, count, scale, out, past_cache);
}

QC_SET size_t QC_NAME(qc_scale_bf16)(const uint8_t *elements, size_t count, float scale,
                                     uint8_t *out, int past_cache)
{
    return scale_as(QC_BF16, elements, count, scale, out, past_cache);
}

#endif /* QC_X86_AFFINE_TEMPLATE_H */
