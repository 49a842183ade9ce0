/*
 * Elements from their planes: a vector of each plane at a time.
 */
#ifndef QC_X86_PLANES_TEMPLATE_H
#define QC_X86_PLANES_TEMPLATE_H

#include "kernels/x86/interleave_template.h"

/* What is added to bytes with a top bit to invert it. */
QC_SET static inline QC_VECTOR top_bits(qc_turn turn)
{
    return turn == QC_OFFSET ? vector_of_bytes(0x80) : vector_zero();
}

/* Each byte rotated right by one bit. */
QC_SET static inline QC_VECTOR rotate_1(QC_VECTOR bytes)
{
    QC_VECTOR right = vector_and(QC_OP(srli_epi16)(bytes, 1), vector_of_bytes(0x7F));
    QC_VECTOR left = vector_and(QC_OP(slli_epi16)(bytes, 7), vector_of_bytes(0x80));
    return QC_OP(add_epi8)(right, left);
}

QC_SET size_t QC_NAME(qc_merge_1)(const uint8_t *const *planes, size_t count, qc_turn turn,
                                  uint8_t *out, int past_cache)
{
    const QC_VECTOR top = top_bits(turn);
    size_t i = 0;
    for (; count - i >= QC_VECTOR_BYTES; i += QC_VECTOR_BYTES) {
        QC_VECTOR bytes = vector_load(planes[0] + i);
        bytes = turn == QC_ROTATED ? rotate_1(bytes) : QC_OP(add_epi8)(bytes, top);
        vector_put(out + i, bytes, past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_merge_4)(const uint8_t *const *planes, size_t count, qc_turn turn,
                                  uint8_t *out, int past_cache)
{
    const QC_VECTOR top = top_bits(turn);
    const int rotated = turn == QC_ROTATED;
    size_t i = 0;
    for (; count - i >= QC_VECTOR_BYTES; i += QC_VECTOR_BYTES) {
        QC_VECTOR bytes[4], elements[4];
        for (unsigned byte = 0; byte < 4; byte++)
            bytes[byte] = order_for_join_4(vector_load(planes[3 - byte] + i));
        bytes[3] = QC_OP(add_epi8)(bytes[3], top);
        join_4(bytes, elements);
        for (unsigned part = 0; part < 4; part++)
            vector_put(out + 4 * i + QC_VECTOR_BYTES * part,
                       vector_rotate_4(elements[part], rotated), past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_merge_2)(const uint8_t *const *planes, size_t count, qc_turn turn,
                                  uint8_t *out, int past_cache)
{
    const QC_VECTOR top = top_bits(turn);
    const int rotated = turn == QC_ROTATED;
    size_t i = 0;
    for (; count - i >= QC_VECTOR_BYTES; i += QC_VECTOR_BYTES) {
        QC_VECTOR bytes[2], elements[2];
        for (unsigned byte = 0; byte < 2; byte++)
            bytes[byte] = order_for_join_2(vector_load(planes[1 - byte] + i));
        bytes[1] = QC_OP(add_epi8)(bytes[1], top);
        join_2(bytes, elements);
        for (unsigned part = 0; part < 2; part++)
            vector_put(out + 2 * i + QC_VECTOR_BYTES * part,
                       vector_rotate_2(elements[part], rotated), past_cache);
    }
    return i;
}

#endif /* QC_X86_PLANES_TEMPLATE_H */
