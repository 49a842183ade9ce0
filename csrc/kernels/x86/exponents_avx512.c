#include "kernels/kernels.h"
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

QC_AVX512 size_t qc_join_fields_avx512(const uint8_t *symbols, const uint8_t *rest, size_t count,
                                       unsigned rest_bits, uint16_t base, uint8_t *upper,
                                       uint8_t *lower)
{
    const __m512i zero = _mm512_setzero_si512(), low = _mm512_set1_epi16(255);
    const __m512i bases = _mm512_set1_epi16((short)base);
    const __m128i shift = _mm_cvtsi32_si128((int)rest_bits);
    size_t i = 0;
    for (; count - i >= 64; i += 64) {
        __m512i s = _mm512_loadu_si512(symbols + i), r = _mm512_loadu_si512(rest + i);
        /* Packing undoes the order of unpacking. */
        __m512i a = _mm512_sll_epi16(_mm512_unpacklo_epi8(s, zero), shift);
        __m512i b = _mm512_sll_epi16(_mm512_unpackhi_epi8(s, zero), shift);
        a = _mm512_add_epi16(_mm512_add_epi16(a, bases), _mm512_unpacklo_epi8(r, zero));
        b = _mm512_add_epi16(_mm512_add_epi16(b, bases), _mm512_unpackhi_epi8(r, zero));
        __m512i above = _mm512_packus_epi16(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8));
        __m512i below = _mm512_packus_epi16(_mm512_and_si512(a, low), _mm512_and_si512(b, low));
        _mm512_storeu_si512(upper + i, above);
        _mm512_storeu_si512(lower + i, below);
    }
    return i;
}

#endif /* QC_HAS_AVX512 */
