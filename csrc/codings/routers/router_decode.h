/*
 * Routed streams that are being decoded (docs/format.md, sections 7.4 and 7.6): the router, which
 * names the target of every symbol, and the sub-streams, each with a buffer. A target is a table
 * in coding contexts, and a sub-stream in coding split.
 */
#ifndef QC_ROUTER_DECODE_H
#define QC_ROUTER_DECODE_H

#include "codings/routers/routers.h"
#include "codings/stream.h"

/* Starting a lanes decoder again costs as much as some turns, so more than one is taken. */
#define QC_SUB_STREAM_BLOCK (4 * QC_STREAM_BLOCK)

/* A stream from which symbols are taken one by one; it is decoded a block at a time. */
typedef struct qc_sub_stream {
    size_t used, filled; /* of the block */
    uint8_t block[QC_SUB_STREAM_BLOCK];
    qc_stream stream;
} qc_sub_stream;

typedef struct qc_router_classes {
    size_t row_length;
    unsigned row_classes, column_classes;
    size_t column;                          /* of the next symbol; row_length: a row begins */
    unsigned row;                           /* the first target of the row's class */
    uint8_t columns[QC_ROUTER_MAX_COLUMNS]; /* classes; used if there are several */
} qc_router_classes;

typedef struct qc_router_neighbours {
    size_t width, height;
    size_t x, y; /* of the next symbol */
    qc_neighbour_tables tables;
    uint8_t class_of[QC_CONTEXTS_TABLE]; /* 1 + the class of a symbol */
    uint8_t above[QC_FILTER_MAX_WIDTH];  /* by x: of this row before x, then of the last one */
} qc_router_neighbours;

/* The memory of a routed stream. */
typedef struct qc_router_state {
    unsigned targets;
    qc_router_classes classes;
    qc_sub_stream rows; /* the row map; while the head is read, the column map */
    union {
        qc_sub_stream sub_streams[QC_ROUTER_MAX_SUB_STREAMS]; /* split */
        struct {
            qc_routed_contexts contexts;
            qc_router_neighbours neighbours;
        };
    };
} qc_router_state;

/* ---- the router ---- */

/* Takes the chunk's memory for a router; Unsupported if it is taken. */
qc_status qc_router_take(qc_stream *stream, qc_router_state **state, qc_error *error);
/* Reads the fields of classes of rows and columns. */
qc_status qc_router_open_classes(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                                 qc_error *error);
/* Reads the class of the next row, and goes to its first column. */
qc_status qc_router_begin_row(qc_router_state *state, qc_error *error);
/* After the last symbol: checks that the row map was used up. */
qc_status qc_router_finish_rows(qc_router_state *state, qc_error *error);

/* ---- sub-streams ---- */

qc_status qc_sub_stream_open(qc_sub_stream *from, const qc_stream *outer, qc_reader *reader,
                             size_t count, unsigned width, qc_error *error);
/* Decodes the next block; Corrupt if no symbols are left. */
qc_status qc_sub_stream_refill(qc_sub_stream *from, qc_error *error);

static inline qc_status qc_sub_stream_take(qc_sub_stream *from, uint8_t *symbol, qc_error *error)
{
    if (QC_UNLIKELY(from->used == from->filled))
        QC_TRY(qc_sub_stream_refill(from, error));
    *symbol = from->block[from->used++];
    return QC_OK;
}

#endif /* QC_ROUTER_DECODE_H */
