/*
 * The range decoder of codings 3 and 7 (docs/format.md, section 7.4; Martin 1979, in the form that
 * LZMA uses).
 *
 * The whole body is read as one number, a fraction between 0 and 1. A decoder keeps the interval
 * that contains it: `range` is its width, and `code` is how far the number is above its lower end.
 * To decode a bit, the interval is split in proportion to the probabilities of 0 (lower part) and
 * 1 (upper part); the part that holds the number is the bit, and the new interval. A bit of
 * probability p narrows the interval by p, so it costs -log2(p) bits of the number: a fraction of
 * a bit for what is likely.
 *
 * When the range is below 2^24, both are shifted left by a byte, and the next byte of the body
 * comes in below: the range always has at least 24 bits of precision. Invariant of valid bodies:
 * code < range. A hostile body may break it with its first bytes. Then bits come out that no
 * encoder wrote, but any bits are symbols, so nothing has to be checked until the end.
 *
 * Functions work on a copy of the decoder, which the compiler keeps in registers.
 */
#ifndef QC_RANGE_DECODER_H
#define QC_RANGE_DECODER_H

#include "codings/adaptive_model.h"

typedef struct qc_range_decoder {
    const uint8_t *next;
    const uint8_t *end; /* zeros are read beyond it */
    uint32_t range;
    uint32_t code;
} qc_range_decoder;

static inline uint32_t qc_range_byte(qc_range_decoder *d)
{
    return d->next < d->end ? *d->next++ : 0;
}

static inline void qc_range_normalise(qc_range_decoder *d)
{
    while (d->range < QC_ADAPTIVE_NORMAL_RANGE) {
        d->range <<= 8;
        d->code = d->code << 8 | qc_range_byte(d);
    }
}

/* The bytes from `body` to `end` are range-coded. */
static inline qc_range_decoder qc_range_start(const uint8_t *body, const uint8_t *end)
{
    qc_range_decoder d = {body, end, UINT32_MAX, 0};
    for (unsigned i = 0; i < 4; i++)
        d.code = d.code << 8 | qc_range_byte(&d);
    return d;
}

/* A bit that is 0 with the probability p, in units of 2^-16. */
static inline unsigned qc_range_decode(qc_range_decoder *d, uint32_t p)
{
    uint32_t bound = (d->range >> 16) * p;
    unsigned bit = d->code >= bound;
    d->code -= bit ? bound : 0;
    d->range = bit ? d->range - bound : bound;
    qc_range_normalise(d);
    return bit;
}

/* A direct bit: 0 and 1 are equally likely. */
static inline unsigned qc_range_decode_direct(qc_range_decoder *d)
{
    d->range >>= 1;
    unsigned bit = d->code >= d->range;
    d->code -= bit ? d->range : 0;
    qc_range_normalise(d);
    return bit;
}

/* What a stream's start and finish check of range-coded bytes: `size` of them at `body`, which is
   `at` bytes into the stream's own body. Nothing that follows rests on the last byte not being 0:
   any bytes are symbols. */
static inline qc_status qc_range_check_end(const uint8_t *body, size_t size, size_t at,
                                           qc_error *error)
{
    QC_CHECK(size == 0 || body[size - 1] != 0, QC_CORRUPT, "adaptive: trailing zero byte",
             at + size - 1, 0, 1);
    return QC_OK;
}

static inline qc_status qc_range_finish(const qc_range_decoder *d, qc_error *error)
{
    QC_CHECK(d->next == d->end, QC_CORRUPT, "adaptive: bytes left after the last symbol", 0,
             d->end - d->next, 0);
    return QC_OK;
}

#endif /* QC_RANGE_DECODER_H */
