/*
 * lanes_low_bits.c with a block of 64 symbols in a register.
 */
#include "kernels/x86/lanes_encode_avx512.h"

#if QC_HAS_AVX512

/* ---- decoded ---- */

/* Values are below 2^(8 - low_bits), so that nothing leaves its byte. `low` has 8 bytes per bit. */
QC_AVX512 static inline __m512i append_bits(__m512i values, const uint8_t *low, unsigned low_bits)
{
    values = _mm512_sll_epi16(values, _mm_cvtsi32_si128((int)low_bits));
    for (unsigned bit = 0; bit < low_bits; bit++)
        values = _mm512_mask_add_epi8(values, qc_load64(low + 8 * bit), values,
                                      _mm512_set1_epi8((char)(1 << bit)));
    return values;
}

QC_AVX512 static inline void append_all(uint8_t *out, size_t count, const uint8_t *low,
                                        unsigned low_bits)
{
    size_t block = 0;
    for (; count - block >= 64; block += 64, low += 8 * low_bits)
        _mm512_storeu_si512(out + block,
                            append_bits(_mm512_loadu_si512(out + block), low, low_bits));
    if (block < count) {
        __mmask64 there = UINT64_MAX >> (64 - (count - block));
        __m512i values = _mm512_maskz_loadu_epi8(there, out + block);
        _mm512_mask_storeu_epi8(out + block, there, append_bits(values, low, low_bits));
    }
}

/* One unrolled loop per number of low bits. */
QC_AVX512 void qc_lanes_add_low_bits_avx512(uint8_t *out, size_t count, const uint8_t *low,
                                            unsigned low_bits)
{
    switch (low_bits) {
    case 1: append_all(out, count, low, 1); break;
    case 2: append_all(out, count, low, 2); break;
    case 3: append_all(out, count, low, 3); break;
    default: append_all(out, count, low, 4);
    }
}

static uint64_t lowest_bits(size_t count)
{
    return count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX;
}

/* One expansion puts the literals of 64 symbols into the places of the escapes. It is done for
   blocks without escapes too, as no branch could foresee which those are. */
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
        /* A whole load, which is faster, may have literals of later blocks, which are checked too.
         */
        __m512i next = left - taken >= 64
                           ? _mm512_loadu_si512((const void *)(literals + taken))
                           : _mm512_maskz_loadu_epi8(lowest_bits(left - taken), literals + taken);
        if (width < 8 && _mm512_test_epi8_mask(next, too_high) != 0)
            break;
        _mm512_storeu_si512((void *)(out + i), _mm512_mask_expand_epi8(symbols, places, next));
        taken += needed;
    }
    *used = taken;
    return i;
}

/* ---- encoded ---- */

QC_AVX512 uint8_t *qc_lanes_write_low_bits_avx512(const uint8_t *symbols, size_t blocks,
                                                  unsigned low_bits, uint8_t *out)
{
    for (; blocks > 0; blocks--, symbols += QC_LANES_BLOCK) {
        __m512i block = _mm512_loadu_si512(symbols);
        for (unsigned bit = 0; bit < low_bits; bit++, out += 8) {
            uint64_t bits = _mm512_test_epi8_mask(block, _mm512_set1_epi8((char)(1u << bit)));
            memcpy(out, &bits, sizeof bits);
        }
    }
    return out;
}

QC_AVX512 uint8_t *qc_lanes_write_escapes_avx512(const uint8_t *symbols, size_t blocks,
                                                 const uint8_t is_escaped[256], uint8_t *out)
{
    const symbol_table table = load_symbols(is_escaped);
    for (; blocks > 0; blocks--, symbols += QC_LANES_BLOCK) {
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
