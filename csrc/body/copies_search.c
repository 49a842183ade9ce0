/*
 * The search for copies: hash chains over windows of elements, and a lazy parse by cost.
 *
 * A copy pays if it takes fewer bits than the elements that it stands for. The first parse guesses
 * what copies cost, the second one knows it from the first. All is in whole numbers, so that every
 * machine finds the same copies.
 */
#include "body/copies_search.h"
#include "base/log2_fixed.h"

#define NONE UINT32_MAX

/* A window has at least so many bits of information, if its elements do not repeat. */
#define WINDOW_BITS 16
#define MAX_WINDOW  8u

/* Windows of the same hash that are compared: many at first; few by the first parse, and once more
   than MAX_WORK per element has been done, so that the time is linear. */
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
    const uint8_t *values;
    size_t count, item_size;
    qc_copy_rule rule;
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

/* ---- elements ---- */

static inline uint64_t load(const search *s, size_t i, size_t size)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (size) {
    case 1: memcpy(&u8, s->values + i, 1); return u8;
    case 2: memcpy(&u16, s->values + 2 * i, 2); return u16;
    case 4: memcpy(&u32, s->values + 4 * i, 4); return u32;
    default: memcpy(&u64, s->values + 8 * i, 8); return u64;
    }
}

/* a - b as a signed number of the element's size. */
static inline int64_t difference(uint64_t a, uint64_t b, size_t size)
{
    unsigned unused = 64 - 8 * (unsigned)size;
    return (int64_t)((a - b) << unused) >> unused;
}

/* What a copy adds to an element, or 0. */
static inline int64_t step_between(const search *s, size_t to, size_t from, size_t size,
                                   qc_copy_rule rule)
{
    return rule == QC_COPY_STEPS ? difference(load(s, to, size), load(s, from, size), size) : 0;
}

static inline int is_copy(const search *s, size_t to, size_t from, int64_t step, size_t size,
                          qc_copy_rule rule)
{
    uint64_t a = load(s, to, size), b = load(s, from, size);
    if (rule == QC_COPY_SIGNS)
        return ((a ^ b) << (65 - 8 * size)) == 0;
    return rule == QC_COPY_STEPS ? difference(a, b, size) == step : a == b;
}

static inline uint64_t mix(uint64_t x)
{
    x *= UINT64_C(0x9E3779B97F4A7C15);
    return x ^ x >> 29;
}

/* The same for a window and for its mirror image. */
static inline size_t hash(const search *s, size_t at, size_t size, qc_copy_rule rule)
{
    uint64_t before = load(s, at, size), sum = 0;
    unsigned sign = rule == QC_COPY_SIGNS;
    if (s->window == 1)
        sum = mix(before << sign << (64 - 8 * size));
    for (unsigned i = 1; i < s->window; i++) {
        uint64_t next = load(s, at + i, size);
        int64_t by = difference(next, before, size);
        if (rule == QC_COPY_STEPS)
            sum += mix(by < 0 ? (uint64_t)-by : (uint64_t)by);
        else
            sum += mix((before << sign << (64 - 8 * size)) + (next << sign << (64 - 8 * size)));
        before = next;
    }
    return (size_t)(sum * UINT64_C(0xC2B2AE3D27D4EB4F) >> (64 - HASH_BITS));
}

/* ---- candidates ---- */

/* How many elements from `at` on are copies of those at `from`. */
static inline size_t length_of(const search *s, size_t at, size_t from, int mirrored, int64_t step,
                               size_t size, qc_copy_rule rule)
{
    size_t length = 0, max = s->count - at;
    if (mirrored) {
        max = max < from + 1 ? max : from + 1;
        while (length < max && is_copy(s, at + length, from - length, step, size, rule))
            length++;
    } else
        while (length < max && is_copy(s, at + length, from + length, step, size, rule))
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
    if (s->rule == QC_COPY_STEPS)
        cost += s->costs.steps[qc_number_symbol(qc_number_of_step(copy->step))];
    return cost;
}

/* Take a copy from `from`, if it is better than the best one; `no_shorter`: only if it is
   not shorter. */
static inline void consider(search *s, size_t at, size_t run, size_t from, int mirrored,
                            int no_shorter, candidate *best, size_t size, qc_copy_rule rule)
{
    int64_t step = step_between(s, at, from, size, rule);
    size_t least = no_shorter && best->copy.length > 0 ? best->copy.length - 1 : 0;
    s->work -= s->work > 0;
    if (step >= STEP_LIMIT || step <= -STEP_LIMIT || at + least >= s->count)
        return;
    if (mirrored ? from < least || !is_copy(s, at + least, from - least, step, size, rule)
                 : !is_copy(s, at + least, from + least, step, size, rule))
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
    size_t end = s->count >= s->window ? s->count - s->window + 1 : 0;
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
    if (s->count - at < s->window)
        return best;
    uint32_t from = s->heads[hash(s, at, size, rule)];
    unsigned max_depth = s->work > 0 ? MANY_DEPTH : FEW_DEPTH, depth;
    for (depth = 0; from != NONE && depth < max_depth && best.copy.length < s->long_copy; depth++) {
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
    size_t at = 0, start = 0, max = qc_copies_max(s->count), ticked = 0;
    found->count = found->stored = 0;
    found->cost = 0;
    s->inserted = 0;
    s->memory = (qc_copy_memory){0, 0};
    for (size_t i = 0; i < (size_t)1 << HASH_BITS; i++)
        s->heads[i] = NONE;
    while (at < s->count && found->count < max) {
        if (at - ticked >= TICK_STEPS) {
            if (qc_tick(ticker, at - ticked))
                return;
            ticked = at;
        }
        candidate best = find(s, at, at - start, size, rule);
        while (best.gain > 0 && best.copy.length < s->long_copy && at + 1 < s->count) {
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
    found->stored += s->count - start;
    found->cost += found->stored * s->element_cost;
}

/* Each size and rule has a parse of its own, in which both are constants. */
static void parse_by_type(search *s, qc_copies *found, qc_ticker *ticker)
{
#define PARSE(size)                                                                                \
    (s->rule == QC_COPY_EXACT   ? parse(s, found, ticker, size, QC_COPY_EXACT)                     \
     : s->rule == QC_COPY_SIGNS ? parse(s, found, ticker, size, QC_COPY_SIGNS)                     \
                                : parse(s, found, ticker, size, QC_COPY_STEPS))
    switch (s->item_size) {
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
    return bits + 1; /* some time, even elements that are all equal are worth a copy */
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
    s->values = input->values;
    s->count = input->count;
    s->item_size = input->item_size;
    s->rule = rule;
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

/* ---- a quick look ---- */

/* A sample is RANGES ranges of up to RANGE elements: copies are made inside a chunk. Of the
   elements (of single bytes: of windows of 8) about LANDMARKS are compared, which are chosen by
   their hashes, so that an element is compared with its repeats, wherever they are. Where few
   elements differ, none of them may be chosen: so some are compared with those just before them. */
#define RANGES      4
#define RANGE       16384
#define LANDMARKS   2048
#define SLOT_BITS   10
#define LEAST       32 /* elements */
#define NEAR        64
#define NEAR_STRIDE 2048
#define STATISTICS  4096 /* elements whose frequencies are counted */
#define LOOKED_FOR  40   /* bits of a repeat that is no accident */
#define MAX_REPEAT  1024
/* Of so many elements one has to recur. */
#define FAR_PART  256
#define NEAR_PART 8

typedef struct sample {
    search search;
    size_t far, far_hits, near, near_hits;
    unsigned part_bits; /* an element is chosen if so many bits of its hash are 1 */
    uint32_t bits[256]; /* of an element, by its hash, in units of 2^-8; at most 12 bits */
    uint32_t slots[1 << SLOT_BITS];
} sample;

static inline unsigned part_of(uint64_t element) { return (unsigned)(mix(element) >> 56); }

static void count_elements(sample *sample)
{
    const search *s = &sample->search;
    uint32_t total = 0;
    memset(sample->bits, 0, sizeof sample->bits);
    for (size_t i = 0; i < s->count; i += s->count / STATISTICS + 1, total++)
        sample->bits[part_of(load(s, i, s->item_size))]++;
    for (unsigned i = 0; i < 256; i++)
        sample->bits[i] =
            qc_log2_fixed(total) - (sample->bits[i] > 0 ? qc_log2_fixed(sample->bits[i]) : 0);
}

/* Whether the elements from `at` on repeat those at `from`, for so long that it is no accident. */
static inline int recurs(const sample *sample, size_t at, size_t from, int mirrored, size_t size,
                         qc_copy_rule rule)
{
    const search *s = &sample->search;
    int64_t step = step_between(s, at, from, size, rule);
    uint32_t bits = 0;
    for (size_t i = 0; i < MAX_REPEAT && at + i < s->count && (!mirrored || i <= from); i++) {
        if (!is_copy(s, at + i, mirrored ? from - i : from + i, step, size, rule))
            return 0;
        bits += sample->bits[part_of(load(s, at + i, size))];
        if (bits > LOOKED_FOR * QC_LOG2_ONE)
            return 1;
    }
    return 0;
}

static inline int recurs_near(const sample *sample, size_t at, size_t size, qc_copy_rule rule)
{
    for (size_t from = at > NEAR ? at - NEAR : 0; from < at; from++)
        if (recurs(sample, at, from, 0, size, rule) || recurs(sample, at, from, 1, size, rule))
            return 1;
    return 0;
}

/* What is compared at an element: the same for all its repeats. */
static inline uint64_t landmark(const search *s, size_t at, size_t size, qc_copy_rule rule)
{
    if (size == 1)
        return qc_load64(s->values + at);
    if (rule == QC_COPY_STEPS) {
        int64_t by = difference(load(s, at + 1, size), load(s, at, size), size);
        return by < 0 ? (uint64_t)-by : (uint64_t)by;
    }
    return load(s, at, size) << (rule == QC_COPY_SIGNS) << (64 - 8 * size);
}

static inline void look(sample *sample, size_t first, size_t end, size_t size, qc_copy_rule rule)
{
    const search *s = &sample->search;
    for (size_t at = first; at < end; at++) {
        uint64_t key = landmark(s, at, size, rule) * UINT64_C(0x9E3779B97F4A7C15);
        if (QC_LIKELY(~key >> 1 >> (63 - sample->part_bits) !=
                      0)) /* elements of 0 are not chosen */
            continue;
        uint32_t *slot = &sample->slots[key >> (64 - 8 - SLOT_BITS) & ((1 << SLOT_BITS) - 1)];
        sample->far++;
        sample->far_hits += *slot != NONE && (recurs(sample, at, *slot, 0, size, rule) ||
                                              recurs(sample, at, *slot, 1, size, rule));
        *slot = (uint32_t)at;
    }
    size_t stride = end - first < NEAR_STRIDE ? end - first : NEAR_STRIDE;
    for (size_t at = first + stride / 2; at < end; at += stride) {
        sample->near++;
        sample->near_hits += (unsigned)recurs_near(sample, at, size, rule);
    }
}

static void look_by_type(sample *sample, size_t first, size_t end)
{
    const search *s = &sample->search;
#define LOOK(size)                                                                                 \
    (s->rule == QC_COPY_EXACT   ? look(sample, first, end, size, QC_COPY_EXACT)                    \
     : s->rule == QC_COPY_SIGNS ? look(sample, first, end, size, QC_COPY_SIGNS)                    \
                                : look(sample, first, end, size, QC_COPY_STEPS))
    switch (s->item_size) {
    case 1: look(sample, first, end, 1, QC_COPY_EXACT); break;
    case 2: LOOK(2); break;
    case 4: LOOK(4); break;
    default: LOOK(8);
    }
#undef LOOK
}

int qc_copies_may_pay(const void *values, size_t count, size_t item_size, qc_dtype dtype)
{
    sample sample = {.search = {.values = values, .count = count, .item_size = item_size}};
    sample.search.rule = dtype <= QC_F64   ? QC_COPY_SIGNS
                         : dtype <= QC_I64 ? QC_COPY_STEPS
                                           : QC_COPY_EXACT;
    if (count < LEAST)
        return 0;
    size_t starts = count - 8; /* a landmark may take so many elements */
    size_t length = starts < RANGE ? starts : RANGE, ranges = item_size > 1 ? RANGES : 1;
    ranges = starts / length < ranges ? starts / length : ranges;
    sample.part_bits = qc_bit_length(ranges * length / LANDMARKS);
    memset(sample.slots, 0xFF, sizeof sample.slots);
    count_elements(&sample);
    for (size_t i = 0; i < ranges; i++) {
        size_t first = ranges > 1 ? (starts - length) / (ranges - 1) * i : 0;
        look_by_type(&sample, first, first + length);
    }
    return sample.far_hits * FAR_PART > sample.far || sample.near_hits * NEAR_PART > sample.near;
}
