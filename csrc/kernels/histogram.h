/*
 * Histograms: how often each symbol occurs.
 */
#ifndef QC_HISTOGRAM_H
#define QC_HISTOGRAM_H

#include "base/bytes.h"

/* Symbols at positions i mod 4 are counted separately, as plain Huffman has four sub-streams. */
#define QC_HISTOGRAM_PARTS 4

typedef uint64_t qc_histogram[QC_HISTOGRAM_PARTS][256];

/* Count `count` symbols, which should be, but need not be, below 2^width. */
void qc_count_symbols(const uint8_t *symbols, size_t count, unsigned width, qc_histogram histogram);

#endif /* QC_HISTOGRAM_H */
