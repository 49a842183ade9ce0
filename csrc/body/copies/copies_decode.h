/*
 * Positions form copies, decoded: the copies of a chunk, one after the other.
 */
#ifndef QC_COPIES_DECODE_H
#define QC_COPIES_DECODE_H

#include "body/copies/copies.h"
#include "codings/stream.h"
#include "head/layout.h"

#define QC_COPIES_BUFFER QC_STREAM_BLOCK /* copies whose symbols are taken at once */

/* Room for the low bits of so many copies, for what is left of the block before, and for what a
   load of 4 bytes may read behind them. */
#define QC_COPIES_LOW_BYTES (QC_COPIES_BUFFER * QC_COPY_LOW / 8 + QC_STREAM_BLOCK + 8)

typedef struct qc_copies_decoder {
    unsigned options;
    size_t elements; /* of the chunk */
    size_t stored;
    size_t stored_left; /* not before a copy that was taken */
    size_t at;          /* element: where the copies end that were taken */
    size_t low_left;    /* bytes not yet fetched */
    size_t bit;         /* of `low_bytes`: where the next low bits begin */
    size_t low_size;    /* bytes fetched */
    size_t buffered, used;
    qc_copy_memory memory;
    qc_stream runs, lengths, distances, directions, steps, low, signs;
    uint8_t run_symbols[QC_COPIES_BUFFER], length_symbols[QC_COPIES_BUFFER],
        distance_symbols[QC_COPIES_BUFFER], direction_symbols[QC_COPIES_BUFFER],
        step_symbols[QC_COPIES_BUFFER];
    uint8_t low_bytes[QC_COPIES_LOW_BYTES];
} qc_copies_decoder;

/* Read the numbers and start the streams that a chunk has before its values. */
qc_status qc_copies_open(qc_copies_decoder *copies, const qc_frame *frame, const qc_chunk *chunk,
                         qc_stream_shared *shared, qc_reader *reader, qc_error *error);
/* The next copy: its stored elements, itself and its source are inside the chunk. After the last
   one: a copy of length 0, before which all stored elements are that are left. */
qc_status qc_copies_next(qc_copies_decoder *copies, qc_copy *copy, qc_error *error);
/* Make a copy in the output, whose items may be wider than the elements. */
void qc_copies_put(const qc_copy *copy, uint8_t *to, size_t size);
/* Flip the signs of `out`, all elements of the chunk (NULL: check only), if it has any. */
qc_status qc_copies_flip(qc_copies_decoder *copies, uint8_t *out, size_t size, qc_error *error);
/* After the last copy and the signs: nothing more may be there. */
qc_status qc_copies_finish(qc_copies_decoder *copies, qc_error *error);

#endif /* QC_COPIES_DECODE_H */
