/*
 * Floats rounded to types of 16 bits, and kept as f32; affine codes of a byte to f32 and back; and
 * floats of 16 bits, times a scale, to f32.
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

/* ---- floats to affine codes: their ranges, codes and errors ---- */

/* The rounding of the inverse and of the product changes a quotient of a magnitude up to 256 by
   2^-15 at most, in any rounding mode by 2^-14. */
#define QC_SAFE_DISTANCE (0.5f - 0x1p-13f)

QC_SET size_t QC_NAME(qc_byte_codes)(const float *values, size_t count, const qc_byte_step *step,
                                     uint8_t *codes)
{
    const QC_FLOATS inverse = QC_OP(set1_ps)(step->inverse), zero = QC_OP(set1_ps)(step->zero);
    const QC_FLOATS low = QC_OP(set1_ps)(step->low), high = QC_OP(set1_ps)(step->high);
    const QC_FLOATS limit = QC_OP(set1_ps)(QC_SAFE_DISTANCE);
    const size_t floats = QC_VECTOR_BYTES / 4;
    size_t i = 0;
    for (; count - i >= floats; i += floats) {
        QC_FLOATS quotient = QC_OP(mul_ps)(QC_OP(loadu_ps)(values + i), inverse);
        /* Of NaN and a number, these give the second operand. */
        quotient = QC_OP(min_ps)(QC_OP(max_ps)(quotient, low), high);
        QC_FLOATS level = vector_round_to_integers(quotient);
        if (QC_UNLIKELY(vector_any_farther(quotient, level, limit)))
            break;
        vector_put_bytes(codes + i, QC_OP(add_ps)(level, zero));
    }
    return i;
}

QC_SET size_t QC_NAME(qc_max_bits)(const float *values, size_t count, qc_max_bits *max)
{
    enum { CHAINS = 4 };
    const size_t floats = QC_VECTOR_BYTES / 4;
    QC_VECTOR as_signed[CHAINS], as_unsigned[CHAINS];
    int32_t signed_lanes[QC_VECTOR_BYTES / 4];
    uint32_t unsigned_lanes[QC_VECTOR_BYTES / 4];
    size_t i = 0;
    for (size_t chain = 0; chain < CHAINS; chain++) {
        as_signed[chain] = QC_OP(set1_epi32)(max->as_signed);
        as_unsigned[chain] = QC_OP(set1_epi32)((int)max->as_unsigned);
    }
    for (; count - i >= CHAINS * floats; i += CHAINS * floats)
        for (size_t chain = 0; chain < CHAINS; chain++) {
            QC_VECTOR bits = vector_load((const uint8_t *)(values + i + chain * floats));
            as_signed[chain] = QC_OP(max_epi32)(as_signed[chain], bits);
            as_unsigned[chain] = QC_OP(max_epu32)(as_unsigned[chain], bits);
        }
    for (; count - i >= floats; i += floats) {
        QC_VECTOR bits = vector_load((const uint8_t *)(values + i));
        as_signed[0] = QC_OP(max_epi32)(as_signed[0], bits);
        as_unsigned[0] = QC_OP(max_epu32)(as_unsigned[0], bits);
    }
    for (size_t chain = 1; chain < CHAINS; chain++) {
        as_signed[0] = QC_OP(max_epi32)(as_signed[0], as_signed[chain]);
        as_unsigned[0] = QC_OP(max_epu32)(as_unsigned[0], as_unsigned[chain]);
    }
    vector_store((uint8_t *)signed_lanes, as_signed[0]);
    vector_store((uint8_t *)unsigned_lanes, as_unsigned[0]);
    for (size_t lane = 0; lane < floats; lane++) {
        max->as_signed = signed_lanes[lane] > max->as_signed ? signed_lanes[lane] : max->as_signed;
        max->as_unsigned =
            unsigned_lanes[lane] > max->as_unsigned ? unsigned_lanes[lane] : max->as_unsigned;
    }
    return i;
}

QC_SET size_t QC_NAME(qc_step_errors)(const float *values, size_t count,
                                      const qc_clipping_step *step, double clipped[QC_ERROR_LANES],
                                      double all[QC_ERROR_LANES])
{
    enum { DOUBLES = QC_VECTOR_BYTES / 8, VECTORS = QC_ERROR_LANES / DOUBLES };
    const QC_DOUBLES low = QC_OP(set1_pd)(step->low), high = QC_OP(set1_pd)(step->high);
    const QC_DOUBLES inverse = QC_OP(set1_pd)(step->inverse), size = QC_OP(set1_pd)(step->step);
    const QC_DOUBLES to_integer = QC_OP(set1_pd)(0x1.8p52); /* numeric/multiples.h */
    QC_DOUBLES clipped_sums[VECTORS], sums[VECTORS];
    size_t i = 0;
    for (size_t part = 0; part < VECTORS; part++) {
        clipped_sums[part] = QC_OP(loadu_pd)(clipped + part * DOUBLES);
        sums[part] = QC_OP(loadu_pd)(all + part * DOUBLES);
    }
    for (; count - i >= QC_ERROR_LANES; i += QC_ERROR_LANES)
        for (size_t part = 0; part < VECTORS; part++) {
            QC_DOUBLES value = vector_load_doubles(values + i + part * DOUBLES);
            /* Of NaN and a number, these give the second operand. */
            QC_DOUBLES reachable = QC_OP(min_pd)(QC_OP(max_pd)(value, low), high);
            QC_DOUBLES beyond = QC_OP(sub_pd)(value, reachable);
            QC_DOUBLES level = QC_OP(add_pd)(QC_OP(mul_pd)(reachable, inverse), to_integer);
            level = QC_OP(mul_pd)(QC_OP(sub_pd)(level, to_integer), size);
            QC_DOUBLES off = QC_OP(sub_pd)(value, level);
            clipped_sums[part] = QC_OP(add_pd)(clipped_sums[part], QC_OP(mul_pd)(beyond, beyond));
            sums[part] = QC_OP(add_pd)(sums[part], QC_OP(mul_pd)(off, off));
        }
    for (size_t part = 0; part < VECTORS; part++) {
        QC_OP(storeu_pd)(clipped + part * DOUBLES, clipped_sums[part]);
        QC_OP(storeu_pd)(all + part * DOUBLES, sums[part]);
    }
    return i;
}

#endif /* QC_X86_AFFINE_TEMPLATE_H */
