/*
 * What a lanes body holds besides the words (docs/format.md, section 7.5): low bits, which are
 * stored as they are, 64 symbols by 64, a plane of 8 bytes per bit; and the symbols that were
 * escaped. Portable C handles eight symbols as one 64-bit number.
 */
#include "kernels/kernels.h"

/* ---- decoded ---- */

/* Bit i to byte i. */
static inline uint64_t spread_bits(uint8_t bits)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t chosen = bits * ones & 0x8040201008040201u;
    return (chosen + 0x7F * ones) >> 7 & ones;
}

/* Eight symbols as one number: values fit into the bits that are not low, so nothing is carried
   from byte to byte. */
static void add_raw_block(uint8_t *out, const uint8_t *low, unsigned low_bits)
{
    for (unsigned i = 0; i < QC_LANES_BLOCK / 8; i++, out += 8) {
        uint64_t symbols = qc_load64(out);
        for (unsigned bit = low_bits; bit-- > 0;)
            symbols = symbols << 1 | spread_bits(low[8 * bit + i]);
        qc_store64(out, symbols);
    }
}

void qc_lanes_add_low_bits_portable(uint8_t *out, size_t count, const uint8_t *low,
                                    unsigned low_bits)
{
    uint8_t last[QC_LANES_BLOCK] = {0};
    for (; count >= QC_LANES_BLOCK;
         count -= QC_LANES_BLOCK, out += QC_LANES_BLOCK, low += 8 * low_bits)
        add_raw_block(out, low, low_bits);
    if (count > 0) {
        memcpy(last, out, count);
        add_raw_block(last, low, low_bits);
        memcpy(out, last, count);
    }
}

/* ---- encoded ---- */

/* Bit `bit` of eight symbols, gathered into a byte: the multiplication moves the bit of byte i to
   place 56 + i. */
static unsigned gather(const uint8_t *symbols, unsigned bit)
{
    uint64_t bits = qc_load64(symbols) >> bit & 0x0101010101010101u;
    return (unsigned)(bits * 0x0102040810204080u >> 56);
}

uint8_t *qc_lanes_write_low_bits_portable(const uint8_t *symbols, size_t blocks, unsigned low_bits,
                                          uint8_t *out)
{
    for (; blocks > 0; blocks--, symbols += QC_LANES_BLOCK)
        for (unsigned bit = 0; bit < low_bits; bit++)
            for (unsigned i = 0; i < QC_LANES_BLOCK; i += 8)
                *out++ = (uint8_t)gather(symbols + i, bit);
    return out;
}

/* Escapes are rare: blocks without one are skipped. */
uint8_t *qc_lanes_write_escapes_portable(const uint8_t *symbols, size_t blocks,
                                         const uint8_t is_escaped[256], uint8_t *out)
{
    for (; blocks > 0; blocks--, symbols += QC_LANES_BLOCK) {
        unsigned any = 0;
        for (unsigned i = 0; i < QC_LANES_BLOCK; i++)
            any |= is_escaped[symbols[i]];
        for (unsigned i = 0; any != 0 && i < QC_LANES_BLOCK; i++)
            if (is_escaped[symbols[i]])
                *out++ = symbols[i];
    }
    return out;
}
