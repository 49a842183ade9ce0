#include "kernels/lanes_decode_kernels.h"
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

/* Values below 2^(8 - raw bits), so that nothing leaves its byte, and a plane a raw bit. */
QC_AVX512 static inline __m512i append_bits(__m512i values, const uint8_t *raw, unsigned raw_bits)
{
    values = _mm512_sll_epi16(values, _mm_cvtsi32_si128((int)raw_bits));
    for (unsigned bit = 0; bit < raw_bits; bit++)
        values = _mm512_mask_add_epi8(values, qc_load64(raw + 8 * bit), values,
                                      _mm512_set1_epi8((char)(1 << bit)));
    return values;
}

QC_AVX512 static inline void append_all(uint8_t *out, size_t count, const uint8_t *raw,
                                        unsigned raw_bits)
{
    size_t block = 0;
    for (; count - block >= 64; block += 64, raw += 8 * raw_bits)
        _mm512_storeu_si512(out + block,
                            append_bits(_mm512_loadu_si512(out + block), raw, raw_bits));
    if (block < count) {
        __mmask64 there = UINT64_MAX >> (64 - (count - block));
        __m512i values = _mm512_maskz_loadu_epi8(there, out + block);
        _mm512_mask_storeu_epi8(out + block, there, append_bits(values, raw, raw_bits));
    }
}

/* A loop for each number of raw bits, unrolled. */
QC_AVX512 void qc_lanes_raw_avx512(uint8_t *out, size_t count, const uint8_t *raw,
                                   unsigned raw_bits)
{
    switch (raw_bits) {
    case 1: append_all(out, count, raw, 1); break;
    case 2: append_all(out, count, raw, 2); break;
    case 3: append_all(out, count, raw, 3); break;
    default: append_all(out, count, raw, 4);
    }
}

#endif /* QC_HAS_AVX512 */
