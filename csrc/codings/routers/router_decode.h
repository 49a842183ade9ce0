/*
 * Streams in codings 6 and 7 that are being decoded (docs/format.md, sections 7.6 and 7.7): the
 * router, which names the target of every symbol, and the sub-streams, each with a buffer. A
 * target is a sub-stream in coding 6, and a table of contexts in coding 7.
 */
#ifndef QC_ROUTER_DECODE_H
#define QC_ROUTER_DECODE_H

#include "codings/routers/contexts_model.h"
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
    unsigned width, height, classes;
    unsigned x, y;                              /* of the next symbol */
    uint8_t class_of[1 << QC_ROUTER_MAX_WIDTH]; /* 1 + the class of a symbol */
    uint8_t target_of[QC_ROUTER_MAX_CONTEXTS];  /* coding 6 */
    uint8_t left;                               /* 1 + class of the symbol before */
    uint8_t above[QC_ROUTER_MAX_SIDE];          /* by x, the last row's, or this row's before x */
} qc_router_neighbours;

/* Coding 7 (contexts_decode.c). */
typedef struct qc_contexts_state {
    qc_range_decoder decoder;
    qc_contexts_model model;
} qc_contexts_state;

/* The memory of a stream in coding 6 or 7. */
typedef struct qc_router_state {
    unsigned id; /* qc_router */
    unsigned targets;
    union {
        qc_router_classes classes;
        qc_router_neighbours neighbours;
    } router;
    qc_sub_stream rows; /* the row map; while the head is read, any other map */
    union {
        qc_sub_stream sub_streams[QC_ROUTER_MAX_SUB_STREAMS];
        qc_contexts_state contexts;
    };
} qc_router_state;

/* ---- the router ---- */

/* Takes the chunk's memory for a router, Corrupt if it is taken, and reads which router the stream
   has. */
qc_status qc_router_begin(qc_stream *stream, qc_reader *reader, qc_error *error);
/* Reads the fields of router classes. */
qc_status qc_router_open_classes(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                                 qc_error *error);
/* Reads the size of a filter: the first fields of router neighbours, all of which begin as 0. */
qc_status qc_router_open_filter(qc_router_neighbours *router, qc_reader *reader, qc_error *error);
/* Reads the class of the next row, and goes to its first column. */
qc_status qc_router_begin_row(qc_router_state *state, qc_error *error);
/* After the last symbol: checks that the row map was used up. */
qc_status qc_router_finish_rows(qc_router_state *state, qc_error *error);
/* Reads a map that is needed at once: its contents are part of the head. */
qc_status qc_router_read_map(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                             size_t count, unsigned classes, uint8_t *map, qc_error *error);

/* Moves to the next place in a filter, row by row, filter by filter. `class` is 1 + the class of
   the symbol at this place. */
static inline void qc_router_move(qc_router_neighbours *router, uint8_t class)
{
    router->left = router->above[router->x] = class;
    if (++router->x == router->width) {
        router->x = 0;
        router->y = router->y + 1 == router->height ? 0 : router->y + 1;
    }
}

/* The context of the next symbol: its neighbours' classes, 0 for one beyond the filter's edge. */
static inline unsigned qc_router_context(const qc_router_neighbours *router)
{
    unsigned left = router->x > 0 ? router->left : 0;
    unsigned up = router->y > 0 ? router->above[router->x] : 0;
    return left * (router->classes + 1) + up;
}

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
