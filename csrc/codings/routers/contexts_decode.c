/*
 * Coding 7, decoded: every symbol adaptively, with the table of contexts that the router names and
 * the shared one (contexts_model.h).
 */
#include "codings/routers/router_decode.h"

/* ---- symbols ---- */

static inline uint8_t decode_symbol(qc_range_decoder *d, qc_contexts_model *model,
                                    qc_fine_context *specific, unsigned width)
{
    unsigned t = 1;
    for (unsigned i = 0; i < width; i++) {
        qc_fine_context shared = model->shared[t], own = specific[t];
        unsigned bit = qc_range_decode(d, qc_contexts_blend(model, shared, own));
        model->shared[t] = qc_contexts_learn(model, shared, bit);
        specific[t] = qc_contexts_learn(model, own, bit);
        t = 2 * t + bit;
    }
    return (uint8_t)(t - (1u << width));
}

static qc_status next_by_classes(qc_router_state *state, unsigned width, uint8_t *symbols,
                                 size_t count, qc_error *error)
{
    qc_router_classes *router = &state->router.classes;
    qc_contexts_model *model = &state->contexts.model;
    qc_range_decoder d = state->contexts.decoder;
    while (count > 0) {
        if (router->column == router->row_length)
            QC_TRY(qc_router_begin_row(state, error));
        size_t run = router->row_length - router->column;
        run = run < count ? run : count;
        const uint8_t *columns =
            router->column_classes > 1 ? router->columns + router->column : NULL;
        for (size_t i = 0; i < run; i++) {
            size_t table = router->row + (columns != NULL ? columns[i] : 0u);
            symbols[i] = decode_symbol(&d, model, model->specific + (table << width), width);
        }
        router->column += run;
        symbols += run;
        count -= run;
    }
    state->contexts.decoder = d;
    return QC_OK;
}

static void next_by_neighbours(qc_router_state *state, unsigned width, uint8_t *symbols,
                               size_t count)
{
    qc_router_neighbours *router = &state->router.neighbours;
    qc_contexts_model *model = &state->contexts.model;
    qc_range_decoder d = state->contexts.decoder;
    for (size_t i = 0; i < count; i++) {
        size_t table = qc_router_context(router);
        symbols[i] = decode_symbol(&d, model, model->specific + (table << width), width);
        qc_router_move(router, router->class_of[symbols[i]]);
    }
    state->contexts.decoder = d;
}

/* ---- the head ---- */

/* Classes are ranges of symbols: their first symbols but the lowest one's are sent, ascending. */
static qc_status read_ranges(qc_router_neighbours *router, unsigned symbols, qc_reader *reader,
                             qc_error *error)
{
    unsigned from = 0, first;
    for (unsigned class = 1; class < router->classes; class ++, from = first) {
        QC_TRY(qc_read_u8(reader, &first, "contexts: first symbol of a class", error));
        QC_CHECK(first > from && first < symbols, QC_CORRUPT, "contexts: first symbol of a class",
                 reader->at - 1, first, symbols - 1);
        memset(router->class_of + from, (int)class, first - from);
    }
    memset(router->class_of + from, (int)router->classes, symbols - from);
    return QC_OK;
}

static qc_status open_neighbours(qc_router_state *state, const qc_stream *stream, qc_reader *reader,
                                 qc_error *error)
{
    qc_router_neighbours *router = &state->router.neighbours;
    QC_TRY(qc_router_open_filter(router, reader, error));
    QC_TRY(qc_read_u8(reader, &router->classes, "contexts: classes of symbols", error));
    QC_CHECK(router->classes >= 1 && router->classes <= QC_CONTEXTS_MAX_CLASSES, QC_CORRUPT,
             "contexts: classes of symbols", reader->at - 1, router->classes,
             QC_CONTEXTS_MAX_CLASSES);
    state->targets = (router->classes + 1) * (router->classes + 1);
    return read_ranges(router, 1u << stream->width, reader, error);
}

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    qc_reader reader = qc_reader_of(body, size, 1);
    unsigned prior, memory;
    QC_TRY(qc_router_begin(stream, &reader, error));
    qc_router_state *state = stream->state.router;
    QC_TRY(state->id == QC_ROUTER_CLASSES ? qc_router_open_classes(state, stream, &reader, error)
                                          : open_neighbours(state, stream, &reader, error));
    size_t nodes = (size_t)state->targets << stream->width;
    QC_CHECK(nodes <= QC_CONTEXTS_MAX_NODES, QC_CORRUPT, "contexts: tables", reader.at,
             state->targets, QC_CONTEXTS_MAX_NODES >> stream->width);
    QC_TRY(qc_read_u8(&reader, &prior, "contexts: prior", error));
    QC_CHECK(prior > 0, QC_CORRUPT, "contexts: prior", reader.at - 1, 0, 1);
    QC_TRY(qc_read_u8(&reader, &memory, "contexts: memory", error));
    QC_CHECK(memory >= QC_CONTEXTS_MIN_MEMORY && memory <= QC_CONTEXTS_MAX_MEMORY, QC_CORRUPT,
             "contexts: memory", reader.at - 1, memory, QC_CONTEXTS_MAX_MEMORY);
    const uint8_t *coded = body + reader.at;
    QC_TRY(qc_range_check_end(coded, size - reader.at, reader.at, error));
    qc_contexts_model_start(&state->contexts.model, nodes, stream->width, prior, memory);
    state->contexts.decoder = qc_range_start(coded, body + size);
    return QC_OK;
}

/* ---- the coding ---- */

static qc_status next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    qc_router_state *state = stream->state.router;
    if (state->id == QC_ROUTER_CLASSES)
        return next_by_classes(state, stream->width, symbols, count, error);
    next_by_neighbours(state, stream->width, symbols, count);
    return QC_OK;
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    QC_TRY(qc_router_finish_rows(stream->state.router, error));
    return qc_range_finish(&stream->state.router->contexts.decoder, error);
}

const qc_stream_decoder qc_contexts_decoder = {
    "contexts", 1, QC_CONTEXTS_MAX_WIDTH, start, next, NULL, NULL, finish,
};
