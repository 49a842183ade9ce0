/*
 * Affine codes of a byte, and floats of 16 bits, times a scale, to f32.
 */
#ifndef QC_X86_AFFINE_TEMPLATE_H
#define QC_X86_AFFINE_TEMPLATE_H

QC_SET size_t QC_NAME(qc_affine)(const uint8_t *codes, size_t count, float scale, float zero,
                                 uint8_t *out, int past_cache)
{
    const QC_FLOATS zeros = QC_OP(set1_ps)(zero), scales = QC_OP(set1_ps)(scale);
    const size_t floats = QC_VECTOR_BYTES / 4;
    size_t i = 0;
    for (; count - i >= floats; i += floats) {
        QC_FLOATS steps = QC_OP(sub_ps)(vector_load_floats(codes + i), zeros);
        vector_put(out + 4 * i, vector_of_floats(QC_OP(mul_ps)(scales, steps)), past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_scale_f16)(const uint8_t *elements, size_t count, float scale,
                                    uint8_t *out, int past_cache)
{
    const QC_FLOATS scales = QC_OP(set1_ps)(scale);
    const size_t floats = QC_VECTOR_BYTES / 4;
    size_t i = 0;
    for (; count - i >= floats; i += floats) {
        QC_FLOATS values = vector_load_f16(elements + 2 * i);
        vector_put(out + 4 * i, vector_of_floats(QC_OP(mul_ps)(scales, values)), past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_scale_bf16)(const uint8_t *elements, size_t count, float scale,
                                     uint8_t *out, int past_cache)
{
    const QC_FLOATS scales = QC_OP(set1_ps)(scale);
    const size_t floats = QC_VECTOR_BYTES / 4;
    size_t i = 0;
    for (; count - i >= floats; i += floats) {
        QC_FLOATS values = vector_load_bf16(elements + 2 * i);
        vector_put(out + 4 * i, vector_of_floats(QC_OP(mul_ps)(scales, values)), past_cache);
    }
    return i;
}

#endif /* QC_X86_AFFINE_TEMPLATE_H */
