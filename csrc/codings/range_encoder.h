/*
 * The range encoder of coding 3 (docs/format.md, section 7.4). It mirrors range_decoder.h: `low` is
 * the lower end of the interval, and the output is any number within the last one.
 *
 * Which bits come is as good as random to a processor, so encoding a bit has no branch on it. Bytes
 * that are shifted out gather above the lowest 32 bits of `low`, and are written two at a time.
 *
 * Carry: adding to `low` may overflow into bytes that are written already. That is rare enough for
 * the carry to run backwards through memory, to the first byte that is not 0xFF. It never runs
 * beyond the first byte, as the whole output is a fraction below 1.
 *
 * The body may end early, because a decoder reads zeros beyond it, up to eight of them. `finish`
 * therefore chooses the number of the last interval with the most zero bytes at its end, and cuts
 * off as many of its last bytes as are zeros, but at most eight.
 */
#ifndef QC_RANGE_ENCODER_H
#define QC_RANGE_ENCODER_H

#include "codings/contexts_model.h"

/* Functions work on a copy of the encoder, which the compiler keeps in registers. */
typedef struct qc_range_encoder {
    uint64_t low;     /* 32 bits, the pending ones above them, and a bit for a carry */
    unsigned pending; /* bits: 0 or 8 between two calls */
    uint32_t range;
    uint8_t *first, *next, *end; /* of the output; `end` is QC_RANGE_MAX_BEYOND after the limit */
    int full;                    /* there is no more room: what comes is not written */
} qc_range_encoder;

/* `out` has room for `limit` bytes and QC_RANGE_MAX_BEYOND more. */
static inline qc_range_encoder qc_range_encoder_start(uint8_t *out, size_t limit)
{
    return (qc_range_encoder){
        .range = UINT32_MAX, .first = out, .next = out, .end = out + limit + QC_RANGE_MAX_BEYOND};
}

static inline void qc_range_carry(uint8_t *after)
{
    do
        after--;
    while (++*after == 0);
}

/* Write the uppermost 16 of the pending bits. */
static inline void qc_range_write_pair(qc_range_encoder *e)
{
    unsigned left = e->pending - 16;
    uint64_t pair = e->low >> (32 + left);
    e->low &= ((uint64_t)1 << (32 + left)) - 1;
    e->pending = left;
    if (QC_UNLIKELY(e->end - e->next < 2)) {
        e->full = 1;
        return;
    }
    if (pair >> 16 != 0)
        qc_range_carry(e->next);
    e->next[0] = (uint8_t)(pair >> 8);
    e->next[1] = (uint8_t)pair;
    e->next += 2;
}

static inline void qc_range_encoder_normalise(qc_range_encoder *e)
{
    while (e->range < QC_RANGE_NORMAL) {
        e->range <<= 8;
        e->low <<= 8;
        e->pending += 8;
    }
    if (e->pending >= 16)
        qc_range_write_pair(e);
}

/* A bit that is 0 with the probability p, in units of 2^-16. The interval of a 1 is what that of a
   0 leaves: range - (range >> 16) * p. */
static inline void qc_range_encode(qc_range_encoder *e, unsigned bit, uint32_t p)
{
    uint32_t is_one = 0u - bit, factor = (p ^ is_one) - is_one; /* p, or -p */
    uint32_t range = (e->range & is_one) + (e->range >> 16) * factor;
    e->low += (e->range - range) & is_one;
    e->range = range;
    qc_range_encoder_normalise(e);
}

static inline void qc_range_encode_direct(qc_range_encoder *e, unsigned bit)
{
    e->range >>= 1;
    e->low += e->range & (0u - bit);
    qc_range_encoder_normalise(e);
}

/* Write what is left of `low`. */
static inline void qc_range_write_last(qc_range_encoder *e)
{
    unsigned bits = 32 + e->pending;
    if (e->full || (size_t)(e->end - e->next) < bits / 8) {
        e->full = 1;
        return;
    }
    if (e->low >> bits != 0)
        qc_range_carry(e->next);
    for (; bits > 0; bits -= 8)
        *e->next++ = (uint8_t)(e->low >> (bits - 8));
}

/* End with the value in [low, low + range) that has the most zero bytes at its end. Range is at
   least 2^24, so there is one with three of them. Returns the bytes of the body; if they are more
   than the limit, the encoder is full. */
static inline size_t qc_range_encoder_finish(qc_range_encoder *e)
{
    uint64_t end = e->low + e->range;
    for (unsigned zero_bits = 32; zero_bits >= 24; zero_bits -= 8) {
        uint64_t unit = (uint64_t)1 << zero_bits, value = (e->low + unit - 1) / unit * unit;
        if (value < end) {
            e->low = value;
            break;
        }
    }
    qc_range_write_last(e);
    uint8_t *last = e->next;
    for (unsigned i = 0; i < QC_RANGE_MAX_BEYOND && last > e->first && last[-1] == 0; i++)
        last--;
    e->full |= last > e->end - QC_RANGE_MAX_BEYOND;
    return (size_t)(last - e->first);
}

#endif /* QC_RANGE_ENCODER_H */
