/*
 * The state of 128 lanes between calls of the kernels that decode them.
 */
#ifndef QC_LANES_STATE_H
#define QC_LANES_STATE_H

#include "kernels/lanes.h"

/* Portable Huffman looks two symbols up at once, by 12 bits. */
#define QC_LANES_PAIR_BITS 12
typedef struct qc_lanes_pairs {
    uint8_t values[1 << QC_LANES_PAIR_BITS][2];
    uint8_t bits[1 << QC_LANES_PAIR_BITS]; /* of both; 0: more than 12 */
    int built;                             /* 0 until it is needed */
} qc_lanes_pairs;

typedef struct qc_lanes_state {
    qc_lanes_code code;
    qc_lanes_table table;
    uint8_t value_of[QC_LANES_TABLE]; /* the value of class_of; the escape has `escape` */
    uint8_t escape;                   /* a byte that is no class's value */
    uint32_t buffer[QC_LANES];        /* bits, from the top; 0 behind those that are valid */
    int8_t spare[QC_LANES];           /* valid bits - 16: below 0, the lane needs a word.
                                         A lane has at least 2 bits, or 0 with 256 states */
    uint8_t state[QC_LANES];          /* tANS */
    const uint8_t *words, *words_end;
    const uint8_t *low; /* of the next symbol: next is a multiple of 64 */
    const uint8_t *escapes, *escapes_end;
    qc_lanes_pairs pairs; /* portable Huffman */
} qc_lanes_state;

/* Kernels may read this many bytes beyond the words that turns can take. */
#define QC_LANES_SLACK 64

#endif /* QC_LANES_STATE_H */
