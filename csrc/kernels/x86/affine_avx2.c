#include "kernels/kernels.h"
#include "kernels/x86/interleave_avx2.h"

#if QC_HAS_AVX2

QC_AVX2 size_t qc_affine_avx2(const uint8_t *codes, size_t count, float scale, float zero,
                              uint8_t *out, int past_cache)
{
    const __m256 zeros = _mm256_set1_ps(zero), scales = _mm256_set1_ps(scale);
    size_t i = 0;
    for (; count - i >= 8; i += 8) {
        __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(codes + i)));
        __m256 steps = _mm256_sub_ps(_mm256_cvtepi32_ps(wide), zeros);
        store(out + 4 * i, _mm256_castps_si256(_mm256_mul_ps(scales, steps)), past_cache);
    }
    return i;
}

#endif /* QC_HAS_AVX2 */
