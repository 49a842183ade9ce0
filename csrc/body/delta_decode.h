/*
 * Differences from a base, read: three streams in step.
 */
#ifndef QC_DELTA_DECODE_H
#define QC_DELTA_DECODE_H

#include "body/delta.h"
#include "codings/stream.h"

#define QC_DELTA_BLOCK 2048 /* elements at a time, at most: a multiple of QC_DELTA_RUN */
#define QC_DELTA_RUN   256  /* elements for which the low bits are fetched at once */

/* The low bits of a run of the widest elements, what is left of the block before them, and what a
   load of 8 bytes may read behind them. */
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

/* Start the streams of a chunk of `count` elements, the first of which has the number `first` in
   the tensor. `streams`: three, that stay where they are. */
qc_status qc_delta_open(qc_delta_decoder *delta, qc_stream *streams, const qc_frame *frame,
                        size_t first, size_t count, qc_stream_shared *shared, qc_reader *reader,
                        qc_error *error);
/* The next `count` elements, at most QC_DELTA_BLOCK, little-endian; a multiple of QC_STREAM_BLOCK
   but for the last ones. */
qc_status qc_delta_next(qc_delta_decoder *delta, size_t count, uint8_t *out, qc_error *error);
/* After the last element: everything has been used up. */
qc_status qc_delta_finish(qc_delta_decoder *delta, qc_error *error);

#endif /* QC_DELTA_DECODE_H */
