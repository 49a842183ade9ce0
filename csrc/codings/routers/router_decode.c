/*
 * What the decoders of codings 6 and 7 share: the router's fields, its maps, and the sub-streams.
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

qc_status qc_router_read_map(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                             size_t count, unsigned classes, uint8_t *map, qc_error *error)
{
    unsigned width = qc_router_map_width(classes);
    QC_TRY(qc_sub_stream_open(&state->rows, outer, reader, count, width, error));
    QC_TRY(qc_stream_next(&state->rows.stream, map, count, error));
    QC_TRY(qc_stream_finish(&state->rows.stream, error));
    return check_classes(map, count, classes, error);
}

/* ---- the router ---- */

qc_status qc_router_begin(qc_stream *stream, qc_reader *reader, qc_error *error)
{
    qc_router_state *state = stream->shared->router;
    QC_CHECK(state != NULL, QC_CORRUPT, "router: a second stream with a router, or one in another",
             0, 2, 1);
    stream->shared->router = NULL;
    stream->state.router = state;
    QC_TRY(qc_read_u8(reader, &state->id, "router: id", error));
    QC_CHECK(state->id <= QC_ROUTER_NEIGHBOURS, QC_UNSUPPORTED, "router: id", 0, state->id,
             QC_ROUTER_NEIGHBOURS);
    return QC_OK;
}

qc_status qc_router_open_classes(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                                 qc_error *error)
{
    qc_router_classes *router = &state->router.classes;
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
        QC_TRY(qc_router_read_map(state, outer, reader, router->row_length, router->column_classes,
                                  router->columns, error));
    }
    if (router->row_classes == 1)
        return QC_OK;
    return qc_sub_stream_open(&state->rows, outer, reader,
                              qc_router_rows(outer->count, router->row_length),
                              qc_router_map_width(router->row_classes), error);
}

qc_status qc_router_open_filter(qc_router_neighbours *router, qc_reader *reader, qc_error *error)
{
    memset(router, 0, sizeof *router);
    QC_TRY(qc_read_u8(reader, &router->width, "router: width of a filter", error));
    QC_TRY(qc_read_u8(reader, &router->height, "router: height of a filter", error));
    QC_CHECK(router->width > 0 && router->height > 0, QC_CORRUPT, "router: size of a filter",
             reader->at - 2, 0, 1);
    return QC_OK;
}

qc_status qc_router_begin_row(qc_router_state *state, qc_error *error)
{
    qc_router_classes *router = &state->router.classes;
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
    int has_rows = state->id == QC_ROUTER_CLASSES && state->router.classes.row_classes > 1;
    return has_rows ? qc_stream_finish(&state->rows.stream, error) : QC_OK;
}
