/*
 * f32 to f16 and bf16 in AVX2, without F16C, which is a set of its own.
 */
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

/* As qc_f16_of_f32 in float_bits.h, which compilers do not make vectors of. All comparisons are of
   magnitudes, which are not negative as integers. */
QC_AVX2 static inline __m256i f16_of_f32(__m256i bits)
{
    const __m256i least_normal = _mm256_set1_epi32(113 << 23), infinity = _mm256_set1_epi32(0x7C00);
    const __m256i half_ulp = _mm256_set1_epi32(126 << 23);
    __m256i sign = _mm256_and_si256(bits, _mm256_set1_epi32((int)QC_F32_SIGN));
    __m256i magnitude = _mm256_xor_si256(bits, sign);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(magnitude, 13), _mm256_set1_epi32(1));
    __m256i normal = _mm256_add_epi32(_mm256_add_epi32(magnitude, odd),
                                      _mm256_set1_epi32(0xFFF - ((127 - 15) << 23)));
    __m256 sum = _mm256_add_ps(_mm256_castsi256_ps(magnitude), _mm256_castsi256_ps(half_ulp));
    __m256i subnormal = _mm256_sub_epi32(_mm256_castps_si256(sum), half_ulp);
    __m256i half = _mm256_blendv_epi8(_mm256_srli_epi32(normal, 13), subnormal,
                                      _mm256_cmpgt_epi32(least_normal, magnitude));
    half = _mm256_blendv_epi8(half, infinity,
                              _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32((143 << 23) - 1)));
    half =
        _mm256_blendv_epi8(half, _mm256_set1_epi32(0x7E00),
                           _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32((int)QC_F32_INFINITY)));
    return _mm256_or_si256(half, _mm256_srli_epi32(sign, 16));
}

QC_AVX2 size_t qc_f16_of_f32_avx2(const uint32_t *bits, size_t count, uint16_t *out)
{
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        __m256i first = f16_of_f32(_mm256_loadu_si256((const __m256i *)(bits + i)));
        __m256i second = f16_of_f32(_mm256_loadu_si256((const __m256i *)(bits + i + 8)));
        /* Packing works inside each half of the registers: 0, 2, 1, 3 is the order. */
        __m256i halves = _mm256_permute4x64_epi64(_mm256_packus_epi32(first, second), 0xD8);
        _mm256_storeu_si256((__m256i *)(out + i), halves);
    }
    return i;
}

/* The portable loop, of whole vectors, which the compiler makes vector code of. */
QC_AVX2 size_t qc_bf16_of_f32_avx2(const uint32_t *bits, size_t count, uint16_t *out)
{
    size_t whole = count - count % 16;
    for (size_t i = 0; i < whole; i++)
        out[i] = (uint16_t)qc_bf16_of_f32(bits[i]);
    return whole;
}

#endif /* QC_HAS_AVX2 */
