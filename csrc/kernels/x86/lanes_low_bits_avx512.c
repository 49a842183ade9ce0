/*
 * lanes_apart.c with 64 symbols in a register.
 */
#include "kernels/x86/lanes_encode_avx512.h"

#if QC_HAS_AVX512

QC_AVX512 uint8_t *qc_lanes_raw_bits_avx512(const uint8_t *symbols, size_t blocks,
                                            unsigned raw_bits, uint8_t *out)
{
    for (; blocks > 0; blocks--, symbols += QC_RAW_BLOCK) {
        __m512i block = _mm512_loadu_si512(symbols);
        for (unsigned bit = 0; bit < raw_bits; bit++, out += 8) {
            uint64_t bits = _mm512_test_epi8_mask(block, _mm512_set1_epi8((char)(1u << bit)));
            memcpy(out, &bits, sizeof bits);
        }
    }
    return out;
}

QC_AVX512 uint8_t *qc_lanes_escapes_avx512(const uint8_t *symbols, size_t blocks,
                                           const uint8_t is_escaped[256], uint8_t *out)
{
    const symbol_table table = load_symbols(is_escaped);
    for (; blocks > 0; blocks--, symbols += QC_RAW_BLOCK) {
        __m512i block = _mm512_loadu_si512(symbols), escaped = look_up(&table, block);
        __mmask64 which = _mm512_test_epi8_mask(escaped, escaped);
        if (which == 0)
            continue;
        /* Not compressed into memory, which some machines take hundreds of cycles for. */
        unsigned count = (unsigned)__builtin_popcountll(which);
        _mm512_mask_storeu_epi8(out, ~(uint64_t)0 >> (64 - count),
                                _mm512_maskz_compress_epi8(which, block));
        out += count;
    }
    return out;
}

#endif /* QC_HAS_AVX512 */
