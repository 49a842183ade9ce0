/*
 * Kind exponents: symbols and the bits beside them become the two bytes of 16-bit numbers.
 */
#ifndef QC_X86_EXPONENTS_TEMPLATE_H
#define QC_X86_EXPONENTS_TEMPLATE_H

QC_SET size_t QC_NAME(qc_join_exponents)(const uint8_t *symbols, const uint8_t *rest, size_t count,
                                         unsigned rest_bits, uint16_t base, uint8_t *upper,
                                         uint8_t *lower)
{
    const QC_VECTOR zero = vector_zero(), low = QC_OP(set1_epi16)(255);
    const QC_VECTOR bases = QC_OP(set1_epi16)((short)base);
    const __m128i shift = _mm_cvtsi32_si128((int)rest_bits);
    size_t i = 0;
    for (; count - i >= QC_VECTOR_BYTES; i += QC_VECTOR_BYTES) {
        QC_VECTOR s = vector_load(symbols + i), r = vector_load(rest + i);
        /* Packing undoes the order of unpacking. */
        QC_VECTOR a = QC_OP(sll_epi16)(QC_OP(unpacklo_epi8)(s, zero), shift);
        QC_VECTOR b = QC_OP(sll_epi16)(QC_OP(unpackhi_epi8)(s, zero), shift);
        a = QC_OP(add_epi16)(QC_OP(add_epi16)(a, bases), QC_OP(unpacklo_epi8)(r, zero));
        b = QC_OP(add_epi16)(QC_OP(add_epi16)(b, bases), QC_OP(unpackhi_epi8)(r, zero));
        vector_store(upper + i,
                     QC_OP(packus_epi16)(QC_OP(srli_epi16)(a, 8), QC_OP(srli_epi16)(b, 8)));
        vector_store(lower + i, QC_OP(packus_epi16)(vector_and(a, low), vector_and(b, low)));
    }
    return i;
}

#endif /* QC_X86_EXPONENTS_TEMPLATE_H */
