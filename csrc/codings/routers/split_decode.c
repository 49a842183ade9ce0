/*
 * Coding 6, decoded: every symbol is the next one of the sub-stream that the router names.
 */
#include "codings/routers/router_decode.h"

/* Takes symbols that follow each other in the sub-stream too. */
static qc_status take_run(qc_sub_stream *from, uint8_t *symbols, size_t count, qc_error *error)
{
    while (count > 0) {
        if (from->used == from->filled)
            QC_TRY(qc_sub_stream_refill(from, error));
        size_t ready = from->filled - from->used, taken = ready < count ? ready : count;
        memcpy(symbols, from->block + from->used, taken);
        from->used += taken;
        symbols += taken;
        count -= taken;
    }
    return QC_OK;
}

static qc_status next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    qc_router_state *state = stream->state.router;
    uint8_t *out = symbols;
    qc_router_classes *router = &state->classes;
    while (count > 0) {
        if (router->column == router->row_length)
            QC_TRY(qc_router_begin_row(state, error));
        size_t run = router->row_length - router->column;
        run = run < count ? run : count;
        qc_sub_stream *row = &state->sub_streams[router->row];
        const uint8_t *columns = router->columns + router->column;
        if (router->column_classes == 1)
            QC_TRY(take_run(row, out, run, error));
        else
            for (size_t i = 0; i < run; i++)
                QC_TRY(qc_sub_stream_take(row + columns[i], out + i, error));
        router->column += run;
        out += run;
        count -= run;
    }
    return QC_OK;
}

static qc_status open_sub_streams(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                                  qc_error *error)
{
    size_t sum = 0;
    for (unsigned i = 0; i < state->targets; i++) {
        uint64_t count;
        size_t at = reader->at;
        QC_TRY(qc_read_vu(reader, &count, "split: symbols of a sub-stream", error));
        QC_CHECK(count <= outer->count - sum, QC_CORRUPT, "split: symbols of a sub-stream", at,
                 count, outer->count - sum);
        sum += (size_t)count;
        QC_TRY(qc_sub_stream_open(&state->sub_streams[i], outer, reader, (size_t)count,
                                  outer->width, error));
    }
    QC_CHECK(sum == outer->count, QC_CORRUPT, "split: symbols of all sub-streams", reader->at, sum,
             outer->count);
    QC_CHECK(reader->at == reader->size, QC_CORRUPT, "split: bytes after the sub-streams",
             reader->at, reader->size, reader->at);
    return QC_OK;
}

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    qc_reader reader = qc_reader_of(body, size, 1);
    QC_TRY(qc_router_take(stream, &stream->state.router, error));
    QC_TRY(qc_router_open_classes(stream->state.router, stream, &reader, error));
    return open_sub_streams(stream->state.router, stream, &reader, error);
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    qc_router_state *state = stream->state.router;
    /* As many symbols were taken as all sub-streams have, so none has any left. */
    QC_TRY(qc_router_finish_rows(state, error));
    for (unsigned i = 0; i < state->targets; i++)
        QC_TRY(qc_stream_finish(&state->sub_streams[i].stream, error));
    return QC_OK;
}

const qc_stream_decoder qc_split_decoder = {
    "split", 1, QC_ROUTER_MAX_WIDTH, start, next, NULL, NULL, NULL, finish,
};
