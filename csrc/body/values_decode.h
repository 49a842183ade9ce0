/*
 * Values, decoded: what a stored element is (docs/format.md, section 4). Symbols are pulled from
 * the value streams a block at a time, then turned into elements of the output type.
 *
 * Every kind is a row of functions, in a file of its own (affine_decode.c, planes_decode.c, ...).
 * What several kinds share is in value_streams_decode.c, elements_decode.c and codes_decode.c.
 */
#ifndef QC_VALUES_DECODE_H
#define QC_VALUES_DECODE_H

#include "body/delta_decode.h"
#include "body/float_planes_decode.h"
#include "codings/stream.h"
#include "kernels/look_up.h"

#define QC_VALUE_BLOCK  2048 /* stored elements at a time: a multiple of QC_STREAM_BLOCK */
#define QC_VALUE_KEEP   64   /* fewer elements than this can be kept of the block before */
#define QC_SPREAD       ((size_t)7168) /* elements: longer periods are spread block by block */
#define QC_SPREAD_SLACK 16
#define QC_VALUE_STRIDE (QC_VALUE_KEEP + QC_VALUE_BLOCK)

typedef struct qc_value_decoder {
    const qc_frame *frame;
    const struct qc_kind_decoder *kind;
    qc_dtype out_dtype;
    size_t out_size; /* bytes of an output element */
    size_t symbols;  /* of a value stream, per element */
    size_t step;     /* bytes from one element's symbols in a block to the next one's */
    int past_cache;  /* for qc_look_up: the output is larger than the caches */
    int has_table; /* `table` gives every element by its code; else a run's, while it is written */
    size_t pulled; /* elements, by the last pull */
    /* Of each stream, the symbols that were kept and pulled: in `codes`, or in the frame. */
    const uint8_t *blocks[QC_MAX_ITEM_BYTES];
    qc_look_up_table table;
    float entries[QC_MAX_ENTRIES]; /* what a table is made from: a book, or code - zero point */
    /* Symbols; those of stream i begin at i * QC_VALUE_STRIDE. */
    uint8_t codes[QC_VALUE_STRIDE * QC_MAX_ITEM_BYTES];
    uint16_t escaped[QC_VALUE_STRIDE]; /* planes of floats: the exponents of symbols without one */
    float floats[QC_VALUE_STRIDE];
    /* The scale and the zero point of each element, where few share one: of whole periods of the
       groups, `spread` elements in all, or of a block (0). */
    size_t spread;
    float scales[QC_SPREAD + QC_SPREAD_SLACK], zeros[QC_SPREAD + QC_SPREAD_SLACK];
    uint8_t native[QC_VALUE_STRIDE * QC_MAX_ITEM_BYTES];
    qc_stream streams[QC_MAX_ITEM_BYTES];
    union { /* what pulls the streams of these kinds */
        qc_delta_decoder delta;
        qc_exponent_decoder exponents;
    };
} qc_value_decoder;

/* One kind. The functions are called by those below, whose comments say what they do. */
typedef struct qc_kind_decoder {
    /* Start the value streams, and set `symbols` and `step`. */
    qc_status (*open)(qc_value_decoder *values, size_t first, size_t count,
                      qc_stream_shared *shared, qc_reader *reader, qc_error *error);
    qc_status (*skip)(qc_value_decoder *values, size_t count, qc_error *error);
    /* `values->pulled` is that of the pull before. */
    qc_status (*pull)(qc_value_decoder *values, size_t count, size_t keep, qc_error *error);
    void (*write)(qc_value_decoder *values, size_t from, size_t count, size_t first,
                  const uint32_t *positions, uint8_t *out);
    /* Elements of the block as they are stored: codes, or elements of the frame's dtype in the
       machine's order. */
    void (*write_stored)(const qc_value_decoder *values, size_t from, size_t count, uint8_t *out,
                         int past_cache);
    qc_status (*finish)(qc_value_decoder *values, qc_error *error);
} qc_kind_decoder;

extern const qc_kind_decoder qc_bytes_kind_decoder, qc_planes_kind_decoder, qc_affine_kind_decoder,
    qc_codebook_kind_decoder, qc_delta_kind_decoder, qc_float_planes_kind_decoder;

/* Start the value streams of a chunk with `count` stored elements, the first element of which has
   the number `first` in the tensor; steps over them. */
qc_status qc_values_open(qc_value_decoder *values, const qc_frame *frame, size_t first,
                         size_t count, qc_dtype out_dtype, qc_stream_shared *shared,
                         qc_reader *reader, qc_error *error);
/* Go `count` stored elements forward: a multiple of QC_STREAM_BLOCK. */
qc_status qc_values_skip(qc_value_decoder *values, size_t count, qc_error *error);
/* Take the symbols of the next `count` stored elements, at most QC_VALUE_BLOCK. The block is these,
   behind the last `keep` (below QC_VALUE_KEEP) of the block before. */
qc_status qc_values_pull(qc_value_decoder *values, size_t count, size_t keep, qc_error *error);
/* Turn `count` elements of the block, from number `from` on, into output elements (any alignment).
   Groups go by the element's index in the tensor: first + positions[i], or first + i if positions
   is NULL. */
void qc_values_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                     const uint32_t *positions, uint8_t *out);
/* As pull and write, straight from the stream of codes to the output, where that is possible: for
   *done of the next `count` elements. Behind the last *keep of the block before; *keep is set to
   the number of those to be kept for the next pull. Moves *out. */
qc_status qc_values_write_straight(qc_value_decoder *values, size_t count, size_t *keep,
                                   uint8_t **out, size_t *done, qc_error *error);
/* Frames of changes alone: the base of the next `count` elements to pull, which are at these
   positions of the chunk; and the base of a whole chunk, as output. */
void qc_delta_take_base(qc_value_decoder *values, const qc_chunk *chunk, const uint32_t *positions,
                        size_t count);
void qc_delta_copy_base(const qc_value_decoder *values, const qc_chunk *chunk, uint8_t *out);
/* All `count` elements of the block as integers: codes, or the elements of kinds that store them.
 */
void qc_values_write_codes(const qc_value_decoder *values, size_t count, uint8_t *out);
/* After the last element: everything has been used up. */
qc_status qc_values_finish(qc_value_decoder *values, qc_error *error);

#endif /* QC_VALUES_DECODE_H */
