/*
 * Numbers of eight bins at a time. Each value is then added to the sum of its bin, and 1 to the
 * count beside it, by one addition of two doubles.
 */
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

#define LANES QC_TURNS
#define BLOCK 256 /* numbers that are found before they are counted */

QC_AVX2_INLINE __m256i numbers_of(const qc_bin_scale *by, const float *values)
{
    __m256 deviation = _mm256_mul_ps(_mm256_loadu_ps(values), _mm256_set1_ps(QC_SHRINK));
    deviation = _mm256_sub_ps(deviation, _mm256_set1_ps(by->centre));
    __m256 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), deviation);
    __m256i side = _mm256_castps_si256(_mm256_add_ps(magnitude, _mm256_set1_ps(by->offset)));
    side = _mm256_srl_epi32(side, _mm_cvtsi32_si128((int)by->shift));
    side = _mm256_sub_epi32(side, _mm256_set1_epi32(by->base));
    __m256 negative = _mm256_cmp_ps(deviation, _mm256_setzero_ps(), _CMP_LT_OQ);
    return _mm256_xor_si256(side, _mm256_castps_si256(negative));
}

/* Find the numbers of `count` values, a multiple of LANES; returns whether all are in range. */
QC_AVX2_INLINE int find_numbers(const qc_bin_scale *by, int32_t first, int32_t last,
                                const float *values, size_t count, int32_t in_turn,
                                int32_t *numbers)
{
    const __m256i turns =
        _mm256_add_epi32(_mm256_set1_epi32(in_turn), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    __m256i outside = _mm256_setzero_si256();
    for (size_t i = 0; i < count; i += LANES) {
        __m256i found = numbers_of(by, values + i);
        __m256i below = _mm256_cmpgt_epi32(_mm256_set1_epi32(first), found);
        __m256i above = _mm256_cmpgt_epi32(found, _mm256_set1_epi32(last));
        outside = _mm256_or_si256(outside, _mm256_or_si256(below, above));
        __m256i middle = _mm256_cmpeq_epi32(found, _mm256_setzero_si256());
        found = _mm256_blendv_epi8(found, turns, middle);
        _mm256_storeu_si256((__m256i *)(numbers + i), found);
    }
    return _mm256_testz_si256(outside, outside);
}

QC_AVX2 size_t qc_bin_values_avx2(const qc_bin_scale *by, int32_t first, int32_t last,
                                  const float *values, size_t count, int32_t in_turn,
                                  qc_value_bin *zero)
{
    const __m128d ones = _mm_set1_pd(1);
    int32_t numbers[BLOCK];
    size_t start = 0;
    for (size_t block; count - start >= LANES; start += block) {
        block = count - start < BLOCK ? (count - start) / LANES * LANES : BLOCK;
        if (!find_numbers(by, first, last, values + start, block, in_turn, numbers))
            break;
#pragma GCC unroll 4
        for (size_t i = 0; i < block; i++) {
            double *bin = &zero[numbers[i]].sum; /* and the count behind it */
            __m128d value = _mm_cvtss_sd(ones, _mm_load_ss(values + start + i));
            _mm_storeu_pd(bin, _mm_add_pd(_mm_loadu_pd(bin), value));
        }
    }
    return start;
}

#endif /* QC_HAS_AVX2 */
