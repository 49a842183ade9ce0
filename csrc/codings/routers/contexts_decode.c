/*
 * Coding 7, decoded: adaptively, every symbol by the table of its place.
 */
#include "codings/routers/router_decode.h"

/* ---- symbols ---- */

static inline uint8_t decode_symbol(qc_range_decoder *d, qc_contexts_model *model,
                                    qc_fine_context *own, unsigned width)
{
    unsigned t = 1;
    for (unsigned i = 0; i < width; i++) {
        qc_fine_context common = model->common[t], mine = own[t];
        unsigned bit = qc_range_decode(d, qc_contexts_blend(model, common, mine));
        model->common[t] = qc_contexts_learn(model, common, bit);
        own[t] = qc_contexts_learn(model, mine, bit);
        t = 2 * t + bit;
    }
    return (uint8_t)(t - (1u << width));
}

static qc_status next_by_classes(qc_router_state *state, unsigned width, uint8_t *symbols,
                                 size_t count, qc_error *error)
{
    qc_split_classes *by = &state->by.classes;
    qc_contexts_model *model = &state->contexts.model;
    qc_range_decoder d = state->contexts.decoder;
    while (count > 0) {
        if (by->column == by->row_length)
            QC_TRY(qc_split_begin_row(state, error));
        size_t run = by->row_length - by->column;
        run = run < count ? run : count;
        const uint8_t *columns = by->column_classes > 1 ? by->columns + by->column : NULL;
        for (size_t i = 0; i < run; i++) {
            size_t table = by->row + (columns != NULL ? columns[i] : 0u);
            symbols[i] = decode_symbol(&d, model, model->own + (table << width), width);
        }
        by->column += run;
        symbols += run;
        count -= run;
    }
    state->contexts.decoder = d;
    return QC_OK;
}

static void next_by_neighbours(qc_router_state *state, unsigned width, uint8_t *symbols,
                               size_t count)
{
    qc_split_neighbours *by = &state->by.neighbours;
    qc_contexts_model *model = &state->contexts.model;
    qc_range_decoder d = state->contexts.decoder;
    for (size_t i = 0; i < count; i++) {
        unsigned left = by->x > 0 ? by->left : 0, up = by->y > 0 ? by->above[by->x] : 0;
        size_t table = left * (by->classes + 1) + up;
        symbols[i] = decode_symbol(&d, model, model->own + (table << width), width);
        by->left = by->above[by->x] = by->class_of[symbols[i]];
        if (++by->x == by->width) {
            by->x = 0;
            by->y = by->y + 1 == by->height ? 0 : by->y + 1;
        }
    }
    state->contexts.decoder = d;
}

/* ---- the head ---- */

/* Classes are ranges of symbols: their first symbols but the lowest one's are sent, ascending. */
static qc_status read_ranges(qc_split_neighbours *by, unsigned symbols, qc_reader *reader,
                             qc_error *error)
{
    unsigned from = 0, first;
    for (unsigned class = 1; class < by->classes; class ++, from = first) {
        QC_TRY(qc_read_u8(reader, &first, "contexts: first symbol of a class", error));
        QC_CHECK(first > from && first < symbols, QC_CORRUPT, "contexts: first symbol of a class",
                 reader->at - 1, first, symbols - 1);
        memset(by->class_of + from, (int)class, first - from);
    }
    memset(by->class_of + from, (int)by->classes, symbols - from);
    return QC_OK;
}

static qc_status open_neighbours(qc_router_state *state, const qc_stream *stream, qc_reader *reader,
                                 qc_error *error)
{
    qc_split_neighbours *by = &state->by.neighbours;
    memset(by, 0, sizeof *by);
    QC_TRY(qc_read_u8(reader, &by->width, "contexts: width of a kernel", error));
    QC_TRY(qc_read_u8(reader, &by->height, "contexts: height of a kernel", error));
    QC_CHECK(by->width > 0 && by->height > 0, QC_CORRUPT, "contexts: kernel", reader->at - 2, 0, 1);
    QC_TRY(qc_read_u8(reader, &by->classes, "contexts: classes of symbols", error));
    QC_CHECK(by->classes >= 1 && by->classes <= QC_CONTEXTS_MAX_CLASSES, QC_CORRUPT,
             "contexts: classes of symbols", reader->at - 1, by->classes, QC_CONTEXTS_MAX_CLASSES);
    state->parts = (by->classes + 1) * (by->classes + 1);
    return read_ranges(by, 1u << stream->width, reader, error);
}

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    qc_reader reader = qc_reader_of(body, size, 1);
    unsigned prior, memory;
    QC_TRY(qc_split_begin(stream, &reader, error));
    qc_router_state *state = stream->state.router;
    QC_TRY(state->router == QC_ROUTER_CLASSES ? qc_split_open_classes(state, stream, &reader, error)
                                              : open_neighbours(state, stream, &reader, error));
    size_t nodes = (size_t)state->parts << stream->width;
    QC_CHECK(nodes <= QC_CONTEXTS_MAX_NODES, QC_CORRUPT, "contexts: tables", reader.at,
             state->parts, QC_CONTEXTS_MAX_NODES >> stream->width);
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
    if (state->router == QC_ROUTER_CLASSES)
        return next_by_classes(state, stream->width, symbols, count, error);
    next_by_neighbours(state, stream->width, symbols, count);
    return QC_OK;
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    QC_TRY(qc_split_finish_rows(stream->state.router, error));
    return qc_range_finish(&stream->state.router->contexts.decoder, error);
}

const qc_stream_decoder qc_contexts_decoder = {
    "contexts", 1, QC_CONTEXTS_MAX_WIDTH, start, next, NULL, NULL, finish,
};
