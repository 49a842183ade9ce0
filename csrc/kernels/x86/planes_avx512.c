#include "kernels/kernels.h"
#include "kernels/x86/interleave_avx512.h"

#if QC_HAS_AVX512

QC_AVX512 size_t qc_merge_4_avx512(const uint8_t *const *planes, size_t count, int rotated,
                                   uint8_t *out, int past_cache)
{
    const __m512i turn = _mm512_set1_epi32(rotated ? 1 : 0);
    size_t i = 0;
    for (; count - i >= 64; i += 64) {
        __m512i bytes[4], elements[4];
        for (unsigned byte = 0; byte < 4; byte++)
            bytes[byte] = order_for_join_4(_mm512_loadu_si512(planes[3 - byte] + i));
        join_4(bytes, elements);
        for (unsigned part = 0; part < 4; part++)
            store(out + 4 * i + 64 * part, _mm512_rorv_epi32(elements[part], turn), past_cache);
    }
    return i;
}

QC_AVX512 size_t qc_merge_2_avx512(const uint8_t *const *planes, size_t count, int rotated,
                                   uint8_t *out, int past_cache)
{
    const __m512i turn = _mm512_set1_epi16(rotated ? 1 : 0);
    size_t i = 0;
    for (; count - i >= 64; i += 64) {
        __m512i bytes[2], elements[2];
        for (unsigned byte = 0; byte < 2; byte++)
            bytes[byte] = order_for_join_2(_mm512_loadu_si512(planes[1 - byte] + i));
        join_2(bytes, elements);
        for (unsigned part = 0; part < 2; part++)
            store(out + 2 * i + 64 * part, _mm512_shrdv_epi16(elements[part], elements[part], turn),
                  past_cache);
    }
    return i;
}

#endif /* QC_HAS_AVX512 */
