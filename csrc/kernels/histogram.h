/*
 * How often symbols occur.
 */
#ifndef QC_HISTOGRAM_H
#define QC_HISTOGRAM_H

#include "base/bytes.h"

/* Symbols at the positions i mod 4 are counted apart, as plain Huffman has four sub-streams. */
#define QC_HISTOGRAM_PARTS 4

typedef uint64_t qc_histogram[QC_HISTOGRAM_PARTS][256];

/* Count `count` symbols, which should be, but need not be, below 2^width. */
void qc_count_symbols(const uint8_t *symbols, size_t count, unsigned width, qc_histogram histogram);

/* Add as many whole blocks of symbols as this can count to the histogram. Returns how many symbols
   that were, a multiple of QC_HISTOGRAM_PARTS. */
typedef size_t qc_count_blocks(const uint8_t *symbols, size_t count, unsigned width,
                               qc_histogram histogram);

qc_count_blocks qc_count_blocks_avx2, qc_count_blocks_avx512;

#endif /* QC_HISTOGRAM_H */
