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
    uint8_t bits[1 << QC_LANES_PAIR_BITS]; /* of both; 128: more than 12 */
} qc_lanes_pairs;

/* tANS of many states in AVX2 loads what a state stands for, of two lanes at once. */
typedef struct qc_lanes_entries {
    uint32_t even[QC_LANES_TABLE]; /* entries of 16 bits */
    uint32_t odd[QC_LANES_TABLE];  /* the same << 16 */
} qc_lanes_entries;

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
    int is_built; /* 0 until the kernel that has such a table needs it */
    union {
        qc_lanes_pairs pairs;
        qc_lanes_entries entries;
    } tables;
} qc_lanes_state;

/* Kernels may read this many bytes beyond the words that turns can take. */
#define QC_LANES_SLACK 64

#endif /* QC_LANES_STATE_H */
