#include "kernels/kernels.h"
#include "kernels/x86/interleave_avx512.h"

#if QC_HAS_AVX512

QC_AVX512 size_t qc_affine_avx512(const uint8_t *codes, size_t count, float scale, float zero,
                                  uint8_t *out, int past_cache)
{
    const __m512 zeros = _mm512_set1_ps(zero), scales = _mm512_set1_ps(scale);
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        __m512i wide = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(codes + i)));
        __m512 steps = _mm512_sub_ps(_mm512_cvtepi32_ps(wide), zeros);
        store(out + 4 * i, _mm512_castps_si512(_mm512_mul_ps(scales, steps)), past_cache);
    }
    return i;
}

#endif /* QC_HAS_AVX512 */
