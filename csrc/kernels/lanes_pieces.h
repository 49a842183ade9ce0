/*
 * What the kernels of lanes encoders work on, in the order of the work: turns of symbols; pieces,
 * which are the bits that a turn puts into a lane; words, which are made of pieces.
 */
#ifndef QC_LANES_PIECES_H
#define QC_LANES_PIECES_H

#include "kernels/lanes.h"

/* Turns to encode: `whole` of them in a row, and one of its own behind (NULL: none). */
typedef struct qc_lanes_turns {
    const uint8_t *bytes;
    size_t whole;
    const uint8_t *last;
} qc_lanes_turns;

static inline size_t qc_lanes_turn_count(const qc_lanes_turns *turns)
{
    return turns->whole + (turns->last != NULL);
}

static inline const uint8_t *qc_lanes_turn(const qc_lanes_turns *turns, size_t turn)
{
    return turn < turns->whole ? turns->bytes + turn * QC_LANES_TURN : turns->last;
}

/* Huffman: the code of every symbol, and its length; 0 and 0 for those that do not occur. */
typedef struct qc_lanes_codes {
    uint8_t bits[256];
    uint8_t lengths[256];
} qc_lanes_codes;

/* tANS: what a turn puts into each lane: the bits of both symbols as one number, the first symbol's
   above, and how many they are (at most 16). */
typedef struct qc_lanes_pieces {
    uint16_t bits[QC_LANES];
    uint8_t counts[QC_LANES];
} qc_lanes_pieces;

/* What words are made of. Codes are looked up in both passes of a writer: to keep their pieces
   would cost more. */
typedef struct qc_lanes_source {
    qc_lanes_turns symbols;
    const qc_lanes_codes *codes;   /* NULL: tANS */
    const qc_lanes_pieces *pieces; /* tANS: of every turn */
} qc_lanes_source;

/* Of one turn. */
typedef struct qc_lanes_turn_source {
    const uint8_t *symbols;
    const qc_lanes_pieces *pieces; /* tANS */
} qc_lanes_turn_source;

static inline qc_lanes_turn_source qc_lanes_source_turn(const qc_lanes_source *source, size_t turn)
{
    return (qc_lanes_turn_source){qc_lanes_turn(&source->symbols, turn),
                                  source->codes == NULL ? source->pieces + turn : NULL};
}

/* tANS: from a state to the one before it, by class. x is S + state. */
typedef struct qc_tans_encoder {
    unsigned state_bits, classes;
    uint8_t class_of[256];                   /* of every symbol */
    uint8_t max_bits[QC_LANES_MAX_CLASSES];  /* to put out, from a state of `threshold` on ... */
    uint8_t threshold[QC_LANES_MAX_CLASSES]; /* ... and one less below it */
    uint8_t first[QC_LANES_MAX_CLASSES];     /* place of its states, minus its count, mod 256 */
    uint8_t states[QC_LANES_TABLE];          /* by class, then by x */
} qc_tans_encoder;

#endif /* QC_LANES_PIECES_H */
