/*
 * A split stream that is being decoded: its router, and its sub-streams with a buffer each.
 */
#ifndef QC_SPLIT_DECODE_H
#define QC_SPLIT_DECODE_H

#include "codings/routers/contexts_model.h"
#include "codings/routers/routers.h"
#include "codings/stream.h"

/* Starting a lanes decoder again costs as much as some turns, so more than one is taken. */
#define QC_SPLIT_BLOCK (4 * QC_STREAM_BLOCK)

/* Symbols of a stream, taken a block at a time. */
typedef struct qc_split_part {
    size_t used, filled; /* of the block */
    uint8_t block[QC_SPLIT_BLOCK];
    qc_stream stream;
} qc_split_part;

typedef struct qc_split_classes {
    size_t row_length;
    unsigned row_classes, column_classes;
    size_t column;                         /* of the next symbol; row_length: a row begins */
    unsigned row;                          /* the first sub-stream of the row's class */
    uint8_t columns[QC_SPLIT_MAX_COLUMNS]; /* classes; used if there are several */
} qc_split_classes;

typedef struct qc_split_neighbours {
    unsigned width, height, classes;
    unsigned x, y;                             /* of the next symbol */
    uint8_t class_of[1 << QC_SPLIT_MAX_WIDTH]; /* 1 + the class of a symbol */
    uint8_t part_of[QC_SPLIT_MAX_CONTEXTS];
    uint8_t left;                     /* 1 + class of the symbol before */
    uint8_t above[QC_SPLIT_MAX_SIDE]; /* by x, the last row's, or this row's before x */
} qc_split_neighbours;

/* Coding 7 (contexts_decode.c). */
typedef struct qc_contexts_state {
    qc_range_decoder decoder;
    qc_contexts_model model;
} qc_contexts_state;

/* The memory of a stream in coding 6 or 7. */
typedef struct qc_router_state {
    unsigned router;
    unsigned parts; /* sub-streams, or tables of contexts */
    union {
        qc_split_classes classes;
        qc_split_neighbours neighbours;
    } by;
    qc_split_part rows; /* the row map; before, any other map */
    union {
        qc_split_part part[QC_SPLIT_MAX_PARTS];
        qc_contexts_state contexts;
    };
} qc_router_state;

/* What the decoders of both codings do first: the stream takes the chunk's memory for a router,
   Corrupt if it is taken, and reads which router it has. */
qc_status qc_split_begin(qc_stream *stream, qc_reader *reader, qc_error *error);
/* The fields of router classes. */
qc_status qc_split_open_classes(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                                qc_error *error);
/* Go to the first column of the next row, whose class is read. */
qc_status qc_split_begin_row(qc_router_state *state, qc_error *error);
/* After the last symbol: the row map was used up. */
qc_status qc_split_finish_rows(qc_router_state *state, qc_error *error);

#endif /* QC_SPLIT_DECODE_H */
