/*
 * lanes_low_bits.c with 32 symbols, half a block, in a register.
 */
#include "kernels/x86/lanes_encode_avx2.h"

#if QC_HAS_AVX2

/* ---- decoded ---- */

/* 32 bits as bytes: 1 becomes -1. */
QC_AVX2 static inline __m256i spread_bits(uint32_t bits)
{
    const __m256i byte_of = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2,
                                             2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i bit_of = _mm256_set1_epi64x((long long)0x8040201008040201u);
    __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), byte_of);
    return _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit_of), bit_of);
}

QC_AVX2 void qc_lanes_add_low_bits_avx2(uint8_t *out, size_t count, const uint8_t *low,
                                        unsigned low_bits)
{
    size_t whole = count / QC_LANES_BLOCK * QC_LANES_BLOCK;
    for (size_t at = 0; at < whole; at += 32) {
        const uint8_t *planes = low + at / QC_LANES_BLOCK * 8 * low_bits + at % QC_LANES_BLOCK / 8;
        __m256i *symbols = (__m256i *)(out + at);
        __m256i values = _mm256_loadu_si256(symbols);
        for (unsigned bit = low_bits; bit-- > 0;) /* twice the value, minus -1 or 0 */
            values = _mm256_sub_epi8(_mm256_add_epi8(values, values),
                                     spread_bits(qc_load32(planes + 8 * bit)));
        _mm256_storeu_si256(symbols, values);
    }
    qc_lanes_add_low_bits_portable(out + whole, count - whole, low + whole / 8 * low_bits,
                                   low_bits);
}

/* ---- encoded ---- */

#define HALF (QC_LANES_BLOCK / 2)

QC_AVX2_INLINE uint64_t highest_bits(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << HALF;
}

/* From the highest of the low bits, which is shifted to the top of the byte, down to the lowest. */
QC_AVX2 uint8_t *qc_lanes_write_low_bits_avx2(const uint8_t *symbols, size_t blocks,
                                              unsigned low_bits, uint8_t *out)
{
    const __m128i shift = _mm_cvtsi32_si128((int)(8 - low_bits));
    for (; blocks > 0; blocks--, symbols += QC_LANES_BLOCK, out += 8 * low_bits) {
        __m256i low = _mm256_sll_epi16(load_register(symbols), shift);
        __m256i high = _mm256_sll_epi16(load_register(symbols + HALF), shift);
        for (unsigned bit = low_bits; bit-- > 0;) {
            uint64_t bits = highest_bits(low, high);
            memcpy(out + 8 * bit, &bits, sizeof bits);
            low = _mm256_add_epi8(low, low);
            high = _mm256_add_epi8(high, high);
        }
    }
    return out;
}

/* Escapes are rare, and written one by one. */
QC_AVX2 uint8_t *qc_lanes_write_escapes_avx2(const uint8_t *symbols, size_t blocks,
                                             const uint8_t is_escaped[256], uint8_t *out)
{
    const symbol_table table = load_symbols(is_escaped);
    const uint8_t *end = symbols + blocks * QC_LANES_BLOCK;
    for (; symbols < end; symbols += HALF) {
        __m256i escaped = look_up(&table, load_register(symbols));
        __m256i is_plain = _mm256_cmpeq_epi8(escaped, _mm256_setzero_si256());
        uint32_t which = ~(uint32_t)_mm256_movemask_epi8(is_plain);
        for (; which != 0; which &= which - 1)
            *out++ = symbols[__builtin_ctz(which)];
    }
    return out;
}

#endif /* QC_HAS_AVX2 */
