#include "../lanes_decode.h"
#include "avx512.h"

#if QC_HAS_AVX512

QC_AVX512 void qc_lanes_raw_avx512(uint8_t *out, size_t count, const uint8_t *raw,
                                   unsigned raw_bits)
{
    for (size_t block = 0; block < count; block += 64, raw += 8 * raw_bits) {
        size_t symbols = count - block < 64 ? count - block : 64;
        __mmask64 there = UINT64_MAX >> (64 - symbols);
        __m512i values = _mm512_maskz_loadu_epi8(there, out + block);
        /* Values are below 2^(8 - raw bits), so nothing leaves its byte. */
        values = _mm512_sll_epi16(values, _mm_cvtsi32_si128((int)raw_bits));
        for (unsigned bit = 0; bit < raw_bits; bit++)
            values = _mm512_mask_add_epi8(values, qc_load64(raw + 8 * bit), values,
                                          _mm512_set1_epi8((char)(1 << bit)));
        _mm512_mask_storeu_epi8(out + block, there, values);
    }
}

#endif /* QC_HAS_AVX512 */
