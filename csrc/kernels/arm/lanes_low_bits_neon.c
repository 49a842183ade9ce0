/*
 * The low bits of lanes_low_bits.c with 16 symbols in a register.
 */
#include "kernels/arm/neon.h"

#if QC_HAS_NEON

/* 16 bits as bytes: 1 becomes -1. */
QC_NEON_INLINE uint8x16_t spread_bits(const uint8_t *bits)
{
    const uint8x16_t bit_of = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
    return vtstq_u8(vcombine_u8(vld1_dup_u8(bits), vld1_dup_u8(bits + 1)), bit_of);
}

void qc_lanes_add_low_bits_neon(uint8_t *out, size_t count, const uint8_t *low, unsigned low_bits)
{
    size_t whole = count / QC_LANES_BLOCK * QC_LANES_BLOCK;
    for (size_t at = 0; at < whole; at += 16) {
        const uint8_t *planes = low + at / QC_LANES_BLOCK * 8 * low_bits + at % QC_LANES_BLOCK / 8;
        uint8x16_t values = vld1q_u8(out + at);
        for (unsigned bit = low_bits; bit-- > 0;) /* twice the value, minus -1 or 0 */
            values = vsubq_u8(vaddq_u8(values, values), spread_bits(planes + 8 * bit));
        vst1q_u8(out + at, values);
    }
    qc_lanes_add_low_bits_portable(out + whole, count - whole, low + whole / 8 * low_bits,
                                   low_bits);
}

#endif /* QC_HAS_NEON */
