#include "../value_kernels.h"
#include "interleave_avx512.h"

#if QC_HAS_AVX512

QC_AVX512 size_t qc_merge_4_avx512(const uint8_t *planes, size_t stride, size_t count, int rotated,
                                   uint8_t *out)
{
    const __m512i turn = _mm512_set1_epi32(rotated ? 1 : 0);
    size_t i = 0;
    for (; count - i >= 64; i += 64) {
        __m512i bytes[4], elements[4];
        for (unsigned byte = 0; byte < 4; byte++)
            bytes[byte] = order_for_join_4(_mm512_loadu_si512(planes + (3 - byte) * stride + i));
        join_4(bytes, elements);
        for (unsigned part = 0; part < 4; part++)
            _mm512_storeu_si512(out + 4 * i + 64 * part, _mm512_rorv_epi32(elements[part], turn));
    }
    return i;
}

QC_AVX512 size_t qc_merge_2_avx512(const uint8_t *planes, size_t stride, size_t count, int rotated,
                                   uint8_t *out)
{
    const __m512i turn = _mm512_set1_epi16(rotated ? 1 : 0);
    size_t i = 0;
    for (; count - i >= 64; i += 64) {
        __m512i bytes[2], elements[2];
        for (unsigned byte = 0; byte < 2; byte++)
            bytes[byte] = order_for_join_2(_mm512_loadu_si512(planes + (1 - byte) * stride + i));
        join_2(bytes, elements);
        for (unsigned part = 0; part < 2; part++)
            _mm512_storeu_si512(out + 2 * i + 64 * part,
                                _mm512_shrdv_epi16(elements[part], elements[part], turn));
    }
    return i;
}

#endif /* QC_HAS_AVX512 */
