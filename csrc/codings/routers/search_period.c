/*
 * Finds the period of a stream of bytes that are blocks of a few bytes each, such as integers of
 * several bytes, or blocks of quantized weights that begin with their scale. The columns of a
 * period differ: each is compared under a table of its own and under the table of all.
 */
#include "base/log2_fixed.h"
#include "codings/routers/router_search.h"

#define SYMBOLS (1u << QC_ROUTER_MAX_WIDTH)
/* Only so many symbols are looked at. */
#define SAMPLE ((size_t)1 << 16)
/* A column of fewer symbols would not have learnt its table. */
#define MIN_ROWS 64

/* Sizes of integers and of blocks: 34 is q8_0 of GGUF, 18 is q4_0 there. */
static const uint8_t periods[] = {2, 4, 8, 16, 18, 32, 34};

/* What the symbols of a histogram take under a table, as if each symbol of the table had been seen
   half a time more. */
static uint64_t cost_under(const uint32_t *histogram, const uint32_t *table, uint64_t total)
{
    uint64_t cost = 0;
    unsigned all = qc_log2_fixed((uint32_t)(2 * total + SYMBOLS));
    for (unsigned s = 0; s < SYMBOLS; s++)
        cost += histogram[s] * (uint64_t)(all - qc_log2_fixed(2 * table[s] + 1));
    return cost;
}

/* What tables of the columns save. */
static uint64_t gain_of(const uint8_t *symbols, size_t count, size_t period, const uint32_t *all)
{
    uint64_t gain = 0;
    for (size_t column = 0; column < period; column++) {
        uint32_t histogram[SYMBOLS] = {0};
        for (size_t i = column; i < count; i += period)
            histogram[symbols[i]]++;
        uint64_t own = qc_router_cost(histogram, SYMBOLS),
                 shared = cost_under(histogram, all, count);
        gain += shared > own ? shared - own : 0;
    }
    return gain;
}

size_t qc_router_find_period(const uint8_t *symbols, size_t count)
{
    uint32_t all[SYMBOLS] = {0};
    uint64_t best = 0;
    size_t found = 0;
    count = count < SAMPLE ? count : SAMPLE;
    for (size_t i = 0; i < count; i++)
        all[symbols[i]]++;
    for (size_t i = 0; i < sizeof periods && periods[i] * (size_t)MIN_ROWS <= count; i++) {
        uint64_t gain = gain_of(symbols, count, periods[i], all);
        if (gain > best) {
            best = gain;
            found = periods[i];
        }
    }
    return found;
}
