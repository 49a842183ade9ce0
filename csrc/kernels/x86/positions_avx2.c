/*
 * Positions of stored elements: running sums of gaps, and the set bits of masks.
 */
#include "kernels/x86/avx2.h"

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

QC_AVX2 size_t qc_mask_positions_avx2(const uint8_t *symbols, size_t count, uint32_t first,
                                      uint32_t *out)
{
    /* The numbers of the set bits of each symbol, one byte each, from the lowest byte up. */
    static const uint32_t bits[16] = {0,     0x0,     0x1,     0x100,    0x2,   0x200,
                                      0x201, 0x20100, 0x3,     0x300,    0x301, 0x30100,
                                      0x302, 0x30200, 0x30201, 0x3020100};
    const __m128i fours = _mm_set1_epi32(4);
    __m128i base = _mm_set1_epi32((int)first);
    uint32_t *start = out;
    for (size_t i = 0; i < count; i++) {
        __m128i numbers = _mm_cvtepu8_epi32(_mm_cvtsi32_si128((int)bits[symbols[i]]));
        _mm_storeu_si128((__m128i *)out, _mm_add_epi32(base, numbers));
        base = _mm_add_epi32(base, fours);
        out += (unsigned)__builtin_popcount(symbols[i]);
    }
    return (size_t)(out - start);
}

#endif /* QC_HAS_AVX2 */
