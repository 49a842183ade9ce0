/*
 * The state of 128 lanes between calls, and the kernels that move them on: one a coding and an
 * instruction set, all with the same result.
 */
#ifndef QC_LANES_DECODE_H
#define QC_LANES_DECODE_H

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
    int8_t spare[QC_LANES];           /* valid bits - 16: below 0, the lane needs a word */
    uint8_t state[QC_LANES];          /* tANS */
    const uint8_t *words, *words_end;
    const uint8_t *raw; /* of the next symbol: next is a multiple of 64 */
    const uint8_t *escapes, *escapes_end;
    qc_lanes_pairs pairs; /* portable Huffman */
} qc_lanes_state;

/* Kernels may read this many bytes beyond the words that turns can take. */
#define QC_LANES_SLACK 64

/* Decode `turns` turns of 256 values (class values, before raw bits and escapes) into `out`. At
   least turns * 256 + QC_LANES_SLACK bytes can be read at state->words: a turn takes at most one
   word a lane. Moves buffer, spare, state and words on; words_end is not looked at. */
typedef void qc_lanes_kernel(qc_lanes_state *state, uint8_t *out, size_t turns);

/* Put the raw bits of `count` symbols behind their values: `out` holds values, then symbols. */
typedef void qc_lanes_raw_kernel(uint8_t *out, size_t count, const uint8_t *raw, unsigned raw_bits);

/* Put literals, of which there are `left`, in the places of `escape`, as long as they are below
   2^width: in some of `count` symbols. Returns how many symbols those are; *used literals were
   taken. */
typedef size_t qc_lanes_escapes_kernel(uint8_t *out, size_t count, uint8_t escape, unsigned width,
                                       const uint8_t *literals, size_t left, size_t *used);

typedef struct qc_lanes_kernels {
    qc_lanes_kernel *huffman, *tans;
    qc_lanes_raw_kernel *raw;
    qc_lanes_escapes_kernel *fill_escapes; /* NULL: there is none */
} qc_lanes_kernels;

/* The fastest kernels of the selected instruction sets. */
qc_lanes_kernels qc_lanes_selected(void);

qc_lanes_kernel qc_lanes_huffman_portable, qc_lanes_tans_portable;
qc_lanes_kernel qc_lanes_huffman_avx2, qc_lanes_tans_avx2;
/* What those without "wide" leave to them: 256 states, or more than 16 classes. */
qc_lanes_kernel qc_lanes_tans_wide_avx2, qc_lanes_tans_wide_neon;
qc_lanes_kernel qc_lanes_huffman_avx512, qc_lanes_tans_avx512;
qc_lanes_kernel qc_lanes_huffman_neon, qc_lanes_tans_neon;
qc_lanes_raw_kernel qc_lanes_raw_portable, qc_lanes_raw_avx2, qc_lanes_raw_avx512;
qc_lanes_raw_kernel qc_lanes_raw_neon;
qc_lanes_escapes_kernel qc_lanes_fill_escapes_avx512;

#endif /* QC_LANES_DECODE_H */
