/*
 * The search for copies: hash chains over windows of elements, and a lazy parse by cost.
 *
 * A copy pays if it takes fewer bits than the elements that it stands for. The first parse guesses
 * what copies cost, the second one knows it from the first. All is in whole numbers, so that every
 * machine finds the same copies.
 */
#include "base/log2_fixed.h"
#include "body/copies/copies_elements.h"

/* A window has at least so many bits of information, if its elements do not repeat. */
#define WINDOW_BITS 16
#define MAX_WINDOW  8u

/* How many windows of the same hash are compared: few by the first parse; many by the second one,
   until it has made MAX_WORK comparisons per element, then few. So the time is linear. */
#define MANY_DEPTH 128
#define FEW_DEPTH  16
#define MAX_WORK   16
#define MIN_WORK   ((size_t)1 << 20)
#define HASH_BITS  16
#define LONG_BITS  4096 /* of elements: a copy that is long enough to take at once; */
#define LONG_COPY  512  /* and so is one of so many elements */
#define TICK_STEPS 4096 /* elements between two questions */
#define STEP_LIMIT ((int64_t)1 << 21)

typedef struct costs { /* in units of 2^-8 bits, by the symbol of a number */
    uint32_t runs[QC_NUMBER_SYMBOLS], lengths[QC_NUMBER_SYMBOLS], distances[QC_NUMBER_SYMBOLS],
        steps[QC_NUMBER_SYMBOLS], directions[2];
} costs;

typedef struct search {
    qc_copy_elements of;
    unsigned window;       /* elements */
    uint64_t element_cost; /* bits of an element that is stored, in units of 2^-8 */
    size_t long_copy;      /* elements */
    uint32_t *heads, *befores;
    costs costs;
    size_t inserted; /* windows before this element are in the table */
    size_t work;     /* that may still be done: comparisons of windows */
    qc_copy_memory memory;
} search;

typedef struct candidate {
    qc_copy copy;
    int64_t gain;
} candidate;

/* ---- hashes ---- */

/* The same for a window and for its mirror image. */
static inline size_t hash(const search *s, size_t at, size_t size, qc_copy_rule rule)
{
    uint64_t before = qc_copy_load(&s->of, at, size), sum = 0;
    unsigned sign = rule == QC_COPY_SIGNS;
    if (s->window == 1)
        sum = qc_copy_mix(before << sign << (64 - 8 * size));
    for (unsigned i = 1; i < s->window; i++) {
        uint64_t next = qc_copy_load(&s->of, at + i, size);
        int64_t by = qc_copy_difference(next, before, size);
        if (rule == QC_COPY_STEPS)
            sum += qc_copy_mix(qc_copy_magnitude(by));
        else
            sum += qc_copy_mix((before << sign << (64 - 8 * size)) +
                               (next << sign << (64 - 8 * size)));
        before = next;
    }
    return (size_t)(sum * UINT64_C(0xC2B2AE3D27D4EB4F) >> (64 - HASH_BITS));
}

/* ---- candidates ---- */

/* How many elements from `at` on are copies of those at `from`. */
static inline size_t length_of(const search *s, size_t at, size_t from, int mirrored, int64_t step,
                               size_t size, qc_copy_rule rule)
{
    size_t length = 0, max = s->of.count - at;
    if (mirrored) {
        max = max < from + 1 ? max : from + 1;
        while (length < max && qc_is_copy(&s->of, at + length, from - length, step, size, rule))
            length++;
    } else
        while (length < max && qc_is_copy(&s->of, at + length, from + length, step, size, rule))
            length++;
    return length;
}

static uint64_t copy_cost(const search *s, size_t at, const qc_copy *copy)
{
    uint32_t distance = qc_number_of_distance(&s->memory, at, copy);
    uint64_t cost = s->costs.runs[qc_number_symbol(copy->run)] +
                    s->costs.lengths[qc_number_symbol(copy->length - 1)] +
                    s->costs.distances[qc_number_symbol(distance)] +
                    s->costs.directions[copy->mirrored];
    if (s->of.rule == QC_COPY_STEPS)
        cost += s->costs.steps[qc_number_symbol(qc_number_of_step(copy->step))];
    return cost;
}

/* Take a copy from `from`, if it is better than the best one; `no_shorter`: only if it is
   not shorter. */
static inline void consider(search *s, size_t at, size_t run, size_t from, int mirrored,
                            int no_shorter, candidate *best, size_t size, qc_copy_rule rule)
{
    int64_t step = qc_copy_step(&s->of, at, from, size, rule);
    size_t least = no_shorter && best->copy.length > 0 ? best->copy.length - 1 : 0;
    s->work -= s->work > 0;
    if (step >= STEP_LIMIT || step <= -STEP_LIMIT || at + least >= s->of.count)
        return;
    if (mirrored ? from < least || !qc_is_copy(&s->of, at + least, from - least, step, size, rule)
                 : !qc_is_copy(&s->of, at + least, from + least, step, size, rule))
        return;
    size_t length = length_of(s, at, from, mirrored, step, size, rule);
    if (length == 0)
        return;
    s->work -= s->work < length / 16 ? s->work : length / 16;
    qc_copy copy = {(uint32_t)run, (uint32_t)length, (uint32_t)(at - from), (int32_t)step,
                    (uint32_t)mirrored};
    int64_t gain = (int64_t)(length * s->element_cost) - (int64_t)copy_cost(s, at, &copy);
    if (gain > best->gain)
        *best = (candidate){copy, gain};
}

static inline void insert(search *s, size_t to, size_t size, qc_copy_rule rule)
{
    size_t end = s->of.count >= s->window ? s->of.count - s->window + 1 : 0;
    for (end = to < end ? to : end; s->inserted < end; s->inserted++) {
        size_t key = hash(s, s->inserted, size, rule);
        s->befores[s->inserted] = s->heads[key];
        s->heads[key] = (uint32_t)s->inserted;
    }
}

/* The best copy for `at`, before which `run` elements are stored; its gain is 0 if none pays. */
static inline candidate find(search *s, size_t at, size_t run, size_t size, qc_copy_rule rule)
{
    candidate best = {{0, 0, 0, 0, 0}, 0};
    size_t distance = s->memory.distance, axis = s->memory.axis;
    insert(s, at, size, rule);
    if (distance > 0 && distance <= at)
        consider(s, at, run, at - distance, 0, 0, &best, size, rule);
    if (axis >= at && axis < 2 * at)
        consider(s, at, run, axis - at, 1, 0, &best, size, rule);
    if (s->of.count - at < s->window)
        return best;
    uint32_t from = s->heads[hash(s, at, size, rule)];
    unsigned max_depth = s->work > 0 ? MANY_DEPTH : FEW_DEPTH, depth;
    for (depth = 0; from != QC_COPY_NONE && depth < max_depth && best.copy.length < s->long_copy;
         depth++) {
        size_t end = (size_t)from + s->window - 1;
        consider(s, at, run, from, 0, 1, &best, size, rule);
        if (end < at)
            consider(s, at, run, end, 1, 1, &best, size, rule);
        from = s->befores[from];
    }
    return best;
}

/* ---- the parse ---- */

static inline void parse(search *s, qc_copies *found, qc_ticker *ticker, size_t size,
                         qc_copy_rule rule)
{
    size_t at = 0, start = 0, max = qc_copies_max(s->of.count), ticked = 0;
    found->count = found->stored = 0;
    found->cost = 0;
    s->inserted = 0;
    s->memory = (qc_copy_memory){0, 0};
    for (size_t i = 0; i < (size_t)1 << HASH_BITS; i++)
        s->heads[i] = QC_COPY_NONE;
    while (at < s->of.count && found->count < max) {
        if (at - ticked >= TICK_STEPS) {
            if (qc_tick(ticker, at - ticked))
                return;
            ticked = at;
        }
        candidate best = find(s, at, at - start, size, rule);
        while (best.gain > 0 && best.copy.length < s->long_copy && at + 1 < s->of.count) {
            candidate next = find(s, at + 1, at + 1 - start, size, rule);
            if (next.gain <= best.gain)
                break;
            best = next;
            at++;
        }
        if (best.gain <= 0) {
            at++;
            continue;
        }
        found->cost += copy_cost(s, at, &best.copy);
        found->stored += best.copy.run;
        found->copies[found->count++] = best.copy;
        qc_remember_copy(&s->memory, at, &best.copy);
        at += best.copy.length;
        start = at;
    }
    found->stored += s->of.count - start;
    found->cost += found->stored * s->element_cost;
}

/* Each size and rule has a parse of its own, in which both are constants. */
static void parse_by_type(search *s, qc_copies *found, qc_ticker *ticker)
{
#define PARSE(size)                                                                                \
    (s->of.rule == QC_COPY_EXACT   ? parse(s, found, ticker, size, QC_COPY_EXACT)                  \
     : s->of.rule == QC_COPY_SIGNS ? parse(s, found, ticker, size, QC_COPY_SIGNS)                  \
                                   : parse(s, found, ticker, size, QC_COPY_STEPS))
    switch (s->of.item_size) {
    case 1: PARSE(1); break;
    case 2: PARSE(2); break;
    case 4: PARSE(4); break;
    default: PARSE(8);
    }
#undef PARSE
}

/* ---- costs ---- */

/* Bits of an element: the entropy of each of its bytes. */
static uint64_t element_cost(const qc_copies_input *input)
{
    uint64_t bits = 0;
    uint32_t counts[256];
    for (size_t byte = 0; byte < input->item_size && input->count > 0; byte++) {
        uint64_t sum = 0;
        memset(counts, 0, sizeof counts);
        for (size_t i = 0; i < input->count; i++)
            counts[input->values[i * input->item_size + byte]]++;
        for (unsigned s = 0; s < 256; s++)
            if (counts[s] > 0)
                sum += counts[s] *
                       (uint64_t)(qc_log2_fixed((uint32_t)input->count) - qc_log2_fixed(counts[s]));
        bits += sum / input->count;
    }
    return bits + 1; /* not 0, so that a long run of equal elements is worth a copy */
}

/* What numbers usually cost. */
static void guess_costs(costs *costs)
{
    costs->directions[0] = costs->directions[1] = QC_LOG2_ONE;
    for (unsigned s = 0; s < QC_NUMBER_SYMBOLS; s++) {
        unsigned low = qc_number_low_bits(s), bits = qc_bit_length(qc_number_base(s));
        costs->runs[s] = QC_LOG2_ONE * (1 + low) + QC_LOG2_ONE / 2 * bits;
        costs->lengths[s] = QC_LOG2_ONE * (2 + low) + QC_LOG2_ONE / 2 * bits;
        costs->distances[s] = s == 0 ? 2 * QC_LOG2_ONE : QC_LOG2_ONE * (5 + low);
        costs->steps[s] = s == 0 ? QC_LOG2_ONE : QC_LOG2_ONE * (5 + low);
    }
}

static void count_number(uint32_t *counts, uint32_t number) { counts[qc_number_symbol(number)]++; }

static void costs_of_counts(uint32_t *counts, size_t symbols, size_t total, int low)
{
    /* As if each symbol had been seen a quarter of a time before. */
    unsigned all = qc_log2_fixed((uint32_t)(4 * total + symbols));
    for (unsigned s = 0; s < symbols; s++)
        counts[s] = all - qc_log2_fixed(4 * counts[s] + 1) +
                    (low ? QC_LOG2_ONE * qc_number_low_bits(s) : 0);
}

/* What the numbers of these copies cost. */
static void learn_costs(costs *costs, const qc_copies *found)
{
    qc_copy_memory memory = {0, 0};
    size_t at = 0;
    memset(costs, 0, sizeof *costs);
    for (size_t i = 0; i < found->count; i++) {
        const qc_copy *copy = &found->copies[i];
        at += copy->run;
        count_number(costs->runs, copy->run);
        count_number(costs->lengths, copy->length - 1);
        count_number(costs->distances, qc_number_of_distance(&memory, at, copy));
        count_number(costs->steps, qc_number_of_step(copy->step));
        costs->directions[copy->mirrored]++;
        qc_remember_copy(&memory, at, copy);
        at += copy->length;
    }
    costs_of_counts(costs->runs, QC_NUMBER_SYMBOLS, found->count, 1);
    costs_of_counts(costs->lengths, QC_NUMBER_SYMBOLS, found->count, 1);
    costs_of_counts(costs->distances, QC_NUMBER_SYMBOLS, found->count, 1);
    costs_of_counts(costs->steps, QC_NUMBER_SYMBOLS, found->count, 1);
    costs_of_counts(costs->directions, 2, found->count, 0);
}

/* ---- the search ---- */

size_t qc_copies_workspace(size_t count)
{
    return sizeof(search) + 8 + sizeof(uint32_t) * (((size_t)1 << HASH_BITS) + count);
}

void qc_copies_search(const qc_copies_input *input, qc_copy_rule rule, qc_copies *found,
                      void *workspace)
{
    search *s = workspace;
    s->of.values = input->values;
    s->of.count = input->count;
    s->of.item_size = input->item_size;
    s->of.rule = rule;
    s->element_cost = element_cost(input);
    uint64_t window = (WINDOW_BITS * QC_LOG2_ONE + s->element_cost - 1) / s->element_cost;
    s->window = window > MAX_WINDOW ? MAX_WINDOW : (unsigned)window;
    if (rule == QC_COPY_STEPS && s->window < 2)
        s->window = 2;
    uint64_t long_copy = LONG_BITS * QC_LOG2_ONE / s->element_cost + 1;
    s->long_copy = long_copy < LONG_COPY ? (size_t)long_copy : LONG_COPY;
    s->heads = (uint32_t *)(s + 1);
    s->befores = s->heads + ((size_t)1 << HASH_BITS);
    guess_costs(&s->costs);
    s->work = 0;
    parse_by_type(s, found, input->ticker);
    s->work = MAX_WORK * input->count > MIN_WORK ? MAX_WORK * input->count : MIN_WORK;
    learn_costs(&s->costs, found);
    parse_by_type(s, found, input->ticker);
    found->rule = rule;
}
