/*
 * Values: what a stored element is (docs/format.md, section 4). Codes are pulled from the value
 * streams a block at a time, then turned into elements of the output type.
 */
#ifndef QC_VALUES_H
#define QC_VALUES_H

#include "body/delta_decode.h"
#include "body/exponents_decode.h"
#include "codings/stream.h"
#include "kernels/look_up.h"

#define QC_VALUE_BLOCK  2048 /* stored elements at a time: a multiple of QC_STREAM_BLOCK */
#define QC_VALUE_KEEP   64   /* of those before them that can be kept, less than this */
#define QC_VALUE_STRIDE (QC_VALUE_KEEP + QC_VALUE_BLOCK)

typedef struct qc_value_decoder {
    const qc_frame *frame;
    qc_dtype out_dtype;
    size_t out_size; /* bytes of an output element */
    int past_cache;  /* for qc_look_up: the output is larger than the caches */
    int has_table; /* `table` gives every element by its code; else a run's, while it is written */
    size_t pulled; /* elements, by the last pull */
    /* By stream, those that were kept and those that were pulled: in `codes`, or in the frame. */
    const uint8_t *blocks[QC_MAX_ITEM_BYTES];
    qc_look_up_table table;
    float entries[QC_MAX_ENTRIES]; /* what a table is made from: a book, or code - zero point */
    /* Symbols; of planes, each one's stand QC_VALUE_STRIDE from those before. */
    uint8_t codes[QC_VALUE_STRIDE * QC_MAX_ITEM_BYTES];
    uint8_t joined[2][QC_VALUE_STRIDE]; /* of fields, planes 0 and 1, made of streams 0 and 1 */
    float floats[QC_VALUE_STRIDE];
    uint8_t native[QC_VALUE_STRIDE * QC_MAX_ITEM_BYTES];
    qc_stream streams[QC_MAX_ITEM_BYTES];
    union { /* what pulls the streams of these kinds */
        qc_delta_decoder delta;
        qc_field_decoder fields;
    };
} qc_value_decoder;

/* Start the value streams of a chunk with `count` stored elements, the first element of which has
   the number `first` in the tensor; steps over them. */
qc_status qc_values_open(qc_value_decoder *values, const qc_frame *frame, size_t first,
                         size_t count, qc_dtype out_dtype, qc_stream_shared *shared,
                         qc_reader *reader, qc_error *error);
/* Go `count` stored elements forward: a multiple of QC_STREAM_BLOCK. */
qc_status qc_values_skip(qc_value_decoder *values, size_t count, qc_error *error);
/* Take the codes of the next `count` stored elements, at most QC_VALUE_BLOCK. The block is these,
   behind the last `keep` (below QC_VALUE_KEEP) of the block before. */
qc_status qc_values_pull(qc_value_decoder *values, size_t count, size_t keep, qc_error *error);
/* Turn `count` elements of the block, from number `from` on, into output elements (any alignment).
   Groups go by the element's index in the tensor: first + positions[i], or first + i if positions
   is NULL. */
void qc_values_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                     const uint32_t *positions, uint8_t *out);
/* All `count` elements of the block as integers: codes as they are, raw and planes as elements. */
void qc_values_write_codes(const qc_value_decoder *values, size_t count, uint8_t *out);
qc_status qc_values_finish(qc_value_decoder *values, qc_error *error);

#endif /* QC_VALUES_H */
