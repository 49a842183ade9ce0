/*
 * What lanes codings write apart from the words: raw low bits, and the symbols that are escaped.
 */
#include "kernels/lanes_encode_kernels.h"

/* Bit `bit` of eight symbols, gathered into a byte. */
static unsigned gather(const uint8_t *symbols, unsigned bit)
{
    uint64_t bits = qc_load64(symbols) >> bit & 0x0101010101010101u;
    return (unsigned)(bits * 0x0102040810204080u >> 56);
}

uint8_t *qc_lanes_raw_bits_portable(const uint8_t *symbols, size_t blocks, unsigned raw_bits,
                                    uint8_t *out)
{
    for (; blocks > 0; blocks--, symbols += QC_RAW_BLOCK)
        for (unsigned bit = 0; bit < raw_bits; bit++)
            for (unsigned i = 0; i < QC_RAW_BLOCK; i += 8)
                *out++ = (uint8_t)gather(symbols + i, bit);
    return out;
}

/* Escapes are rare: blocks without one are passed over. */
uint8_t *qc_lanes_escapes_portable(const uint8_t *symbols, size_t blocks,
                                   const uint8_t is_escaped[256], uint8_t *out)
{
    for (; blocks > 0; blocks--, symbols += QC_RAW_BLOCK) {
        unsigned any = 0;
        for (unsigned i = 0; i < QC_RAW_BLOCK; i++)
            any |= is_escaped[symbols[i]];
        for (unsigned i = 0; any != 0 && i < QC_RAW_BLOCK; i++)
            if (is_escaped[symbols[i]])
                *out++ = symbols[i];
    }
    return out;
}
