/*
 * Elements from their planes: a vector of each plane at a time.
 */
#ifndef QC_X86_PLANES_TEMPLATE_H
#define QC_X86_PLANES_TEMPLATE_H

#include "kernels/x86/interleave_template.h"

QC_SET size_t QC_NAME(qc_merge_4)(const uint8_t *const *planes, size_t count, int rotated,
                                  uint8_t *out, int past_cache)
{
    const int turn = rotated ? 1 : 0;
    size_t i = 0;
    for (; count - i >= QC_VECTOR_BYTES; i += QC_VECTOR_BYTES) {
        QC_VECTOR bytes[4], elements[4];
        for (unsigned byte = 0; byte < 4; byte++)
            bytes[byte] = order_for_join_4(vector_load(planes[3 - byte] + i));
        join_4(bytes, elements);
        for (unsigned part = 0; part < 4; part++)
            vector_put(out + 4 * i + QC_VECTOR_BYTES * part, vector_rotate_4(elements[part], turn),
                       past_cache);
    }
    return i;
}

QC_SET size_t QC_NAME(qc_merge_2)(const uint8_t *const *planes, size_t count, int rotated,
                                  uint8_t *out, int past_cache)
{
    const int turn = rotated ? 1 : 0;
    size_t i = 0;
    for (; count - i >= QC_VECTOR_BYTES; i += QC_VECTOR_BYTES) {
        QC_VECTOR bytes[2], elements[2];
        for (unsigned byte = 0; byte < 2; byte++)
            bytes[byte] = order_for_join_2(vector_load(planes[1 - byte] + i));
        join_2(bytes, elements);
        for (unsigned part = 0; part < 2; part++)
            vector_put(out + 2 * i + QC_VECTOR_BYTES * part, vector_rotate_2(elements[part], turn),
                       past_cache);
    }
    return i;
}

#endif /* QC_X86_PLANES_TEMPLATE_H */
