/*
 * Differences from a base, written: elements to three streams of symbols.
 */
#ifndef QC_DELTA_ENCODE_H
#define QC_DELTA_ENCODE_H

#include "body/delta.h"

/* Symbols of the streams of a chunk. */
typedef struct qc_delta_symbols {
    uint8_t *codes;   /* one an element */
    uint8_t *low;     /* has room for count * (item size - 1) + 8 bytes */
    uint8_t *escapes; /* has room for every element */
    int32_t *steps;   /* scratch: QC_DELTA_HISTORY + count */
    size_t low_bytes, escape_count;
} qc_delta_symbols;

/* Elements in the machine's order against those of the base; fills `symbols`. The base may change
   meanwhile: each of its elements is read once, and none asks for more room than any other. */
void qc_delta_split(const qc_frame *frame, const uint8_t *elements, const uint8_t *base,
                    size_t count, qc_delta_symbols *symbols);

#endif /* QC_DELTA_ENCODE_H */
