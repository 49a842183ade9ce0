/*
 * Codings 4 and 5 (docs/format.md, section 7.5): what their two sides share. 128 lanes, each with
 * a buffer of bits of its own, are fed from one stream of 16-bit words.
 */
#ifndef QC_LANES_H
#define QC_LANES_H

#include "base/bytes.h"

#define QC_LANES              128
#define QC_LANE_GROUPS        4
#define QC_GROUP_LANES        32
#define QC_LANES_TURN         256 /* symbols of a turn: two per lane */
#define QC_LANES_TURN_BYTES   128 /* about what the words of a turn take; at most twice as many */
#define QC_LANES_MAX_WIDTH    8
#define QC_LANES_MAX_LOW_BITS 4
#define QC_LANES_BLOCK        64 /* symbols whose low bits are stored together, 8 bytes per bit */
#define QC_LANES_MAX_CLASSES  32
#define QC_LANES_MAX_LENGTH   7   /* Huffman */
#define QC_LANES_WINDOWS      128 /* of 7 bits */
#define QC_TANS_MIN_LOG       5
#define QC_TANS_MAX_LOG       8
#define QC_LANES_TABLE        256 /* windows or states */

/* The first byte of a body. */
#define QC_LANES_LOW_MASK     7u
#define QC_LANES_ESCAPE       8u
#define QC_LANES_STATES_SHIFT 4

/* A code: classes and how many bits they take, as the head of a body says. */
typedef struct qc_lanes_code {
    unsigned low_bits;
    unsigned has_escape; /* 0 or 1: the last class is the escape */
    unsigned classes;
    unsigned state_bits; /* tANS: log2 of the number of states; Huffman: 0 */
    /* Huffman: length_counts[i] codes of length i + 1; tANS: the count of each class. */
    uint8_t counts[QC_LANES_MAX_CLASSES];
    uint8_t values[QC_LANES_MAX_CLASSES];
} qc_lanes_code;

/* What a lane looks up, by its next 7 bits (Huffman) or by its state (tANS). */
typedef struct qc_lanes_table {
    uint8_t class_of[QC_LANES_TABLE];
    uint8_t bits_of[QC_LANES_TABLE]; /* to take */
    uint8_t base_of[QC_LANES_TABLE]; /* tANS: the next state, but for those bits */
} qc_lanes_table;

#endif /* QC_LANES_H */
