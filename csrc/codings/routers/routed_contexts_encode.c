/*
 * Coding 3, encoded by the models with a router, classes and neighbours: candidates are encoded,
 * whole or their first symbols, and the shortest body wins. More effort compares more of them.
 */
#include "codings/contexts_model.h"
#include "codings/range_encoder.h"
#include "codings/routers/router_encode.h"

#define NOTHING SIZE_MAX /* longer than allowed, or interrupted */

/* Symbols between two questions to the ticker; finding their tables takes a fraction of the time.
 */
#define TICK_SYMBOLS 4096
#define ROUTE_PART   32

/* Routers are compared by this many symbols, unless the effort is the maximum. */
#define TRIED_SYMBOLS ((size_t)1 << 16)

/* What is tried at first, and what else with the router that is taken. */
#define USUAL_CLASSES 3
#define USUAL_PRIOR   16
#define USUAL_MEMORY  8

/* Numbers to try: with less effort than usual none, then the first ones, then all. */
typedef struct trials {
    uint8_t usual, all, numbers[12];
} trials;

static const trials classes_tried = {5, 10, {2, 4, 6, 8, 12, 5, 7, 10, 14, 15}},
                    priors = {2, 7, {5, 48, 2, 9, 28, 90, 200}},
                    memories = {2, 5, {7, 10, 6, 9, 5}};

static size_t count_of(const trials *trials, unsigned effort)
{
    return effort < QC_EFFORT_USUAL ? 0 : effort < QC_EFFORT_HIGH ? trials->usual : trials->all;
}

/* A model and its parameters, as they are compared. */
typedef struct candidate {
    const qc_router_plan *classes; /* of rows and columns; NULL: the model is neighbours */
    unsigned neighbours;           /* classes of symbols */
    unsigned prior, memory;
} candidate;

/* ---- symbols ---- */

static size_t nodes_of(const qc_router_input *input, const candidate *tried)
{
    size_t tables = tried->classes != NULL
                        ? tried->classes->targets
                        : (size_t)(tried->neighbours + 1) * (tried->neighbours + 1);
    return tables << input->width;
}

static inline void encode_symbol(qc_range_encoder *e, qc_routed_contexts *contexts, size_t table,
                                 unsigned width, unsigned symbol)
{
    qc_contexts *common = &contexts->common;
    qc_context *specific = contexts->specific + (table << width);
    unsigned t = 1;
    for (unsigned i = width; i-- > 0;) {
        qc_context shared = common->shared[t], own = specific[t];
        unsigned bit = symbol >> i & 1;
        qc_range_encode(e, bit, qc_context_blend(contexts, shared, own));
        common->shared[t] = qc_context_learn(common, shared, bit);
        specific[t] = qc_context_learn(common, own, bit);
        t = 2 * t + bit;
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
    qc_range_encoder_finish(&e);
    return e.full ? NOTHING : e.written;
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

/* The fields before the coded bytes, and the table of every symbol. */
static qc_status write_router(qc_body_writer *w, const candidate *tried, uint8_t *tables)
{
    const qc_router_input *input = w->input;
    uint8_t class_of[QC_CONTEXTS_TABLE];
    unsigned symbols = 1u << input->width;
    qc_error *error = w->error;
    QC_TICK(input->ticker, input->count / ROUTE_PART);
    w->size = 0;
    w->features = 0;
    if (tried->classes != NULL) {
        qc_body_byte(w, QC_MODEL_CLASSES);
        QC_TRY(qc_body_classes(w, tried->classes));
        qc_router_route(input, tried->classes, tables);
    } else {
        qc_router_classify(input, tried->neighbours, class_of);
        unsigned classes = without_gaps(class_of, symbols);
        qc_router_contexts(input, class_of, classes, tables);
        qc_body_byte(w, QC_MODEL_NEIGHBOURS);
        qc_body_vu(w, input->geometry.filter_width);
        qc_body_vu(w, input->geometry.filter_height);
        qc_body_byte(w, classes);
        for (unsigned s = 1; s < symbols; s++)
            if (class_of[s] != class_of[s - 1])
                qc_body_byte(w, s);
    }
    qc_body_byte(w, tried->prior);
    qc_body_byte(w, tried->memory);
    return QC_OK;
}

/* Chosen, if its body with the first symbols is shorter than the best so far. */
static qc_status try_router(qc_body_writer *w, const candidate *tried, size_t *best,
                            candidate *chosen, uint8_t *tables, qc_routed_contexts *contexts)
{
    const qc_router_input *input = w->input;
    size_t count =
        input->count < TRIED_SYMBOLS || w->effort >= QC_EFFORT_MAX ? input->count : TRIED_SYMBOLS;
    QC_TRY(write_router(w, tried, tables));
    size_t bytes = encode_symbols(w, tables, count, tried, *best - 1, contexts);
    if (bytes != NOTHING) {
        *best = w->size + bytes;
        *chosen = *tried;
    }
    return QC_OK;
}

/* As try_router, of every number of classes that is tried. */
static qc_status try_neighbours(qc_body_writer *w, candidate tried, size_t *best, candidate *chosen,
                                uint8_t *tables, qc_routed_contexts *contexts)
{
    size_t numbers = count_of(&classes_tried, w->effort);
    for (size_t i = 0; i <= numbers; i++) {
        tried.neighbours = i < numbers ? classes_tried.numbers[i] : USUAL_CLASSES;
        if (tried.neighbours <= 1u << w->input->width &&
            nodes_of(w->input, &tried) <= QC_CONTEXTS_MAX_NODES)
            QC_TRY(try_router(w, &tried, best, chosen, tables, contexts));
    }
    return QC_OK;
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
    uint8_t *tables = (uint8_t *)(contexts + 1);
    candidate tried = {classes, USUAL_CLASSES, USUAL_PRIOR, USUAL_MEMORY}, chosen = tried;
    size_t best = limit + 1;
    if (classes != NULL)
        QC_TRY(try_router(w, &tried, &best, &chosen, tables, contexts));
    tried.classes = NULL;
    if (input->geometry.filter_width > 0)
        QC_TRY(try_neighbours(w, tried, &best, &chosen, tables, contexts));
    w->size = best; /* beyond the limit, if no router stayed within it */
    if (best > limit)
        return QC_OK;
    tried = chosen;
    for (size_t i = 0; i < count_of(&priors, w->effort); i++) {
        tried.prior = priors.numbers[i];
        QC_TRY(try_router(w, &tried, &best, &chosen, tables, contexts));
    }
    tried = chosen;
    for (size_t i = 0; i < count_of(&memories, w->effort); i++) {
        tried.memory = memories.numbers[i];
        QC_TRY(try_router(w, &tried, &best, &chosen, tables, contexts));
    }
    QC_TRY(write_router(w, &chosen, tables));
    size_t bytes = encode_symbols(w, tables, input->count, &chosen, limit, contexts);
    w->size = bytes == NOTHING ? limit + 1 : w->size + bytes;
    return QC_OK;
}
