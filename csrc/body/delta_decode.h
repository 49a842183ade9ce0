/*
 * Kind delta, decoded: the state of its decoder.
 */
#ifndef QC_DELTA_DECODE_H
#define QC_DELTA_DECODE_H

#include "body/delta.h"
#include "codings/stream.h"

#define QC_DELTA_BLOCK 2048 /* elements at a time, at most: a multiple of QC_DELTA_RUN */
#define QC_DELTA_RUN   256  /* elements for which the low bits are fetched at once */

/* Room for the low bits of a run of the widest elements, for what is left of the block before, and
   for what a load of 8 bytes may read behind them. */
#define QC_DELTA_LOW_BYTES (QC_DELTA_RUN * 7 + QC_STREAM_BLOCK + 16)

typedef struct qc_delta_decoder {
    const qc_frame *frame;
    qc_stream *symbols, *low, *escapes;
    const uint8_t *base; /* of the next element */
    qc_delta_place place;
    size_t bit;      /* of `low_bytes`: where the next low bits begin */
    size_t low_size; /* bytes fetched */
    size_t escape;   /* of `escape_bytes`: where the next one begins */
    size_t escape_size;
    uint8_t codes[QC_DELTA_BLOCK];
    uint8_t low_bytes[QC_DELTA_LOW_BYTES];
    uint8_t escape_bytes[QC_STREAM_BLOCK];
    int32_t steps[QC_DELTA_HISTORY + QC_DELTA_BLOCK];
} qc_delta_decoder;

#endif /* QC_DELTA_DECODE_H */
