/*
 * Codes of codings 4 and 5 that the encoder would not choose: every number of states, a single
 * class, low bits, escapes, and codes of the least and greatest lengths.
 */
#ifndef QC_FUZZ_LANES_SEEDS_H
#define QC_FUZZ_LANES_SEEDS_H

#include "lanes/writer.h"

typedef struct lanes_seed {
    unsigned width;
    qc_lanes_code code; /* low bits, escape, classes, log2 of states, counts, values */
} lanes_seed;

#define ONES_15  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
#define ONES_30  ONES_15, ONES_15
#define BELOW_16 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15

static const lanes_seed lanes_seeds[] = {
    {4, {0, 0, 2, 0, {2}, {9, 0}}},
    {8, {4, 0, 3, 0, {1, 2}, {0, 1, 15}}},
    {3, {2, 0, 2, 0, {2}, {0, 1}}},
    {8, {0, 1, 3, 0, {1, 2}, {7, 200}}},
    {6, {0, 1, 8, 0, {1, 1, 1, 1, 1, 1, 2}, {BELOW_16}}},
    {4, {0, 0, 16, 0, {0, 0, 0, 16}, {BELOW_16}}},
    {8, {0, 0, 1, 5, {32}, {200}}},
    {8, {3, 0, 1, 7, {128}, {17}}},
    {2, {0, 0, 4, 5, {29, 1, 1, 1}, {0, 1, 2, 3}}},
    {7, {3, 0, 16, 6, {49, ONES_15}, {BELOW_16}}},
    {8, {0, 1, 2, 7, {127, 1}, {0}}},
    {4, {0, 1, 4, 7, {100, 10, 10, 8}, {15, 0, 7}}},
    {5, {0, 0, 32, 5, {1, 1, ONES_30}, {BELOW_16, BELOW_16}}},
    {4, {0, 1, 3, 8, {254, 1, 1}, {3, 5}}},
    {8, {4, 0, 16, 8, {241, ONES_15}, {BELOW_16}}},
    {8, {0, 1, 32, 8, {200, 26, ONES_30}, {BELOW_16, 100, 101, 102, 103}}},
};

/* Symbol number i of a stream in this code: any class, and any bits behind it. */
static inline uint8_t lanes_symbol(const lanes_seed *seed, size_t i)
{
    const qc_lanes_code *code = &seed->code;
    uint32_t random = ((uint32_t)i + 1) * 2654435761u;
    unsigned index = (random >> 8) % code->classes;
    unsigned any = random >> 16 & ((1u << seed->width) - 1);
    if (index >= code->classes - code->has_escape)
        return (uint8_t)any;
    return (uint8_t)((unsigned)code->values[index] << code->low_bits |
                     (any & ((1u << code->low_bits) - 1)));
}

#endif /* QC_FUZZ_LANES_SEEDS_H */
