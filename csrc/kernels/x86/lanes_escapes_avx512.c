/*
 * Literals go to the places of the escapes by one expansion for 64 symbols, also where there are
 * none: whether there are is not foreseen by the processor.
 */
#include "kernels/lanes_decode_kernels.h"
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

static uint64_t lowest_bits(size_t count)
{
    return count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX;
}

QC_AVX512 size_t qc_lanes_fill_escapes_avx512(uint8_t *out, size_t count, uint8_t escape,
                                              unsigned width, const uint8_t *literals, size_t left,
                                              size_t *used)
{
    const __m512i escapes = _mm512_set1_epi8((char)escape);
    const __m512i too_high = _mm512_set1_epi8((char)(0xFF << width));
    size_t i = 0, taken = 0;
    for (; count - i >= 64; i += 64) {
        __m512i symbols = _mm512_loadu_si512((const void *)(out + i));
        __mmask64 places = _mm512_cmpeq_epi8_mask(symbols, escapes);
        size_t needed = (size_t)__builtin_popcountll(places);
        if (needed > left - taken)
            break;
        __m512i next = _mm512_maskz_loadu_epi8(lowest_bits(needed), literals + taken);
        if (_mm512_test_epi8_mask(next, too_high) != 0)
            break;
        _mm512_storeu_si512((void *)(out + i), _mm512_mask_expand_epi8(symbols, places, next));
        taken += needed;
    }
    *used = taken;
    return i;
}

#endif /* QC_HAS_AVX512 */
