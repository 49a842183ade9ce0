/*
 * Positions of stored elements: running sums of gaps, and the set bits of masks.
 */
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

/* Each lane plus the one `lanes` before it; 0 before the first. */
#define ADD_SHIFTED(sums, lanes)                                                                   \
    _mm512_add_epi32(sums, _mm512_alignr_epi32(sums, _mm512_setzero_si512(), 16 - (lanes)))

QC_AVX512 size_t qc_sum_gaps_avx512(const uint16_t *gaps, size_t count, uint32_t position,
                                    uint32_t *out)
{
    const __m512i ones = _mm512_set1_epi32(1), last = _mm512_set1_epi32(15);
    __m512i before = _mm512_set1_epi32((int)(position - 1));
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        __m512i sums = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(gaps + i)));
        sums = _mm512_add_epi32(sums, ones);
        sums = ADD_SHIFTED(sums, 1);
        sums = ADD_SHIFTED(sums, 2);
        sums = ADD_SHIFTED(sums, 4);
        sums = ADD_SHIFTED(sums, 8);
        sums = _mm512_add_epi32(sums, before);
        _mm512_storeu_si512(out + i, sums);
        before = _mm512_permutexvar_epi32(last, sums);
    }
    return i;
}

QC_AVX512 size_t qc_mask_positions_avx512(const uint8_t *symbols, size_t count, uint32_t first,
                                          uint32_t *out)
{
    const __m256i sixteens = _mm256_set1_epi16(0x1001);
    __m512i positions =
        _mm512_add_epi32(_mm512_set1_epi32((int)first),
                         _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    uint32_t *start = out;
    for (size_t i = 0; i < count; i += 32) {
        /* Two symbols are a byte of the mask, 32 of them 128 bits. */
        __m256i pairs =
            _mm256_maddubs_epi16(_mm256_loadu_si256((const __m256i *)(symbols + i)), sixteens);
        __mmask16 masks[8];
        _mm_storeu_si128((__m128i *)masks, _mm256_cvtepi16_epi8(pairs));
        for (unsigned part = 0; part < 8; part++) {
            _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(masks[part], positions));
            out += (unsigned)__builtin_popcount(masks[part]);
            positions = _mm512_add_epi32(positions, _mm512_set1_epi32(16));
        }
    }
    return (size_t)(out - start);
}

#endif /* QC_HAS_AVX512 */
