/*
 * Planes of bytes to elements, as in interleave_avx512.h, on half as many.
 */
#ifndef QC_X86_INTERLEAVE_AVX2_H
#define QC_X86_INTERLEAVE_AVX2_H

#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

#define INLINE_AVX2 QC_AVX2 static inline

/* `past_cache`: by a non-temporal store, which `out` must be aligned for. */
INLINE_AVX2 void store(uint8_t *out, __m256i elements, int past_cache)
{
    if (past_cache)
        _mm256_stream_si256((__m256i *)out, elements);
    else
        _mm256_storeu_si256((__m256i *)out, elements);
}

/* The order of 32 bytes for join_4: dword 4L + R of the result is dword 2R + L. */
INLINE_AVX2 __m256i order_for_join_4(__m256i bytes)
{
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
}

/* The order of 32 bytes for join_2: qword 2L + R of the result is qword 2R + L. */
INLINE_AVX2 __m256i order_for_join_2(__m256i bytes)
{
    return _mm256_permute4x64_epi64(bytes, 0xD8); /* 0, 2, 1, 3 */
}

/* 32 elements of four bytes; planes[0] has the least significant ones. */
INLINE_AVX2 void join_4(const __m256i planes[4], __m256i elements[4])
{
    __m256i low_0 = _mm256_unpacklo_epi8(planes[0], planes[1]);
    __m256i low_1 = _mm256_unpackhi_epi8(planes[0], planes[1]);
    __m256i high_0 = _mm256_unpacklo_epi8(planes[2], planes[3]);
    __m256i high_1 = _mm256_unpackhi_epi8(planes[2], planes[3]);
    elements[0] = _mm256_unpacklo_epi16(low_0, high_0);
    elements[1] = _mm256_unpackhi_epi16(low_0, high_0);
    elements[2] = _mm256_unpacklo_epi16(low_1, high_1);
    elements[3] = _mm256_unpackhi_epi16(low_1, high_1);
}

/* 32 elements of two bytes. */
INLINE_AVX2 void join_2(const __m256i planes[2], __m256i elements[2])
{
    elements[0] = _mm256_unpacklo_epi8(planes[0], planes[1]);
    elements[1] = _mm256_unpackhi_epi8(planes[0], planes[1]);
}

#endif /* QC_HAS_AVX2 */

#endif /* QC_X86_INTERLEAVE_AVX2_H */
