/*
 * f32 to f16 and bf16 in AVX-512.
 */
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

/* The instruction keeps a part of a NaN's payload; the portable conversion has one NaN of each
   sign. */
QC_AVX512 size_t qc_f16_of_f32_avx512(const uint32_t *bits, size_t count, uint16_t *out)
{
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        __m512 values = _mm512_loadu_ps(bits + i);
        __m256i halves = _mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        __mmask16 nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
        __m256i sign = _mm256_and_si256(halves, _mm256_set1_epi16((short)0x8000));
        halves =
            _mm256_mask_mov_epi16(halves, nan, _mm256_or_si256(sign, _mm256_set1_epi16(0x7E00)));
        _mm256_storeu_si256((__m256i *)(out + i), halves);
    }
    return i;
}

QC_AVX512 size_t qc_bf16_of_f32_avx512(const uint32_t *bits, size_t count, uint16_t *out)
{
    size_t i = 0;
    for (; count - i >= 16; i += 16)
        for (size_t j = i; j < i + 16; j++)
            out[j] = (uint16_t)qc_bf16_of_f32(bits[j]);
    return i;
}

#endif /* QC_HAS_AVX512 */
