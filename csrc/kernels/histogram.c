/*
 * Histograms. Portable C counts one symbol after the other, in several tables in turn: a count must
 * be stored before the next symbol of the same value can read it, and runs of equal symbols are
 * common.
 */
#include "kernels/kernels.h"

/* Twice the number of parts, so that equal symbols close to each other go to different tables. */
#define TABLES (2 * QC_HISTOGRAM_PARTS)

static void count_all(const uint8_t *symbols, size_t count, qc_histogram histogram)
{
    uint64_t tables[TABLES][256] = {{0}};
    size_t i = 0;
    for (; i + TABLES <= count; i += TABLES)
        for (unsigned table = 0; table < TABLES; table++)
            tables[table][symbols[i + table]]++;
    for (; i < count; i++)
        tables[i % TABLES][symbols[i]]++;
    for (unsigned table = 0; table < TABLES; table++)
        for (unsigned symbol = 0; symbol < 256; symbol++)
            histogram[table % QC_HISTOGRAM_PARTS][symbol] += tables[table][symbol];
}

void qc_count_symbols(const uint8_t *symbols, size_t count, unsigned width, qc_histogram histogram)
{
    qc_count_blocks_kernel *kernel = qc_kernels_selected()->count_blocks;
    memset(histogram, 0, sizeof(qc_histogram));
    size_t done = kernel != NULL ? kernel(symbols, count, width, histogram) : 0;
    count_all(symbols + done, count - done, histogram);
}
