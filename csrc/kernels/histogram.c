#include "kernels/histogram.h"

#include "kernels/x86/avx2.h"
#include "kernels/x86/avx512.h"

/* Twice as many as there are parts: an equal symbol soon after another would wait for its count to
   be stored. */
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

/* NULL: this machine has no kernel. */
static qc_count_blocks *count_blocks_selected(void)
{
#if QC_HAS_AVX512
    if (qc_cpu_selected() & QC_CPU_AVX512)
        return qc_count_blocks_avx512;
#endif
#if QC_HAS_AVX2
    if (qc_cpu_selected() & QC_CPU_AVX2)
        return qc_count_blocks_avx2;
#endif
    return NULL;
}

void qc_count_symbols(const uint8_t *symbols, size_t count, unsigned width, qc_histogram histogram)
{
    qc_count_blocks *count_blocks = count_blocks_selected();
    memset(histogram, 0, sizeof(qc_histogram));
    size_t done = count_blocks != NULL ? count_blocks(symbols, count, width, histogram) : 0;
    count_all(symbols + done, count - done, histogram);
}
