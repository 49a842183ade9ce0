/*
 * What the decoders of routed streams share: the router's fields, its maps, and the sub-streams.
 * Sub-streams are decoded a block at a time, so memory does not grow with the stream; the row map
 * is one of them, read row by row.
 */
#include "codings/routers/router_decode.h"

/* ---- sub-streams ---- */

qc_status qc_sub_stream_open(qc_sub_stream *from, const qc_stream *outer, qc_reader *reader,
                             size_t count, unsigned width, qc_error *error)
{
    from->used = from->filled = 0;
    return qc_stream_open(&from->stream, reader, count, width, outer->features, outer->shared,
                          error);
}

qc_status qc_sub_stream_refill(qc_sub_stream *from, qc_error *error)
{
    size_t left = from->stream.left;
    QC_CHECK(left > 0, QC_CORRUPT, "router: symbols beyond a sub-stream", 0, from->stream.count,
             from->stream.count);
    from->used = 0;
    from->filled = left < QC_SUB_STREAM_BLOCK ? left : QC_SUB_STREAM_BLOCK;
    return qc_stream_next(&from->stream, from->block, from->filled, error);
}

/* ---- maps ---- */

static qc_status check_classes(const uint8_t *map, size_t count, unsigned classes, qc_error *error)
{
    for (size_t i = 0; i < count; i++)
        QC_CHECK(map[i] < classes, QC_CORRUPT, "router: class in a map", 0, map[i], classes - 1);
    return QC_OK;
}

/* The contents of the column map are needed at once. The memory of the row map serves. */
static qc_status read_column_map(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                                 qc_error *error)
{
    qc_router_classes *router = &state->classes;
    unsigned width = qc_router_map_width(router->column_classes);
    QC_TRY(qc_sub_stream_open(&state->rows, outer, reader, router->row_length, width, error));
    QC_TRY(qc_stream_next(&state->rows.stream, router->columns, router->row_length, error));
    QC_TRY(qc_stream_finish(&state->rows.stream, error));
    return check_classes(router->columns, router->row_length, router->column_classes, error);
}

/* ---- the router ---- */

qc_status qc_router_take(qc_stream *stream, qc_router_state **state, qc_error *error)
{
    *state = stream->shared->router;
    QC_CHECK(*state != NULL, QC_UNSUPPORTED,
             "router: a second stream with a router, or one in another", 0, 2, 1);
    stream->shared->router = NULL;
    return QC_OK;
}

qc_status qc_router_open_classes(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                                 qc_error *error)
{
    qc_router_classes *router = &state->classes;
    uint64_t row_length;
    unsigned numbers;
    QC_TRY(qc_read_vu(reader, &row_length, "router: row length", error));
    size_t longest = outer->count > 0 ? outer->count : 1;
    QC_CHECK(row_length >= 1 && row_length <= longest, QC_CORRUPT, "router: row length", reader->at,
             row_length, longest);
    QC_TRY(qc_read_u8(reader, &numbers, "router: row and column classes", error));
    router->row_length = router->column = (size_t)row_length;
    router->row = 0;
    router->row_classes = numbers % 16 + 1;
    router->column_classes = numbers / 16 + 1;
    state->targets = router->row_classes * router->column_classes;
    QC_CHECK(state->targets <= QC_ROUTER_MAX_SUB_STREAMS, QC_CORRUPT, "router: sub-streams",
             reader->at - 1, state->targets, QC_ROUTER_MAX_SUB_STREAMS);
    if (router->column_classes > 1) {
        QC_CHECK(row_length <= QC_ROUTER_MAX_COLUMNS, QC_CORRUPT, "router: columns with classes",
                 reader->at, row_length, QC_ROUTER_MAX_COLUMNS);
        QC_TRY(read_column_map(state, outer, reader, error));
    }
    if (router->row_classes == 1)
        return QC_OK;
    return qc_sub_stream_open(&state->rows, outer, reader,
                              qc_router_rows(outer->count, router->row_length),
                              qc_router_map_width(router->row_classes), error);
}

qc_status qc_router_begin_row(qc_router_state *state, qc_error *error)
{
    qc_router_classes *router = &state->classes;
    uint8_t class = 0;
    if (router->row_classes > 1) {
        QC_TRY(qc_sub_stream_take(&state->rows, &class, error));
        QC_TRY(check_classes(&class, 1, router->row_classes, error));
    }
    router->row = class * router->column_classes;
    router->column = 0;
    return QC_OK;
}

qc_status qc_router_finish_rows(qc_router_state *state, qc_error *error)
{
    return state->classes.row_classes > 1 ? qc_stream_finish(&state->rows.stream, error) : QC_OK;
}
