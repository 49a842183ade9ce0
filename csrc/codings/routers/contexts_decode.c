/*
 * Coding 3, decoded: each symbol is a few binary decisions, and each decision has contexts that
 * learn how likely a 0 is (contexts_model.h). The range decoder turns probabilities into bits
 * (range_decoder.h).
 *
 * Model tree: a symbol's bits from the most significant one are a path in a binary tree, with a
 * context per node. It learns any distribution of up to 8 bits. Models classes and neighbours are
 * such trees too, one in the shared table and one in the table that the router names. Model
 * exponent, for gaps: the position of the leading one of symbol + 1 in unary, with a context per
 * step; then two bits with contexts, and direct bits, which have no context, as the low bits of
 * large gaps are random. It learns fast, since it has few contexts.
 */
#include "codings/routers/router_decode.h"

/* ---- models tree and exponent ---- */

static inline unsigned decode(qc_range_decoder *d, const qc_contexts *contexts, qc_context *context)
{
    unsigned bit = qc_range_decode(d, qc_context_chance(*context));
    *context = qc_context_learn(contexts, *context, bit);
    return bit;
}

static inline unsigned decode_tree(qc_range_decoder *d, qc_contexts *contexts, unsigned width)
{
    unsigned t = 1;
    for (unsigned i = 0; i < width; i++)
        t = 2 * t + decode(d, contexts, &contexts->shared[t]);
    return t - (1u << width);
}

static inline unsigned decode_exponent(qc_range_decoder *d, qc_contexts *contexts, unsigned width)
{
    unsigned exponent = 0;
    while (exponent < width && decode(d, contexts, &contexts->shared[exponent]))
        exponent++;
    if (exponent == width)
        return (1u << width) - 1;
    qc_context *mantissa = &contexts->shared[qc_contexts_mantissa_base(exponent)];
    unsigned u = 1; /* the bits so far: also the context */
    for (unsigned i = 0; i < exponent; i++)
        u = 2 * u + (i < 2 ? decode(d, contexts, &mantissa[u]) : qc_range_decode_direct(d));
    return u - 1;
}

static void next_plain(qc_contexts_state *state, unsigned width, void *symbols, size_t count)
{
    qc_contexts *contexts = &state->contexts;
    qc_range_decoder d = state->decoder;
    uint8_t *narrow = symbols;
    uint16_t *wide = symbols;
    if (state->model == QC_MODEL_TREE)
        for (size_t i = 0; i < count; i++)
            narrow[i] = (uint8_t)decode_tree(&d, contexts, width);
    else if (width <= 8)
        for (size_t i = 0; i < count; i++)
            narrow[i] = (uint8_t)decode_exponent(&d, contexts, width);
    else
        for (size_t i = 0; i < count; i++)
            wide[i] = (uint16_t)decode_exponent(&d, contexts, width);
    state->decoder = d;
}

/* ---- models classes and neighbours ---- */

static inline uint8_t decode_routed(qc_range_decoder *d, qc_routed_contexts *contexts, size_t table,
                                    unsigned width)
{
    qc_contexts *common = &contexts->common;
    qc_context *specific = contexts->specific + (table << width);
    unsigned t = 1;
    for (unsigned i = 0; i < width; i++) {
        qc_context shared = common->shared[t], own = specific[t];
        unsigned bit = qc_range_decode(d, qc_context_blend(contexts, shared, own));
        common->shared[t] = qc_context_learn(common, shared, bit);
        specific[t] = qc_context_learn(common, own, bit);
        t = 2 * t + bit;
    }
    return (uint8_t)(t - (1u << width));
}

static qc_status next_by_classes(qc_contexts_state *state, unsigned width, uint8_t *symbols,
                                 size_t count, qc_error *error)
{
    qc_router_classes *router = &state->router->classes;
    qc_routed_contexts *contexts = &state->router->contexts;
    qc_range_decoder d = state->decoder;
    while (count > 0) {
        if (router->column == router->row_length)
            QC_TRY(qc_router_begin_row(state->router, error));
        size_t run = router->row_length - router->column;
        run = run < count ? run : count;
        const uint8_t *columns =
            router->column_classes > 1 ? router->columns + router->column : NULL;
        for (size_t i = 0; i < run; i++) {
            size_t table = router->row + (columns != NULL ? columns[i] : 0u);
            symbols[i] = decode_routed(&d, contexts, table, width);
        }
        router->column += run;
        symbols += run;
        count -= run;
    }
    state->decoder = d;
    return QC_OK;
}

static void next_by_neighbours(qc_contexts_state *state, unsigned width, uint8_t *symbols,
                               size_t count)
{
    qc_router_neighbours *router = &state->router->neighbours;
    qc_routed_contexts *contexts = &state->router->contexts;
    unsigned by_left = router->tables.by_left, by_up = router->tables.by_up;
    qc_range_decoder d = state->decoder;
    while (count > 0) {
        size_t x = router->x, end = router->width - x < count ? router->width : x + count;
        unsigned left = x > 0 ? router->above[x - 1] : 0;
        count -= end - x;
        for (; x < end; x++) {
            unsigned up = router->y > 0 ? router->above[x] : 0;
            size_t table = left * by_left + up * by_up;
            uint8_t symbol = decode_routed(&d, contexts, table, width);
            router->above[x] = router->class_of[symbol];
            left = router->class_of[symbol];
            *symbols++ = symbol;
        }
        router->x = x < router->width ? x : 0;
        if (x == router->width)
            router->y = router->y + 1 < router->height ? router->y + 1 : 0;
    }
    state->decoder = d;
}

/* ---- the head ---- */

/* Classes are ranges of symbols: their first symbols but the lowest one's are sent, ascending. */
static qc_status read_ranges(qc_router_neighbours *router, unsigned classes, unsigned symbols,
                             qc_reader *reader, qc_error *error)
{
    unsigned from = 0, first;
    for (unsigned class = 1; class < classes; class ++, from = first) {
        QC_TRY(qc_read_u8(reader, &first, "contexts: first symbol of a class", error));
        QC_CHECK(first > from && first < symbols, QC_CORRUPT, "contexts: first symbol of a class",
                 reader->at - 1, first, symbols - 1);
        memset(router->class_of + from, (int)class, first - from);
    }
    memset(router->class_of + from, (int)classes, symbols - from);
    return QC_OK;
}

static qc_status read_side(qc_reader *reader, size_t *side, qc_error *error)
{
    uint64_t value;
    QC_TRY(qc_read_vu(reader, &value, "contexts: side of a filter", error));
    QC_CHECK(value >= 1 && value <= QC_FILTER_MAX_SIDE, QC_CORRUPT, "contexts: side of a filter",
             reader->at, value, QC_FILTER_MAX_SIDE);
    *side = (size_t)value;
    return QC_OK;
}

static qc_status open_neighbours(qc_router_state *state, const qc_stream *stream, qc_reader *reader,
                                 qc_error *error)
{
    qc_router_neighbours *router = &state->neighbours;
    unsigned numbers;
    QC_TRY(read_side(reader, &router->width, error));
    QC_TRY(read_side(reader, &router->height, error));
    QC_CHECK(router->width <= QC_FILTER_MAX_WIDTH, QC_UNSUPPORTED, "contexts: width of a filter",
             reader->at, router->width, QC_FILTER_MAX_WIDTH);
    router->x = router->y = 0;
    QC_TRY(qc_read_u8(reader, &numbers, "contexts: classes of symbols", error));
    unsigned which = numbers >> QC_NEIGHBOURS_SHIFT, classes = numbers & QC_MAX_CLASSES_OF_ONE;
    QC_CHECK(which <= QC_UP, QC_UNSUPPORTED, "contexts: neighbours", reader->at - 1, which, QC_UP);
    QC_CHECK(classes >= 1 && (which != QC_LEFT_AND_UP || classes <= QC_MAX_CLASSES_OF_BOTH),
             QC_CORRUPT, "contexts: classes of symbols", reader->at - 1, classes,
             QC_MAX_CLASSES_OF_BOTH);
    router->tables = qc_tables_of_neighbours((qc_neighbours)which, classes);
    state->targets = router->tables.count;
    return read_ranges(router, classes, 1u << stream->width, reader, error);
}

static qc_status open_routed(qc_stream *stream, qc_reader *reader, qc_error *error)
{
    qc_contexts_state *state = &stream->state.contexts;
    unsigned prior, memory;
    QC_TRY(qc_router_take(stream, &state->router, error));
    qc_router_state *router = state->router;
    QC_TRY(state->model == QC_MODEL_CLASSES ? qc_router_open_classes(router, stream, reader, error)
                                            : open_neighbours(router, stream, reader, error));
    size_t nodes = (size_t)router->targets << stream->width;
    QC_CHECK(nodes <= QC_CONTEXTS_MAX_NODES, QC_CORRUPT, "contexts: tables", reader->at,
             router->targets, QC_CONTEXTS_MAX_NODES >> stream->width);
    QC_TRY(qc_read_u8(reader, &prior, "contexts: prior", error));
    QC_CHECK(prior > 0, QC_CORRUPT, "contexts: prior", reader->at - 1, 0, 1);
    QC_TRY(qc_read_u8(reader, &memory, "contexts: memory", error));
    QC_CHECK(memory >= QC_CONTEXTS_MIN_MEMORY, QC_CORRUPT, "contexts: memory", reader->at - 1,
             memory, QC_CONTEXTS_MIN_MEMORY);
    QC_CHECK(memory <= QC_CONTEXTS_MAX_MEMORY, QC_UNSUPPORTED, "contexts: memory", reader->at - 1,
             memory, QC_CONTEXTS_MAX_MEMORY);
    qc_routed_contexts_start(&router->contexts, nodes, prior, memory);
    return QC_OK;
}

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    qc_contexts_state *state = &stream->state.contexts;
    qc_reader reader = qc_reader_of(body, size, 1);
    unsigned model; /* a tree of 9 bits or more would leave its contexts */
    QC_TRY(qc_read_u8(&reader, &model, "contexts: model", error));
    QC_CHECK(model <= QC_MODEL_NEIGHBOURS, QC_UNSUPPORTED, "contexts: model", 0, model,
             QC_MODEL_NEIGHBOURS);
    QC_CHECK(model == QC_MODEL_EXPONENT || stream->width <= QC_CONTEXTS_MAX_WIDTH, QC_CORRUPT,
             "contexts: width in this model", 0, stream->width, QC_CONTEXTS_MAX_WIDTH);
    state->model = (qc_contexts_model)model;
    state->router = NULL;
    if (model >= QC_MODEL_CLASSES)
        QC_TRY(open_routed(stream, &reader, error));
    else
        qc_contexts_start(&state->contexts, QC_CONTEXTS_PLAIN_MEMORY);
    state->decoder = qc_range_start(body + reader.at, size - reader.at);
    return QC_OK;
}

/* ---- the coding ---- */

static qc_status next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    qc_contexts_state *state = &stream->state.contexts;
    if (state->model == QC_MODEL_CLASSES)
        QC_TRY(next_by_classes(state, stream->width, symbols, count, error));
    else if (state->model == QC_MODEL_NEIGHBOURS)
        next_by_neighbours(state, stream->width, symbols, count);
    else
        next_plain(state, stream->width, symbols, count);
    return qc_range_check(&state->decoder, error);
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    qc_contexts_state *state = &stream->state.contexts;
    if (state->model == QC_MODEL_CLASSES)
        QC_TRY(qc_router_finish_rows(state->router, error));
    return qc_range_finish(&state->decoder, error);
}

const qc_stream_decoder qc_contexts_decoder = {"contexts", 1,    16,   start, next,
                                               NULL,       NULL, NULL, finish};
