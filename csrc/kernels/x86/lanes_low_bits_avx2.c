/*
 * lanes_apart.c with 32 symbols in a register: half a block.
 */
#include "kernels/x86/lanes_encode_avx2.h"

#if QC_HAS_AVX2

#define HALF (QC_RAW_BLOCK / 2)

QC_AVX2_INLINE uint64_t highest_bits(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << HALF;
}

/* From the highest raw bit, which is moved to the top, down to the lowest. */
QC_AVX2 uint8_t *qc_lanes_raw_bits_avx2(const uint8_t *symbols, size_t blocks, unsigned raw_bits,
                                        uint8_t *out)
{
    const __m128i shift = _mm_cvtsi32_si128((int)(8 - raw_bits));
    for (; blocks > 0; blocks--, symbols += QC_RAW_BLOCK, out += 8 * raw_bits) {
        __m256i low = _mm256_sll_epi16(load_register(symbols), shift);
        __m256i high = _mm256_sll_epi16(load_register(symbols + HALF), shift);
        for (unsigned bit = raw_bits; bit-- > 0;) {
            uint64_t bits = highest_bits(low, high);
            memcpy(out + 8 * bit, &bits, sizeof bits);
            low = _mm256_add_epi8(low, low);
            high = _mm256_add_epi8(high, high);
        }
    }
    return out;
}

/* Escapes are rare: they are written one by one. */
QC_AVX2 uint8_t *qc_lanes_escapes_avx2(const uint8_t *symbols, size_t blocks,
                                       const uint8_t is_escaped[256], uint8_t *out)
{
    const symbol_table table = load_symbols(is_escaped);
    const uint8_t *end = symbols + blocks * QC_RAW_BLOCK;
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
