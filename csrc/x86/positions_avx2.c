#include "../value_kernels.h"
#include "avx2.h"

#if QC_HAS_AVX2

QC_AVX2 size_t qc_sum_gaps_avx2(const uint16_t *gaps, size_t count, uint32_t position,
                                uint32_t *out)
{
    const __m256i ones = _mm256_set1_epi32(1), last = _mm256_set1_epi32(7);
    const __m256i low_last = _mm256_setr_epi32(0, 0, 0, 0, 3, 3, 3, 3);
    const __m256i upper = _mm256_setr_epi32(0, 0, 0, 0, -1, -1, -1, -1);
    __m256i before = _mm256_set1_epi32((int)(position - 1));
    size_t i = 0;
    for (; count - i >= 8; i += 8) {
        __m256i sums = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(gaps + i)));
        sums = _mm256_add_epi32(sums, ones);
        /* Inside each half, then the sum of the lower half to the upper one. */
        sums = _mm256_add_epi32(sums, _mm256_slli_si256(sums, 4));
        sums = _mm256_add_epi32(sums, _mm256_slli_si256(sums, 8));
        sums = _mm256_add_epi32(
            sums, _mm256_and_si256(_mm256_permutevar8x32_epi32(sums, low_last), upper));
        sums = _mm256_add_epi32(sums, before);
        _mm256_storeu_si256((__m256i *)(out + i), sums);
        before = _mm256_permutevar8x32_epi32(sums, last);
    }
    return i;
}

#endif /* QC_HAS_AVX2 */
