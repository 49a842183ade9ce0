/*
 * Chooses a code of codings 4 and 5 from a stream's histogram, before anything is written. A code
 * has up to 32 classes, so it either leaves up to 4 low bits of each symbol uncoded, or makes rare
 * symbols escapes that are stored as literals. All numbers of low bits and some numbers of classes
 * are compared by the size that they promise and a price for slower decoding: twice the states
 * cost 1/512 of the size, an escape half a byte.
 */
#include "codings/lanes_plan.h"

#include "base/log2_fixed.h"
#include "codings/huffman_code.h"

/* Costs are in units of 2^-8 bits. */
#define BIT ((uint64_t)256)
/* An escaped symbol's literal, and the bits that filling it in is worth. */
#define LITERAL_BITS 8
#define ESCAPE_PRICE 4
/* A buffer a lane is left over at the end; and of tANS, states. */
#define TAIL_BYTES       320
#define TANS_STATE_BYTES 96

/* The classes of a split of the symbols: those that occur, most frequent first. */
typedef struct classes {
    unsigned count; /* if more than QC_LANES_MAX_CLASSES, only the first are here */
    unsigned values[QC_LANES_MAX_CLASSES];
    uint64_t counts[QC_LANES_MAX_CLASSES];
    uint64_t escaped; /* occurrences of symbols that have no class */
} classes;

/* Inserts a class before those that are less frequent; the last of them may be dropped. */
static void insert(classes *found, unsigned value, uint64_t count)
{
    unsigned at = found->count < QC_LANES_MAX_CLASSES ? found->count : QC_LANES_MAX_CLASSES - 1;
    found->count++;
    if (found->count > QC_LANES_MAX_CLASSES && found->counts[at] >= count)
        return;
    for (; at > 0 && found->counts[at - 1] < count; at--) {
        found->counts[at] = found->counts[at - 1];
        found->values[at] = found->values[at - 1];
    }
    found->counts[at] = count;
    found->values[at] = value;
}

/* The classes of `symbols` symbols that occur. */
static classes find_classes(const uint64_t *counts, unsigned symbols)
{
    classes found = {0, {0}, {0}, 0};
    for (unsigned value = 0; value < symbols; value++)
        if (counts[value] > 0)
            insert(&found, value, counts[value]);
    return found;
}

/* The counts without the lowest bit. */
static void drop_low_bit(uint64_t *counts, unsigned symbols)
{
    for (unsigned value = 0; value < symbols / 2; value++)
        counts[value] = counts[2 * value] + counts[2 * value + 1];
}

/* Keep the `keep` most frequent classes; the others become one class, the escape, at the end. */
static classes with_escape(const classes *all, unsigned keep, uint64_t total)
{
    classes found = *all;
    found.escaped = total;
    for (unsigned i = 0; i < keep; i++)
        found.escaped -= all->counts[i];
    found.values[keep] = 0;
    found.counts[keep] = found.escaped;
    found.count = keep + 1;
    return found;
}

/* Code, but for what the coding adds, and the cost that both codings share. */
static uint64_t begin_code(const classes *classes, unsigned low_bits, uint64_t total,
                           qc_lanes_code *code)
{
    memset(code, 0, sizeof *code);
    code->low_bits = low_bits;
    code->has_escape = classes->escaped > 0;
    code->classes = classes->count;
    for (unsigned i = 0; i < classes->count - code->has_escape; i++)
        code->values[i] = (uint8_t)classes->values[i];
    return (total * low_bits + classes->escaped * LITERAL_BITS) * BIT;
}

/* Optimal lengths are not increasing with the counts; the escape, which has to come last, takes
   the longest. */
static uint64_t code_huffman(const classes *classes, qc_lanes_code *code)
{
    uint8_t lengths[256];
    uint64_t bits = 0;
    unsigned index = 0;
    qc_huffman_optimal_lengths(classes->counts, classes->count, QC_LANES_MAX_LENGTH, lengths);
    for (unsigned i = 0; i < classes->count; i++)
        code->counts[lengths[i] - 1]++;
    for (unsigned length = 1; length <= QC_LANES_MAX_LENGTH; length++)
        for (unsigned i = 0; i < code->counts[length - 1]; i++)
            bits += classes->counts[index++] * length;
    return bits * BIT;
}

/* Divides the states: at least one per class, then each where it saves the most: a class that goes
   from c to c + 1 states saves about 1 / (c + 1/2) of a (natural) bit a symbol. */
static uint64_t code_tans(const classes *classes, uint64_t total, unsigned state_bits,
                          qc_lanes_code *code)
{
    unsigned states = 1u << state_bits, left = states - classes->count;
    unsigned share[QC_LANES_MAX_CLASSES];
    for (unsigned i = 0; i < classes->count; i++) {
        uint64_t fair = total > 0 ? classes->counts[i] * states / total : 0;
        unsigned more = fair > 1 ? (unsigned)fair - 1 : 0;
        share[i] = 1 + (more < left ? more : left);
        left -= share[i] - 1;
    }
    for (; left > 0; left--) {
        unsigned best = 0;
        for (unsigned i = 1; i < classes->count; i++)
            if (classes->counts[i] * (2 * share[best] + 1) >
                classes->counts[best] * (2 * share[i] + 1))
                best = i;
        share[best]++;
    }
    uint64_t cost = 0;
    code->state_bits = state_bits;
    for (unsigned i = 0; i < classes->count; i++) {
        code->counts[i] = (uint8_t)share[i];
        cost += classes->counts[i] * (state_bits * BIT - qc_log2_fixed(share[i]));
    }
    return cost;
}

/* log2 in units of BIT, rounded down. */
static uint64_t log2_of(uint64_t x)
{
    unsigned shift = x >> 32 != 0 ? qc_bit_length((uint32_t)(x >> 32)) : 0;
    return qc_log2_fixed((uint32_t)(x >> shift)) + shift * BIT;
}

/* No shares take fewer bits than this: the entropy, rounded down. */
static uint64_t min_bits(const classes *classes, uint64_t total)
{
    uint64_t cost = 0, log2_total = total > 0 ? log2_of(total) : 0;
    for (unsigned i = 0; i < classes->count; i++) {
        uint64_t log2_count = log2_of(classes->counts[i]) + 1;
        cost += log2_total > log2_count ? classes->counts[i] * (log2_total - log2_count) : 0;
    }
    return cost;
}

/* What is looked for: the code of the lowest price. */
typedef struct search {
    uint64_t total; /* symbols */
    int smallest;   /* speed has no price */
    qc_lanes_plan *best;
} search;

/* Of a body whose words take `cost` bits, and with its tables as much speed as `slower` bits. */
static size_t price_of(const search *search, const classes *classes, uint64_t cost, uint64_t slower,
                       size_t head)
{
    if (!search->smallest)
        cost += slower + classes->escaped * ESCAPE_PRICE * BIT;
    return (size_t)(cost / BIT / 8) + head + TAIL_BYTES;
}

static void consider(const search *search, const qc_lanes_code *code, const classes *classes,
                     uint64_t cost, uint64_t slower, size_t head)
{
    size_t bytes = (size_t)(cost / BIT / 8) + head + TAIL_BYTES;
    size_t price = price_of(search, classes, cost, slower, head);
    if (price < search->best->price)
        *search->best = (qc_lanes_plan){*code, bytes, price};
}

/* Whether no code of these classes can be the best, as they take at least `min` bits. */
static int is_hopeless(const search *search, const classes *classes, uint64_t min, uint64_t slower,
                       size_t head)
{
    return price_of(search, classes, min, slower, head) >= search->best->price;
}

static void consider_huffman(const search *search, const classes *classes, unsigned low_bits)
{
    qc_lanes_code code;
    size_t head = 12 + (size_t)classes->count;
    if (classes->count < 2 || classes->count > QC_LANES_MAX_CLASSES)
        return;
    uint64_t cost = begin_code(classes, low_bits, search->total, &code);
    if (is_hopeless(search, classes, cost + min_bits(classes, search->total), 0, head))
        return;
    cost += code_huffman(classes, &code);
    consider(search, &code, classes, cost, 0, head);
}

/* Few states are not equally likely, which the shares ignore: it costs about 2^-n of the size. */
static uint64_t with_loss(uint64_t cost, unsigned state_bits)
{
    static const uint8_t bits_of_loss[] = {9, 10, 13, 13};
    return cost + (cost >> bits_of_loss[state_bits - QC_TANS_MIN_LOG]);
}

/* Fewer states are faster where tables are small: more must save something. */
static uint64_t price_of_states(uint64_t cost, unsigned state_bits)
{
    return cost / 512 * (state_bits - QC_TANS_MIN_LOG);
}

static void consider_tans(const search *search, const classes *classes, unsigned low_bits)
{
    if (classes->count > QC_LANES_MAX_CLASSES)
        return;
    qc_lanes_code code;
    size_t head = 5 + 2 * (size_t)classes->count + TANS_STATE_BYTES;
    uint64_t apart = begin_code(classes, low_bits, search->total, &code);
    uint64_t min = apart + min_bits(classes, search->total);
    /* A class alone takes no bits, and its count is a byte. */
    unsigned max = classes->count > 1 ? QC_TANS_MAX_LOG : QC_TANS_MIN_LOG;
    for (unsigned state_bits = QC_TANS_MIN_LOG; state_bits <= max; state_bits++) {
        uint64_t least = with_loss(min, state_bits);
        if (is_hopeless(search, classes, least, price_of_states(least, state_bits), head))
            continue;
        uint64_t cost = apart + code_tans(classes, search->total, state_bits, &code);
        cost = with_loss(cost, state_bits);
        consider(search, &code, classes, cost, price_of_states(cost, state_bits), head);
    }
}

typedef void consider_classes(const search *search, const classes *classes, unsigned low_bits);

/* Every number of low bits, and without them some numbers of classes beside the escape. */
static void plan(const search *search, const uint64_t counts[256], unsigned width,
                 consider_classes *consider)
{
    static const unsigned keeps[] = {31, 27, 23, 19, 15, 13, 11, 8, 6, 4, 2, 1};
    uint64_t upper[256];
    memcpy(upper, counts, sizeof upper);
    search->best->bytes = search->best->price = SIZE_MAX;
    for (unsigned low_bits = 0; low_bits < width && low_bits <= QC_LANES_MAX_LOW_BITS; low_bits++) {
        classes all = find_classes(upper, 1u << (width - low_bits));
        drop_low_bit(upper, 1u << (width - low_bits));
        consider(search, &all, low_bits);
        for (unsigned i = 0; low_bits == 0 && i < sizeof keeps / sizeof *keeps; i++)
            if (keeps[i] < all.count) {
                classes some = with_escape(&all, keeps[i], search->total);
                consider(search, &some, 0);
            }
    }
}

void qc_lanes_plan_huffman(const uint64_t counts[256], uint64_t total, unsigned width, int smallest,
                           qc_lanes_plan *best)
{
    search search = {total, smallest, best};
    plan(&search, counts, width, consider_huffman);
}

void qc_lanes_plan_tans(const uint64_t counts[256], uint64_t total, unsigned width, int smallest,
                        qc_lanes_plan *best)
{
    search search = {total, smallest, best};
    plan(&search, counts, width, consider_tans);
}
