/*
 * The pull interface of the decoders: start a stream, take its next symbols, as many as fit into
 * L1, and finish. Decoders of values and positions take their symbols in this way, so each works
 * with every coding. stream_decode.c has the table of codings.
 */
#ifndef QC_STREAM_H
#define QC_STREAM_H

#include "base/ticker.h"
#include "codings/huffman_code.h"
#include "codings/range_decoder.h"
#include "kernels/lanes_state.h"
#include "kernels/look_up.h"

/* Callers take symbols in multiples of this (but for the last ones), so that a coding with
   interleaved sub-streams starts each call at the same place. */
#define QC_STREAM_BLOCK 256

typedef struct qc_constant_state {
    unsigned symbol;
} qc_constant_state;

typedef struct qc_bitpacked_state {
    const uint8_t *data;
    size_t size;
    size_t next; /* symbol */
} qc_bitpacked_state;

typedef struct qc_bit_reader {
    const uint8_t *next;
    const uint8_t *end;
    uint64_t bits;  /* from the top */
    unsigned count; /* valid bits: what is before `next` and not yet taken */
} qc_bit_reader;

typedef struct qc_huffman_state {
    uint16_t table[1 << QC_HUFFMAN_MAX_LENGTH]; /* by the next bits: symbol << 8 | length */
    unsigned table_bits;
    unsigned streams;
    qc_bit_reader readers[QC_HUFFMAN_STREAMS];
} qc_huffman_state;

typedef struct qc_contexts_state {
    qc_range_decoder decoder;
    qc_contexts_model model;
    qc_contexts contexts;
    struct qc_router_state *router; /* of models classes and neighbours */
} qc_contexts_state;

/* What all streams of a chunk share. */
typedef struct qc_stream_shared {
    qc_ticker ticker;
    /* The memory of the one routed stream that a chunk may have, which takes it when it is opened.
       NULL: it is taken, or no stream may be routed. */
    struct qc_router_state *router; /* routers/router_decode.h */
} qc_stream_shared;

/* A stream that is being decoded. */
typedef struct qc_stream {
    const struct qc_stream_decoder *decoder;
    unsigned width;
    int is_fetched; /* by the CRC, which takes its bytes just before they are decoded */
    size_t count;   /* symbols in all */
    size_t left;    /* symbols not yet taken */
    size_t offset;  /* of the body, for errors */
    uint64_t features;
    qc_stream_shared *shared;
    union {
        qc_constant_state constant;
        qc_bitpacked_state bitpacked;
        qc_huffman_state huffman;
        qc_contexts_state contexts;
        qc_lanes_state lanes;
        struct qc_router_state *router;
    } state;
} qc_stream;

/* One coding. `body` stays valid until finish. Every function returns QC_OK or an error of section
   7 of the format; offsets in errors count from the body's first byte (stream_decode.c adds
   stream->offset). */
typedef struct qc_stream_decoder {
    const char *name;
    unsigned min_width, max_width;
    /* Checks as much of the body as is possible before symbols are taken, and builds tables. */
    qc_status (*start)(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error);
    /* Writes the next `count` symbols, uint8_t or uint16_t by stream->width. Reads only inside the
       body, whatever it holds, and writes exactly `count` symbols, each below 2^width. */
    qc_status (*next)(qc_stream *stream, void *symbols, size_t count, qc_error *error);
    /* Returns the place of the next `count` symbols in the body, one byte each, and moves past
       them. NULL, as the function or its result: they have to be decoded. They are the caller's
       bytes, which may change at any time: each symbol of a view is read once, and any byte will
       do. */
    const uint8_t *(*view)(qc_stream *stream, size_t count);
    /* Writes the items of some of the next `count` symbols instead of the symbols, and moves past
       those; returns how many they were. run->keep is then the number of symbols before the next
       one whose items are not yet written. NULL as the function, or 0: they have to be taken. */
    size_t (*write_items)(qc_stream *stream, qc_item_run *run, size_t count);
    /* Moves `count` symbols forward. NULL: qc_stream_skip takes and drops them. */
    qc_status (*skip)(qc_stream *stream, size_t count, qc_error *error);
    /* After the last symbol: the body must have been used up exactly. */
    qc_status (*finish)(qc_stream *stream, qc_error *error);
} qc_stream_decoder;

extern const qc_stream_decoder *const qc_decoders[QC_CODING_COUNT]; /* stream_decode.c */
extern const qc_stream_decoder qc_constant_decoder, qc_bitpacked_decoder, qc_huffman_decoder,
    qc_contexts_decoder, qc_lanes_huffman_decoder, qc_lanes_tans_decoder, qc_split_decoder;

/* Reads a stream's header at the reader (coding, body length) and starts it. `features`: a coding
   without a bit there is Corrupt; pass ~0 for a single stream. Moves the reader past the body. */
qc_status qc_stream_open(qc_stream *stream, qc_reader *reader, size_t count, unsigned width,
                         uint64_t features, qc_stream_shared *shared, qc_error *error);
/* As the coding's `next`. The caller makes sure that count <= stream->left. */
qc_status qc_stream_next(qc_stream *stream, void *symbols, size_t count, qc_error *error);
/* As the coding's `view`; NULL if fewer are left. Views follow each other in memory. */
const uint8_t *qc_stream_view(qc_stream *stream, size_t count);
/* As the coding's `write_items`: *done symbols, perhaps none. Moves run->out past the items. */
qc_status qc_stream_write_items(qc_stream *stream, qc_item_run *run, size_t count, size_t *done,
                                qc_error *error);
qc_status qc_stream_skip(qc_stream *stream, size_t count, qc_error *error);
/* Only once nothing is left. */
qc_status qc_stream_finish(qc_stream *stream, qc_error *error);

#endif /* QC_STREAM_H */
