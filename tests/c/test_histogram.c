/*
 * Symbols are counted alike on every path, and right: every width and many lengths, one symbol so
 * often that counts of a byte and of 16 bits would overflow, symbols that are too large, and memory
 * that ends where the symbols do.
 */
#include "kernels/histogram.h"
#include "support.h"

#define MOST   ((size_t)70000)
#define MANY   ((size_t)2200000)
#define ROUNDS 300

static void check(const uint8_t *symbols, size_t count, unsigned width)
{
    static const uint32_t paths[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
    static qc_histogram expected, found;
    memset(expected, 0, sizeof expected);
    for (size_t i = 0; i < count; i++)
        expected[i % QC_HISTOGRAM_PARTS][symbols[i]]++;
    for (unsigned path = 0; path < sizeof paths / sizeof *paths; path++) {
        qc_cpu_select(paths[path]);
        memset(found, 0xA5, sizeof found);
        qc_count_symbols(symbols, count, width, found);
        CHECK(memcmp(found, expected, sizeof found) == 0, "%zu symbols, width %u, cpu %x", count,
              width, (unsigned)paths[path]);
    }
}

int main(void)
{
    guarded memory = guarded_memory(MANY);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned width = 1 + round % 8;
        size_t count = round < 200 ? round : random_bits() % (MOST + 1);
        uint8_t *symbols = last_bytes(memory, count);
        for (size_t i = 0; i < count; i++)
            symbols[i] = (uint8_t)(random_bits() % (1u << width));
        check(symbols, count, width);
        memset(symbols, (1 << width) - 1, count);
        check(symbols, count, width);
        if (count > 0 && width < 8)
            symbols[random_bits() % count] = (uint8_t)(1u << width);
        check(symbols, count, width);
    }
    for (unsigned width = 1; width <= 8; width++) {
        uint8_t *symbols = last_bytes(memory, MANY);
        memset(symbols, (1 << width) - 1, MANY);
        check(symbols, MANY, width);
    }
    printf("%d histograms\n", 3 * ROUNDS + 8);
    return 0;
}
