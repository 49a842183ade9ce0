/*
 * Kind planes of floats: symbols, the rest of the upper 16 bits, and the other planes become
 * elements.
 */
#ifndef QC_X86_EXPONENTS_TEMPLATE_H
#define QC_X86_EXPONENTS_TEMPLATE_H

#include "kernels/x86/interleave_template.h"

/* From the bytes of symbols, and of the rest, whose bits were moved up to the top of their bytes:
   a shift brings both together. */
QC_SET static inline QC_VECTOR upper_words(QC_VECTOR words, __m128i unused, QC_VECTOR base)
{
    return QC_OP(add_epi16)(QC_OP(srl_epi16)(words, unused), base);
}

QC_SET size_t QC_NAME(qc_join_floats_2)(const uint8_t *const *planes, size_t count,
                                        unsigned rest_bits, uint16_t base, uint8_t *out,
                                        int past_cache)
{
    const QC_VECTOR bases = QC_OP(set1_epi16)((short)base);
    const __m128i unused = _mm_cvtsi32_si128((int)(8 - rest_bits));
    size_t i = 0;
    for (; count - i >= QC_VECTOR_BYTES; i += QC_VECTOR_BYTES) {
        QC_VECTOR bytes[2], words[2];
        bytes[0] = order_for_join_2(QC_OP(sll_epi16)(vector_load(planes[1] + i), unused));
        bytes[1] = order_for_join_2(vector_load(planes[0] + i));
        join_2(bytes, words);
        for (unsigned part = 0; part < 2; part++)
            vector_put(out + 2 * i + QC_VECTOR_BYTES * part,
                       vector_rotate_2(upper_words(words[part], unused, bases), 1), past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_join_floats_4)(const uint8_t *const *planes, size_t count,
                                        unsigned rest_bits, uint16_t base, uint8_t *out,
                                        int past_cache)
{
    const QC_VECTOR bases = QC_OP(set1_epi16)((short)base);
    const __m128i unused = _mm_cvtsi32_si128((int)(8 - rest_bits));
    size_t i = 0;
    for (; count - i >= QC_VECTOR_BYTES; i += QC_VECTOR_BYTES) {
        QC_VECTOR bytes[2], upper[2], lower[2];
        bytes[0] = order_for_join_4(QC_OP(sll_epi16)(vector_load(planes[1] + i), unused));
        bytes[1] = order_for_join_4(vector_load(planes[0] + i));
        join_2(bytes, upper);
        bytes[0] = order_for_join_4(vector_load(planes[3] + i));
        bytes[1] = order_for_join_4(vector_load(planes[2] + i));
        join_2(bytes, lower);
        for (unsigned half = 0; half < 2; half++) {
            QC_VECTOR words = upper_words(upper[half], unused, bases);
            uint8_t *to = out + 4 * i + 2 * QC_VECTOR_BYTES * half;
            vector_put(to, vector_rotate_4(QC_OP(unpacklo_epi16)(lower[half], words), 1),
                       past_cache);
            vector_put(to + QC_VECTOR_BYTES,
                       vector_rotate_4(QC_OP(unpackhi_epi16)(lower[half], words), 1), past_cache);
        }
    }
    return i;
}

#endif /* QC_X86_EXPONENTS_TEMPLATE_H */
