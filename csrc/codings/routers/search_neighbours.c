/*
 * Searches for classes of symbols and the targets of their contexts (router neighbours). Symbols
 * are put in classes of about equally many, in the order of the codes; a context is the pair of
 * the classes to the left and above. Contexts start with a target each, and the pair of targets
 * that costs least as one is merged, again and again, as long as this saves bits (agglomerative
 * clustering).
 */
#include "codings/routers/router_search.h"

#define MAX_CONTEXTS ((QC_ROUTER_TRY_CLASSES + 1) * (QC_ROUTER_TRY_CLASSES + 1))
#define SYMBOLS      (1u << QC_ROUTER_MAX_WIDTH)

/* What an entry of the context map takes, about. */
#define MAP_ENTRY_COST 512

/* Of a ticker's steps: what it takes to try a number of classes, for each symbol. */
#define TRY_PART 16

/* Groups of contexts: their histograms, what they cost, and what two would cost as one. */
typedef struct merging {
    unsigned symbols, groups;
    uint32_t histograms[MAX_CONTEXTS][SYMBOLS];
    uint64_t costs[MAX_CONTEXTS];
    uint64_t together[MAX_CONTEXTS][MAX_CONTEXTS]; /* of a later group with an earlier one */
    uint8_t group_of[MAX_CONTEXTS];                /* by context */
} merging;

static void cost_pair(merging *m, unsigned a, unsigned b)
{
    uint32_t sum[SYMBOLS];
    for (unsigned s = 0; s < m->symbols; s++)
        sum[s] = m->histograms[a][s] + m->histograms[b][s];
    m->together[a > b ? a : b][a > b ? b : a] = qc_router_cost(sum, m->symbols);
}

/* Contexts that occur are a group each, the others go with the first. */
static void begin(merging *m, const qc_router_input *input, const uint8_t *contexts, unsigned count)
{
    m->symbols = 1u << input->width;
    m->groups = 0;
    for (unsigned c = 0; c < count; c++)
        memset(m->histograms[c], 0, m->symbols * sizeof *m->histograms[c]);
    for (size_t i = 0; i < input->count; i++)
        m->histograms[contexts[i]][input->symbols[i]]++;
    for (unsigned c = 0; c < count; c++) {
        uint32_t total = 0;
        for (unsigned s = 0; s < m->symbols; s++)
            total += m->histograms[c][s];
        m->group_of[c] = (uint8_t)(total > 0 ? m->groups : 0);
        if (total > 0)
            memmove(m->histograms[m->groups++], m->histograms[c], sizeof *m->histograms);
    }
    for (unsigned a = 0; a < m->groups; a++) {
        m->costs[a] = qc_router_cost(m->histograms[a], m->symbols);
        for (unsigned b = 0; b < a; b++)
            cost_pair(m, a, b);
    }
}

/* Make two groups one, and the last group take the place of the one that is gone. */
static void merge(merging *m, unsigned into, unsigned gone, unsigned contexts)
{
    unsigned last = --m->groups;
    for (unsigned s = 0; s < m->symbols; s++)
        m->histograms[into][s] += m->histograms[gone][s];
    m->costs[into] = m->together[gone][into];
    memmove(m->histograms[gone], m->histograms[last], sizeof *m->histograms);
    m->costs[gone] = m->costs[last];
    for (unsigned other = 0; other < m->groups; other++) {
        if (other != gone && gone < last)
            m->together[gone > other ? gone : other][gone > other ? other : gone] =
                m->together[last][other];
    }
    for (unsigned c = 0; c < contexts; c++)
        m->group_of[c] = (uint8_t)(m->group_of[c] == gone   ? into
                                   : m->group_of[c] == last ? gone
                                                            : m->group_of[c]);
    for (unsigned other = 0; other < m->groups; other++)
        if (other != into)
            cost_pair(m, into, other);
}

static void merge_all(merging *m, unsigned contexts)
{
    while (m->groups > 1) {
        int64_t best = INT64_MAX;
        unsigned into = 0, gone = 0;
        for (unsigned a = 1; a < m->groups; a++)
            for (unsigned b = 0; b < a; b++) {
                int64_t more = (int64_t)(m->together[a][b] - m->costs[a] - m->costs[b]);
                if (more < best) {
                    best = more;
                    gone = a;
                    into = b;
                }
            }
        if (best >= 0 && m->groups <= QC_ROUTER_MAX_SUB_STREAMS)
            return;
        merge(m, into, gone, contexts);
    }
}

/* By the middle of a symbol's share of all. */
void qc_router_classify(const qc_router_input *input, unsigned classes, uint8_t *class_of)
{
    uint64_t counts[SYMBOLS] = {0}, before = 0;
    for (size_t i = 0; i < input->count; i++)
        counts[input->symbols[i]]++;
    for (unsigned s = 0; s < 1u << input->width; s++) {
        uint64_t class = (2 * before + counts[s]) * classes / (2 * (uint64_t)input->count);
        class_of[s] = (uint8_t)(class < classes ? class : classes - 1);
        before += counts[s];
    }
}

static void try_classes(const qc_router_input *input, unsigned classes, merging *m,
                        uint8_t *contexts, qc_router_plan *plan)
{
    uint8_t class_of[SYMBOLS];
    unsigned count = (classes + 1) * (classes + 1);
    qc_router_classify(input, classes, class_of);
    qc_router_contexts(input, class_of, classes, contexts);
    begin(m, input, contexts, count);
    merge_all(m, count);
    uint64_t cost = (uint64_t)count * MAP_ENTRY_COST;
    for (unsigned group = 0; group < m->groups; group++)
        cost += m->costs[group];
    if (cost >= plan->cost)
        return;
    plan->cost = cost;
    plan->classes = classes;
    plan->targets = m->groups;
    memcpy(plan->class_of, class_of, sizeof class_of);
    memcpy(plan->target_of, m->group_of, count);
}

size_t qc_router_find_neighbours_workspace(const qc_router_input *input)
{
    return sizeof(merging) + input->count;
}

void qc_router_find_neighbours(const qc_router_input *input, qc_router_plan *plan, void *workspace)
{
    static const unsigned tried[] = {2, 3, 4, 6, QC_ROUTER_TRY_CLASSES};
    merging *m = workspace;
    plan->router = QC_ROUTER_NEIGHBOURS;
    plan->cost = UINT64_MAX;
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++)
        if (tried[i] <= 1u << input->width && !qc_tick(input->ticker, input->count / TRY_PART))
            try_classes(input, tried[i], m, (uint8_t *)(m + 1), plan);
}
