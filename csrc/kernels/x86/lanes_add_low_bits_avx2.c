#include "kernels/lanes_decode_kernels.h"
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

/* 32 bits as bytes: those of a 1 become -1. */
QC_AVX2 static inline __m256i spread_bits(uint32_t bits)
{
    const __m256i byte_of = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2,
                                             2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i bit_of = _mm256_set1_epi64x((long long)0x8040201008040201u);
    __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), byte_of);
    return _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit_of), bit_of);
}

QC_AVX2 void qc_lanes_raw_avx2(uint8_t *out, size_t count, const uint8_t *raw, unsigned raw_bits)
{
    size_t whole = count / QC_RAW_BLOCK * QC_RAW_BLOCK;
    for (size_t at = 0; at < whole; at += 32) {
        const uint8_t *planes = raw + at / QC_RAW_BLOCK * 8 * raw_bits + at % QC_RAW_BLOCK / 8;
        __m256i *symbols = (__m256i *)(out + at);
        __m256i values = _mm256_loadu_si256(symbols);
        for (unsigned bit = raw_bits; bit-- > 0;) /* twice the value, minus -1 or 0 */
            values = _mm256_sub_epi8(_mm256_add_epi8(values, values),
                                     spread_bits(qc_load32(planes + 8 * bit)));
        _mm256_storeu_si256(symbols, values);
    }
    qc_lanes_raw_portable(out + whole, count - whole, raw + whole / 8 * raw_bits, raw_bits);
}

#endif /* QC_HAS_AVX2 */
