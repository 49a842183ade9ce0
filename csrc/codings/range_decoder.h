/*
 * The range decoder of coding 3 (docs/format.md, section 7.4; Martin 1979, in the form that LZMA
 * uses).
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
 * Bytes beyond the body are 0, and a decoder reads at most eight of them: so a few bytes do not
 * take long to decode. That is checked after every block of symbols, not after every byte.
 *
 * Functions work on a copy of the decoder, which the compiler keeps in registers.
 */
#ifndef QC_RANGE_DECODER_H
#define QC_RANGE_DECODER_H

#include "codings/contexts_model.h"

typedef struct qc_range_decoder {
    const uint8_t *bytes;
    size_t size;
    size_t read; /* bytes so far, those beyond `size` included */
    uint32_t range;
    uint32_t code;
} qc_range_decoder;

static inline uint32_t qc_range_byte(qc_range_decoder *d)
{
    size_t at = d->read++;
    return at < d->size ? d->bytes[at] : 0;
}

static inline void qc_range_normalise(qc_range_decoder *d)
{
    while (d->range < QC_RANGE_NORMAL) {
        d->range <<= 8;
        d->code = d->code << 8 | qc_range_byte(d);
    }
}

static inline qc_range_decoder qc_range_start(const uint8_t *bytes, size_t size)
{
    qc_range_decoder d = {bytes, size, 0, UINT32_MAX, 0};
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

/* After each block of symbols. */
static inline qc_status qc_range_check(const qc_range_decoder *d, qc_error *error)
{
    QC_CHECK(d->read <= d->size + QC_RANGE_MAX_BEYOND, QC_CORRUPT,
             "contexts: bytes read beyond the body", 0, d->read - d->size, QC_RANGE_MAX_BEYOND);
    return QC_OK;
}

/* After the last symbol: the body has as few bytes as decode to them. */
static inline qc_status qc_range_finish(const qc_range_decoder *d, qc_error *error)
{
    QC_CHECK(d->read >= d->size, QC_CORRUPT, "contexts: bytes left after the last symbol", 0,
             d->size - d->read, 0);
    QC_CHECK(d->size == 0 || d->bytes[d->size - 1] != 0 || d->read == d->size + QC_RANGE_MAX_BEYOND,
             QC_CORRUPT, "contexts: trailing zero byte", 0, d->read - d->size, QC_RANGE_MAX_BEYOND);
    return QC_OK;
}

#endif /* QC_RANGE_DECODER_H */
