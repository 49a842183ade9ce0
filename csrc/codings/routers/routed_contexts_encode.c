/*
 * Coding 3, encoded by the models with a router, classes and neighbours: candidates are encoded,
 * whole or their first symbols, and the shortest body wins. More effort compares more of them.
 */
#include "base/log2_fixed.h"
#include "codings/contexts_model.h"
#include "codings/range_encoder.h"
#include "codings/routers/router_encode.h"
#include "codings/stream_encode.h"

#define NOTHING SIZE_MAX /* longer than allowed, or interrupted */

/* Symbols between two questions to the ticker; finding their tables takes a fraction of the time.
 */
#define TICK_SYMBOLS 4096
#define ROUTE_PART   32

/* Routers are compared by this many symbols, unless the effort is the maximum. */
#define TRIED_SYMBOLS ((size_t)1 << 16)

/* Neighbours are tried if they tell more than that many bits. */
#define TOLD_BITS 128

/* What is tried at first, and what else with the router that is taken. */
#define USUAL_CLASSES 3
#define USUAL_PRIOR   16
#define USUAL_MEMORY  8

/* Numbers to try: with less effort than usual none, then the first ones, then all. */
typedef struct trials {
    uint8_t usual, all, numbers[12];
} trials;

static const trials of_both = {5, 10, {2, 4, 6, 8, 12, 5, 7, 10, 14, 15}},
                    of_one = {4, 7, {7, 15, 31, 63, 5, 23, 47}},
                    priors = {2, 7, {5, 48, 2, 9, 28, 90, 200}},
                    memories = {2, 5, {7, 10, 6, 9, 5}};

static size_t count_of(const trials *trials, unsigned effort)
{
    return effort < QC_EFFORT_USUAL ? 0 : effort < QC_EFFORT_HIGH ? trials->usual : trials->all;
}

/* A model and its parameters, as they are compared. */
typedef struct candidate {
    const qc_router_plan *classes; /* of rows and columns; NULL: the model is neighbours */
    unsigned symbol_classes;
    qc_neighbours neighbours;
    size_t width, height; /* of the filters */
    unsigned prior, memory;
} candidate;

typedef struct search {
    qc_body_writer *w;
    size_t sample; /* symbols by which candidates are compared: the first ones */
    size_t best;   /* bytes of the chosen candidate's body, with these */
    candidate chosen;
    uint64_t counts[QC_CONTEXTS_TABLE]; /* of all symbols */
    uint8_t *tables;                    /* of each symbol */
    qc_routed_contexts *contexts;
} search;

/* ---- symbols ---- */

static size_t nodes_of(const qc_router_input *input, const candidate *tried)
{
    if (tried->classes != NULL)
        return (size_t)tried->classes->targets << input->width;
    qc_neighbour_tables tables = qc_tables_of_neighbours(tried->neighbours, tried->symbol_classes);
    return (size_t)tables.count << input->width;
}

static inline void encode_symbol(qc_range_encoder *e, qc_routed_contexts *contexts, size_t table,
                                 unsigned width, unsigned symbol)
{
    qc_contexts *common = &contexts->common;
    qc_context *specific = contexts->specific + (table << width);
    unsigned leaf = 1u << width | symbol;
    for (unsigned i = width; i-- > 0;) {
        unsigned node = leaf >> (i + 1), bit = leaf >> i & 1;
        qc_context shared = common->shared[node], own = specific[node];
        common->shared[node] = qc_context_learn_known(common, shared, bit);
        specific[node] = qc_context_learn_known(common, own, bit);
        qc_range_encode(e, bit, qc_context_blend(contexts, shared, own));
    }
}

/* The first `count` symbols, behind what the body has. Returns their bytes, or NOTHING. */
static size_t encode_symbols(const qc_body_writer *w, const uint8_t *tables, size_t count,
                             const candidate *tried, size_t limit, qc_routed_contexts *contexts)
{
    unsigned width = w->input->width;
    if (limit <= w->size)
        return NOTHING;
    qc_range_encoder e = qc_range_encoder_start(w->body + w->size, limit - w->size);
    qc_routed_contexts_start(contexts, nodes_of(w->input, tried), tried->prior, tried->memory);
    for (size_t i = 0; i < count && !e.full; i++) {
        if (i % TICK_SYMBOLS == 0 && qc_tick(w->input->ticker, TICK_SYMBOLS))
            return NOTHING;
        encode_symbol(&e, contexts, tables[i], width, w->input->symbols[i]);
    }
    size_t bytes = qc_range_encoder_finish(&e);
    return e.full ? NOTHING : bytes;
}

/* ---- routers ---- */

/* Empty classes have no first symbol: the others move down. Returns how many there are. */
static unsigned without_gaps(uint8_t *class_of, unsigned symbols)
{
    unsigned classes = 0, before = class_of[0];
    for (unsigned s = 0; s < symbols; s++) {
        classes += class_of[s] != before;
        before = class_of[s];
        class_of[s] = (uint8_t)classes;
    }
    return classes + 1;
}

/* The fields before the coded bytes, and the tables of the first `count` symbols. */
static qc_status write_router(const search *s, const candidate *tried, size_t count)
{
    qc_body_writer *w = s->w;
    const qc_router_input *input = w->input;
    uint8_t class_of[QC_CONTEXTS_TABLE];
    unsigned symbols = 1u << input->width;
    qc_error *error = w->error;
    QC_TICK(input->ticker, count / ROUTE_PART);
    w->size = 0;
    w->features = 0;
    if (tried->classes != NULL) {
        qc_body_byte(w, QC_MODEL_CLASSES);
        QC_TRY(qc_body_classes(w, tried->classes));
        qc_router_route(input, count, tried->classes, s->tables);
    } else {
        qc_router_classify(input, s->counts, tried->symbol_classes, class_of);
        unsigned classes = without_gaps(class_of, symbols);
        qc_router_contexts(input, count, tried->width, tried->height, class_of,
                           qc_tables_of_neighbours(tried->neighbours, classes), s->tables);
        qc_body_byte(w, QC_MODEL_NEIGHBOURS);
        qc_body_vu(w, tried->width);
        qc_body_vu(w, tried->height);
        qc_body_byte(w, classes | (unsigned)tried->neighbours << QC_NEIGHBOURS_SHIFT);
        for (unsigned v = 1; v < symbols; v++)
            if (class_of[v] != class_of[v - 1])
                qc_body_byte(w, v);
    }
    qc_body_byte(w, tried->prior);
    qc_body_byte(w, tried->memory);
    return QC_OK;
}

/* Chosen, if its body with the first symbols is shorter than the best so far. */
static qc_status try_candidate(search *s, const candidate *tried)
{
    QC_TRY(write_router(s, tried, s->sample));
    size_t bytes = encode_symbols(s->w, s->tables, s->sample, tried, s->best - 1, s->contexts);
    if (bytes != NOTHING) {
        s->best = s->w->size + bytes;
        s->chosen = *tried;
    }
    return QC_OK;
}

static qc_status try_symbol_classes(search *s, candidate tried, unsigned classes)
{
    tried.symbol_classes = classes;
    int is_possible = classes <= 1u << s->w->input->width &&
                      nodes_of(s->w->input, &tried) <= QC_CONTEXTS_MAX_NODES;
    return is_possible ? try_candidate(s, &tried) : QC_OK;
}

/* As try_candidate, of every number of classes of symbols that is tried. */
static qc_status try_neighbours(search *s, candidate tried)
{
    const trials *trials = tried.neighbours == QC_LEFT_AND_UP ? &of_both : &of_one;
    for (size_t i = 0; i < count_of(trials, s->w->effort); i++)
        QC_TRY(try_symbol_classes(s, tried, trials->numbers[i]));
    return try_symbol_classes(s, tried, USUAL_CLASSES);
}

static qc_status try_filters(search *s, candidate tried)
{
    tried.width = s->w->input->geometry.filter_width;
    tried.height = s->w->input->geometry.filter_height;
    tried.neighbours = tried.height == 1 ? QC_LEFT : tried.width == 1 ? QC_UP : QC_LEFT_AND_UP;
    return tried.width > 0 ? try_neighbours(s, tried) : QC_OK;
}

/* As filters as high as the stream: rows whose symbols are like the one before, or that are like
   the row before, or some rows before. */
static qc_status try_rows(search *s, candidate tried)
{
    const qc_router_input *input = s->w->input;
    qc_error *error = s->w->error;
    size_t most = s->w->effort < QC_EFFORT_USUAL ? 0 : QC_ROUTER_MAX_ROWS_APART + 1;
    size_t row = input->geometry.row_length, best = s->best;
    for (size_t apart = 0; apart < most; apart++) {
        tried.width = apart > 0 ? apart * row : row;
        if (tried.width == 0 || tried.width >= s->sample || tried.width > QC_FILTER_MAX_WIDTH)
            break;
        tried.height = input->count / tried.width + 1;
        tried.neighbours = apart > 0 ? QC_UP : QC_LEFT;
        QC_TICK(input->ticker, s->sample / ROUTE_PART);
        size_t distance = apart > 0 ? tried.width : 1;
        if (qc_router_told(input, s->counts, s->sample, distance) > TOLD_BITS * QC_LOG2_ONE)
            QC_TRY(try_symbol_classes(s, tried, input->width > 1 ? USUAL_CLASSES : 2));
    }
    if (s->best == best)
        return QC_OK;
    QC_TRY(try_neighbours(s, s->chosen));
    tried = s->chosen;
    tried.neighbours = QC_LEFT_AND_UP;
    return try_neighbours(s, tried);
}

/* ---- the coding ---- */

size_t qc_contexts_write_workspace(const qc_router_input *input)
{
    return sizeof(qc_routed_contexts) + input->count;
}

qc_status qc_contexts_write(qc_body_writer *w, const qc_router_plan *classes, size_t limit,
                            void *workspace)
{
    const qc_router_input *input = w->input;
    qc_routed_contexts *contexts = workspace;
    candidate tried = {.classes = classes, .prior = USUAL_PRIOR, .memory = USUAL_MEMORY};
    int is_sample = input->count > TRIED_SYMBOLS && w->effort < QC_EFFORT_MAX;
    size_t sample = is_sample ? TRIED_SYMBOLS : input->count;
    search s = {w, sample, limit + 1, tried, {0}, (uint8_t *)(contexts + 1), contexts};
    qc_count_narrow(input->symbols, input->count, input->width, s.counts);
    if (classes != NULL)
        QC_TRY(try_candidate(&s, &tried));
    tried.classes = NULL;
    QC_TRY(try_filters(&s, tried));
    QC_TRY(try_rows(&s, tried));
    w->size = s.best; /* beyond the limit, if no router stayed within it */
    if (s.best > limit)
        return QC_OK;
    tried = s.chosen;
    for (size_t i = 0; i < count_of(&priors, w->effort); i++) {
        tried.prior = priors.numbers[i];
        QC_TRY(try_candidate(&s, &tried));
    }
    tried = s.chosen;
    for (size_t i = 0; i < count_of(&memories, w->effort); i++) {
        tried.memory = memories.numbers[i];
        QC_TRY(try_candidate(&s, &tried));
    }
    QC_TRY(write_router(&s, &s.chosen, input->count));
    size_t bytes = encode_symbols(w, s.tables, input->count, &s.chosen, limit, contexts);
    w->size = bytes == NOTHING ? limit + 1 : w->size + bytes;
    return QC_OK;
}
