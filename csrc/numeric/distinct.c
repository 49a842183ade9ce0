/*
 * The distinct bit patterns of items, and the number of its pattern for each item. A hash table
 * with open addressing holds the patterns of a group. It is four times as large as the largest
 * set, so most items are found by one comparison. Weights that are not quantized have too many
 * patterns within some hundred items, so a search in vain costs next to nothing.
 */
#include "base/check.h"
#include "base/ticker.h"
#include "qcodec_numeric.h"

#define SLOT_BITS 10
#define SLOTS     ((size_t)1 << SLOT_BITS)
#define FREE      0

/* Items between two questions to the ticker, and how many of them are one of its steps. */
#define PIECE      ((size_t)1 << 16)
#define STEP_ITEMS 16

typedef struct pattern_set {
    uint64_t *patterns; /* the caller's, at most `limit` */
    size_t count, limit;
    uint16_t numbers[SLOTS];       /* the number of the pattern in this slot + 1, or FREE */
    uint16_t slots[QC_MAX_VALUES]; /* the slot of each pattern */
} pattern_set;

static void empty(pattern_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        set->numbers[set->slots[i]] = FREE;
    set->count = 0;
}

static inline size_t slot_of(uint64_t pattern)
{
    return (size_t)(pattern * 0x9E3779B97F4A7C15u >> (64 - SLOT_BITS));
}

/* The number of a pattern, which may be new; `limit` if there is no room for it. */
static inline size_t number_of(pattern_set *set, uint64_t pattern)
{
    size_t slot = slot_of(pattern);
    while (set->numbers[slot] != FREE) {
        size_t number = set->numbers[slot] - (size_t)1;
        if (set->patterns[number] == pattern)
            return number;
        slot = (slot + 1) % SLOTS;
    }
    if (set->count == set->limit)
        return set->limit;
    set->patterns[set->count] = pattern;
    set->slots[set->count] = (uint16_t)slot;
    set->numbers[slot] = (uint16_t)(set->count + 1);
    return set->count++;
}

static inline uint64_t load(const uint8_t *items, size_t size, size_t i)
{
    uint64_t large;
    uint32_t middle;
    uint16_t small;
    switch (size) { /* a constant */
    case 8: memcpy(&large, items + 8 * i, 8); return large;
    case 4: memcpy(&middle, items + 4 * i, 4); return middle;
    default: memcpy(&small, items + 2 * i, 2); return small;
    }
}

static inline int number_items(pattern_set *set, const uint8_t *items, size_t size, size_t count,
                               uint8_t *codes)
{
    for (size_t i = 0; i < count; i++) {
        size_t number = number_of(set, load(items, size, i));
        if (number == set->limit)
            return 0;
        codes[i] = (uint8_t)number;
    }
    return 1;
}

/* Number the items of a group. Returns 0 if they have too many patterns, or the ticker stops. */
static int number_group(pattern_set *set, const uint8_t *items, size_t size, size_t count,
                        uint8_t *codes, qc_ticker *ticker)
{
    for (size_t start = 0; start < count; start += PIECE) {
        size_t piece = count - start < PIECE ? count - start : PIECE;
        const uint8_t *from = items + start * size;
        uint8_t *to = codes + start;
        int fits = size == 8   ? number_items(set, from, 8, piece, to)
                   : size == 4 ? number_items(set, from, 4, piece, to)
                               : number_items(set, from, 2, piece, to);
        if (!fits || qc_tick(ticker, piece / STEP_ITEMS + 1))
            return 0;
    }
    return 1;
}

qc_status qc_distinct(const void *items, size_t item_size, const size_t *ends, size_t groups,
                      size_t limit, uint64_t *patterns, uint16_t *counts, uint8_t *codes,
                      size_t *done, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    pattern_set set = {.limit = limit};
    size_t start = 0, group = 0;
    QC_CHECK(item_size == 2 || item_size == 4 || item_size == 8, QC_INVALID, "item size", 0,
             item_size, 8);
    QC_CHECK(limit >= 1 && limit <= QC_MAX_VALUES, QC_INVALID, "patterns of a group", 0, limit,
             QC_MAX_VALUES);
    for (; group < groups; start = ends[group++]) {
        const uint8_t *from = (const uint8_t *)items + start * item_size;
        empty(&set);
        set.patterns = patterns + group * limit;
        if (!number_group(&set, from, item_size, ends[group] - start, codes + start, &ticker))
            break;
        counts[group] = (uint16_t)set.count;
    }
    QC_GO_ON_IF(!ticker.stopped);
    *done = group;
    return QC_OK;
}

void qc_renumber(uint8_t *codes, const size_t *ends, size_t groups, const uint8_t *numbers,
                 size_t limit)
{
    size_t i = 0;
    for (size_t group = 0; group < groups; group++) {
        const uint8_t *table = numbers + group * limit;
        for (; i < ends[group]; i++)
            codes[i] = codes[i] < limit ? table[codes[i]] : codes[i];
    }
}
