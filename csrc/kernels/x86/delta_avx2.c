/*
 * Differences added to their base, eight elements at a time. How many low bits an element takes is
 * known from its base's exponent, so where its bits begin is a running sum; a gather fetches them.
 */
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

/* The sums of each element and those before it. */
QC_AVX2_INLINE __m256i running_sums(__m256i values)
{
    values = _mm256_add_epi32(values, _mm256_slli_si256(values, 4));
    values = _mm256_add_epi32(values, _mm256_slli_si256(values, 8));
    /* The lower half's last one goes to all of the upper half. */
    __m256i last = _mm256_permutevar8x32_epi32(values, _mm256_set1_epi32(3));
    return _mm256_add_epi32(values, _mm256_blend_epi32(_mm256_setzero_si256(), last, 0xF0));
}

/* Bits as numbers that are ordered as the floats are, and back. */
QC_AVX2_INLINE __m256i in_order(__m256i bits)
{
    return _mm256_xor_si256(bits, _mm256_srli_epi32(_mm256_srai_epi32(bits, 31), 1));
}

QC_AVX2 size_t qc_add_delta_4_avx2(const uint8_t *base, const uint8_t *codes,
                                   const int32_t *quotients, size_t count, unsigned step,
                                   const uint8_t *low, size_t *bit, uint8_t *out)
{
    const __m256i one = _mm256_set1_epi32(1), max = _mm256_set1_epi32(24);
    const __m256i steps = _mm256_set1_epi32((int)step), zero = _mm256_setzero_si256();
    const __m256i escape = _mm256_set1_epi32(255);
    size_t i = 0;
    for (; count - i >= 8; i += 8) {
        __m256i from = _mm256_loadu_si256((const __m256i *)(base + 4 * i));
        __m256i code = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(codes + i)));
        __m256i exponent = _mm256_srli_epi32(_mm256_slli_epi32(from, 1), 24);
        __m256i down = _mm256_sub_epi32(steps, _mm256_max_epi32(exponent, one));
        down = _mm256_min_epi32(_mm256_max_epi32(down, zero), max);
        down = _mm256_andnot_si256(_mm256_cmpeq_epi32(code, escape), down);
        __m256i sums = running_sums(down);
        __m256i at =
            _mm256_add_epi32(_mm256_sub_epi32(sums, down), _mm256_set1_epi32((int)(*bit % 8)));
        /* At most 7 bits before 24 of them: 32 hold both. */
        __m256i bits =
            _mm256_i32gather_epi32((const int *)(low + *bit / 8), _mm256_srli_epi32(at, 3), 1);
        bits = _mm256_srlv_epi32(bits, _mm256_and_si256(at, _mm256_set1_epi32(7)));
        bits = _mm256_andnot_si256(_mm256_sllv_epi32(_mm256_set1_epi32(-1), down), bits);
        __m256i quotient = _mm256_loadu_si256((const __m256i *)(quotients + i));
        __m256i moved = _mm256_add_epi32(_mm256_sllv_epi32(quotient, down), bits);
        __m256i element = in_order(_mm256_add_epi32(in_order(from), moved));
        _mm256_storeu_si256((__m256i *)(out + 4 * i), element);
        *bit += (size_t)_mm256_extract_epi32(sums, 7);
    }
    return i;
}

#endif /* QC_HAS_AVX2 */
