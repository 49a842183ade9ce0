/*
 * The range decoder of the adaptive codings (docs/format.md, section 7.4). Functions work on a copy
 * that the compiler keeps in the machine's registers.
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

static inline unsigned qc_range_decode_raw(qc_range_decoder *d)
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
