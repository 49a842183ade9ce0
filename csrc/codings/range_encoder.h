/*
 * The range encoder of coding 3 (docs/format.md, section 7.4). It mirrors range_decoder.h: `low` is
 * the lower end of the interval, and the output is any number within the last one.
 *
 * Carry: adding to `low` may overflow into bytes that were shifted out already, and ripple through
 * any number of bytes of 0xFF before them. So the last byte that could still change is held back,
 * with the number of bytes of 0xFF after it (as LZMA does). When the next byte is settled, either
 * there was a carry (held byte + 1, and zeros for the 0xFF) or none can reach them any more, and
 * they are written. Invariant: what is written never changes, and low + range < 2^33.
 *
 * The body may end early, because a decoder reads zeros beyond it, up to eight of them. `finish`
 * therefore chooses the number of the last interval with the most zero bytes at its end, and zeros
 * are written only once something else follows them, or if they are more than eight.
 */
#ifndef QC_RANGE_ENCODER_H
#define QC_RANGE_ENCODER_H

#include "codings/contexts_model.h"

/* Shifts after which all bytes of `low`, and those held back, are written. */
#define QC_RANGE_LAST_SHIFTS 5

/*
 * The range encoder. `low` has 33 bits: a carry may still go into the bytes before it. So the last
 * of them, `held_byte`, is held back, with the bytes of 0xFF after it that a carry would run
 * through. Zeros are held back too.
 */
typedef struct qc_range_encoder {
    uint64_t low;
    uint32_t range;
    uint8_t held_byte;
    size_t held;  /* held_byte and the bytes of 0xFF after it */
    size_t zeros; /* before them */
    uint8_t *out;
    size_t written;
    size_t limit;
    int full; /* the limit was reached: what comes is not written */
} qc_range_encoder;

static inline qc_range_encoder qc_range_encoder_start(uint8_t *out, size_t limit)
{
    /* Nothing is held at first. If the first byte is 0xFF, held_byte stays as it is. */
    return (qc_range_encoder){.range = UINT32_MAX, .held_byte = 0xFF, .out = out, .limit = limit};
}

/* Of those that are held back; there is room. */
static inline void qc_range_write_zeros(qc_range_encoder *e, size_t count)
{
    memset(e->out + e->written, 0, count);
    e->written += count;
    e->zeros -= count;
}

static inline void qc_range_write_byte(qc_range_encoder *e, uint8_t byte)
{
    if (byte == 0) {
        e->zeros++;
    } else if (e->zeros >= e->limit - e->written) {
        e->full = 1;
    } else {
        qc_range_write_zeros(e, e->zeros);
        e->out[e->written++] = byte;
    }
}

static inline void qc_range_shift_low(qc_range_encoder *e)
{
    unsigned carry = (unsigned)(e->low >> 32);
    if (carry != 0 || e->low < 0xFF000000) {
        for (unsigned byte = e->held_byte; e->held > 0; e->held--, byte = 0xFF)
            qc_range_write_byte(e, (uint8_t)(byte + carry));
        e->held_byte = (uint8_t)(e->low >> 24);
    }
    e->held++;
    e->low = (e->low & 0x00FFFFFF) << 8;
}

static inline void qc_range_encoder_normalise(qc_range_encoder *e)
{
    while (e->range < QC_RANGE_NORMAL) {
        e->range <<= 8;
        qc_range_shift_low(e);
    }
}

/* A bit that is 0 with the probability p, in units of 2^-16. */
static inline void qc_range_encode(qc_range_encoder *e, unsigned bit, uint32_t p)
{
    uint32_t bound = (e->range >> 16) * p;
    e->low += bit ? bound : 0;
    e->range = bit ? e->range - bound : bound;
    qc_range_encoder_normalise(e);
}

static inline void qc_range_encode_direct(qc_range_encoder *e, unsigned bit)
{
    e->range >>= 1;
    e->low += bit ? e->range : 0;
    qc_range_encoder_normalise(e);
}

/* End with the value in [low, low + range) that has the most zero bytes at its end. Range is at
   least 2^24, so there is one with three of them. A decoder reads as many bytes as are shifted out:
   those that are held back now are what it would read beyond the body. */
static inline void qc_range_encoder_finish(qc_range_encoder *e)
{
    uint64_t end = e->low + e->range;
    for (unsigned zero_bits = 32; zero_bits >= 24; zero_bits -= 8) {
        uint64_t unit = (uint64_t)1 << zero_bits, value = (e->low + unit - 1) / unit * unit;
        if (value < end) {
            e->low = value;
            break;
        }
    }
    for (unsigned i = 0; i < QC_RANGE_LAST_SHIFTS; i++)
        qc_range_shift_low(e);
    size_t more = e->zeros > QC_RANGE_MAX_BEYOND ? e->zeros - QC_RANGE_MAX_BEYOND : 0;
    if (more > e->limit - e->written)
        e->full = 1;
    else
        qc_range_write_zeros(e, more);
}

#endif /* QC_RANGE_ENCODER_H */
