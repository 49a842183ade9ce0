/*
 * The largest code: of each place in a vector, then of those.
 */
#ifndef QC_X86_MAX_CODE_TEMPLATE_H
#define QC_X86_MAX_CODE_TEMPLATE_H

QC_SET size_t QC_NAME(qc_max_code)(const uint8_t *codes, size_t count, uint8_t *max)
{
    QC_VECTOR found = vector_zero();
    uint8_t bytes[QC_VECTOR_BYTES];
    size_t i = 0;
    for (; count - i >= QC_VECTOR_BYTES; i += QC_VECTOR_BYTES)
        found = QC_OP(max_epu8)(found, vector_load(codes + i));
    vector_store(bytes, found);
    for (size_t byte = 0; byte < sizeof bytes; byte++)
        *max = bytes[byte] > *max ? bytes[byte] : *max;
    return i;
}

#endif /* QC_X86_MAX_CODE_TEMPLATE_H */
