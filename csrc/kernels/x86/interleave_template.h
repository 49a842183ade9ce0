/*
 * Planes of bytes to elements. Unpacking works inside 128-bit lanes, so planes are permuted first
 * (order_for_join_4 and _2): then whole vectors come out in order.
 */
#ifndef QC_X86_INTERLEAVE_TEMPLATE_H
#define QC_X86_INTERLEAVE_TEMPLATE_H

/* A vector of each of four planes to as many elements of four bytes; planes[0] has the least
   significant bytes. */
QC_SET static inline void join_4(const QC_VECTOR planes[4], QC_VECTOR elements[4])
{
    QC_VECTOR low_0 = QC_OP(unpacklo_epi8)(planes[0], planes[1]);
    QC_VECTOR low_1 = QC_OP(unpackhi_epi8)(planes[0], planes[1]);
    QC_VECTOR high_0 = QC_OP(unpacklo_epi8)(planes[2], planes[3]);
    QC_VECTOR high_1 = QC_OP(unpackhi_epi8)(planes[2], planes[3]);
    elements[0] = QC_OP(unpacklo_epi16)(low_0, high_0);
    elements[1] = QC_OP(unpackhi_epi16)(low_0, high_0);
    elements[2] = QC_OP(unpacklo_epi16)(low_1, high_1);
    elements[3] = QC_OP(unpackhi_epi16)(low_1, high_1);
}

/* The same for two planes and elements of two bytes. */
QC_SET static inline void join_2(const QC_VECTOR planes[2], QC_VECTOR elements[2])
{
    elements[0] = QC_OP(unpacklo_epi8)(planes[0], planes[1]);
    elements[1] = QC_OP(unpackhi_epi8)(planes[0], planes[1]);
}

#endif /* QC_X86_INTERLEAVE_TEMPLATE_H */
