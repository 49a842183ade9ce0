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

/* The NaN of both roundings below: the sign, and what a type of 16 bits keeps of the payload. */
QC_AVX512 static inline void put_rounded(uint8_t *out, __m512i rounded, __m512 values, __m512i nan,
                                         int past_cache)
{
    __mmask16 is_nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
    vector_put(out, _mm512_mask_mov_epi32(rounded, is_nan, nan), past_cache);
}

QC_AVX512 size_t qc_round_to_f16_avx512(const uint32_t *bits, size_t count, uint8_t *out,
                                        int past_cache)
{
    const __m512i sign = _mm512_set1_epi32((int)QC_F32_SIGN);
    const __m512i quiet = _mm512_set1_epi32((int)QC_F32_NAN);
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        __m512 values = _mm512_loadu_ps(bits + i);
        __m256i halves = _mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        __m512i rounded = _mm512_castps_si512(_mm512_cvtph_ps(halves));
        __m512i signs = _mm512_and_si512(_mm512_castps_si512(values), sign);
        put_rounded(out + 4 * i, rounded, values, _mm512_or_si512(signs, quiet), past_cache);
    }
    return i;
}

QC_AVX512 size_t qc_round_to_bf16_avx512(const uint32_t *bits, size_t count, uint8_t *out,
                                         int past_cache)
{
    const __m512i kept = _mm512_set1_epi32((int)0xFFFF0000), quiet = _mm512_set1_epi32(0x400000);
    const __m512i one = _mm512_set1_epi32(1), below_half = _mm512_set1_epi32(0x7FFF);
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        __m512i word = _mm512_loadu_si512((const void *)(bits + i));
        __m512i odd = _mm512_and_si512(_mm512_srli_epi32(word, 16), one);
        __m512i rounded = _mm512_add_epi32(word, _mm512_add_epi32(below_half, odd));
        __m512i nan = _mm512_and_si512(_mm512_or_si512(word, quiet), kept);
        put_rounded(out + 4 * i, _mm512_and_si512(rounded, kept), _mm512_castsi512_ps(word), nan,
                    past_cache);
    }
    return i;
}

#endif /* QC_HAS_AVX512 */
