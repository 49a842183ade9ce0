/*
 * Planes of bytes to elements. Unpacking works inside 128-bit lanes, so what is to be unpacked is
 * permuted first: then whole registers come out in order.
 */
#ifndef QC_X86_INTERLEAVE_AVX512_H
#define QC_X86_INTERLEAVE_AVX512_H

#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#define INLINE_AVX512 QC_AVX512 static inline

/* `past_cache`: by a non-temporal store, which `out` must be aligned for. */
INLINE_AVX512 void store(uint8_t *out, __m512i elements, int past_cache)
{
    if (past_cache)
        _mm512_stream_si512((__m512i *)out, elements);
    else
        _mm512_storeu_si512(out, elements);
}

/* The order of 64 bytes for join_4: dword 4L + R of the result is dword 4R + L. */
INLINE_AVX512 __m512i order_for_join_4(__m512i bytes)
{
    return _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), bytes);
}

/* The order of 64 bytes for join_2: qword 2L + R of the result is qword 4R + L. */
INLINE_AVX512 __m512i order_for_join_2(__m512i bytes)
{
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), bytes);
}

/* 64 elements of four bytes; planes[0] has the least significant ones. */
INLINE_AVX512 void join_4(const __m512i planes[4], __m512i elements[4])
{
    __m512i low_0 = _mm512_unpacklo_epi8(planes[0], planes[1]);
    __m512i low_1 = _mm512_unpackhi_epi8(planes[0], planes[1]);
    __m512i high_0 = _mm512_unpacklo_epi8(planes[2], planes[3]);
    __m512i high_1 = _mm512_unpackhi_epi8(planes[2], planes[3]);
    elements[0] = _mm512_unpacklo_epi16(low_0, high_0);
    elements[1] = _mm512_unpackhi_epi16(low_0, high_0);
    elements[2] = _mm512_unpacklo_epi16(low_1, high_1);
    elements[3] = _mm512_unpackhi_epi16(low_1, high_1);
}

/* 64 elements of two bytes. */
INLINE_AVX512 void join_2(const __m512i planes[2], __m512i elements[2])
{
    elements[0] = _mm512_unpacklo_epi8(planes[0], planes[1]);
    elements[1] = _mm512_unpackhi_epi8(planes[0], planes[1]);
}

#endif /* QC_HAS_AVX512 */

#endif /* QC_X86_INTERLEAVE_AVX512_H */
