#include "kernels/kernels.h"
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

QC_AVX2 size_t qc_join_fields_avx2(const uint8_t *symbols, const uint8_t *rest, size_t count,
                                   unsigned rest_bits, uint16_t base, uint8_t *upper,
                                   uint8_t *lower)
{
    const __m256i zero = _mm256_setzero_si256(), low = _mm256_set1_epi16(255);
    const __m256i bases = _mm256_set1_epi16((short)base);
    const __m128i shift = _mm_cvtsi32_si128((int)rest_bits);
    size_t i = 0;
    for (; count - i >= 32; i += 32) {
        __m256i s = _mm256_loadu_si256((const __m256i *)(symbols + i)),
                r = _mm256_loadu_si256((const __m256i *)(rest + i));
        /* Packing undoes the order of unpacking. */
        __m256i a = _mm256_sll_epi16(_mm256_unpacklo_epi8(s, zero), shift);
        __m256i b = _mm256_sll_epi16(_mm256_unpackhi_epi8(s, zero), shift);
        a = _mm256_add_epi16(_mm256_add_epi16(a, bases), _mm256_unpacklo_epi8(r, zero));
        b = _mm256_add_epi16(_mm256_add_epi16(b, bases), _mm256_unpackhi_epi8(r, zero));
        __m256i above = _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8));
        __m256i below = _mm256_packus_epi16(_mm256_and_si256(a, low), _mm256_and_si256(b, low));
        _mm256_storeu_si256((__m256i *)(upper + i), above);
        _mm256_storeu_si256((__m256i *)(lower + i), below);
    }
    return i;
}

#endif /* QC_HAS_AVX2 */
