/*
 * Unpacking: the two bytes that hold a symbol go to a 16-bit lane and are shifted by what precedes
 * the symbol in them.
 */
#include "kernels/arm/neon.h"

#if QC_HAS_NEON

/* How 8 symbols get into 16-bit lanes. */
typedef struct placing {
    uint8x16_t bytes; /* for each lane the numbers of two bytes */
    int16x8_t shift;  /* negative: to the right */
} placing;

QC_NEON_INLINE placing place(unsigned first, unsigned width)
{
    static const uint16_t numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    uint16x8_t symbol = vaddq_u16(vld1q_u16(numbers), vdupq_n_u16((uint16_t)first));
    uint16x8_t bit = vmulq_n_u16(symbol, (uint16_t)width);
    uint16x8_t byte = vshrq_n_u16(bit, 3), before = vandq_u16(bit, vdupq_n_u16(7));
    uint16x8_t next = vaddq_u16(byte, vdupq_n_u16(1));
    return (placing){vreinterpretq_u8_u16(vorrq_u16(byte, vshlq_n_u16(next, 8))),
                     vnegq_s16(vreinterpretq_s16_u16(before))};
}

/* The symbols of `placing`, with bits that do not belong to them above, in the lower bytes. */
QC_NEON_INLINE uint8x16_t take(uint8x16_t packed, placing placing)
{
    uint16x8_t lanes = vreinterpretq_u16_u8(vqtbl1q_u8(packed, placing.bytes));
    return vreinterpretq_u8_u16(vshlq_u16(lanes, placing.shift));
}

size_t qc_unpack_neon(const uint8_t *packed, size_t size, unsigned width, uint8_t *symbols,
                      size_t count)
{
    const placing first = place(0, width), last = place(8, width);
    const uint8x16_t mask = vdupq_n_u8((uint8_t)((1u << width) - 1));
    size_t i = 0;
    /* 16 symbols are 2 * width bytes, of which 16 are loaded. */
    for (size_t at = 0; count - i >= 16 && size - at >= 16; i += 16, at += 2 * width) {
        uint8x16_t bytes = vld1q_u8(packed + at);
        uint8x16_t found = vuzp1q_u8(take(bytes, first), take(bytes, last));
        vst1q_u8(symbols + i, vandq_u8(found, mask));
    }
    return i;
}

#endif /* QC_HAS_NEON */
