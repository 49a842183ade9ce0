#include "kernels/kernels.h"
#include "kernels/x86/interleave_avx2.h"

#if QC_HAS_AVX2

QC_AVX2 size_t qc_merge_4_avx2(const uint8_t *const *planes, size_t count, int rotated,
                               uint8_t *out, int past_cache)
{
    /* A shift by the whole width gives 0. */
    const __m128i down = _mm_cvtsi32_si128(rotated ? 1 : 0),
                  up = _mm_cvtsi32_si128(rotated ? 31 : 32);
    size_t i = 0;
    for (; count - i >= 32; i += 32) {
        __m256i bytes[4], elements[4];
        for (unsigned byte = 0; byte < 4; byte++)
            bytes[byte] =
                order_for_join_4(_mm256_loadu_si256((const __m256i *)(planes[3 - byte] + i)));
        join_4(bytes, elements);
        for (unsigned part = 0; part < 4; part++) {
            __m256i turned = _mm256_or_si256(_mm256_srl_epi32(elements[part], down),
                                             _mm256_sll_epi32(elements[part], up));
            store(out + 4 * i + 32 * part, turned, past_cache);
        }
    }
    return i;
}

QC_AVX2 size_t qc_merge_2_avx2(const uint8_t *const *planes, size_t count, int rotated,
                               uint8_t *out, int past_cache)
{
    const __m128i down = _mm_cvtsi32_si128(rotated ? 1 : 0),
                  up = _mm_cvtsi32_si128(rotated ? 15 : 16);
    size_t i = 0;
    for (; count - i >= 32; i += 32) {
        __m256i bytes[2], elements[2];
        for (unsigned byte = 0; byte < 2; byte++)
            bytes[byte] =
                order_for_join_2(_mm256_loadu_si256((const __m256i *)(planes[1 - byte] + i)));
        join_2(bytes, elements);
        for (unsigned part = 0; part < 2; part++) {
            __m256i turned = _mm256_or_si256(_mm256_srl_epi16(elements[part], down),
                                             _mm256_sll_epi16(elements[part], up));
            store(out + 2 * i + 32 * part, turned, past_cache);
        }
    }
    return i;
}

#endif /* QC_HAS_AVX2 */
