/*
 * The hot parts of the lanes encoders, each in portable C and for instruction sets that do it in
 * registers. Their order: symbols become pieces, by Huffman codes or, from the last one backwards,
 * by tANS; pieces become words.
 */
#ifndef QC_LANES_ENCODE_H
#define QC_LANES_ENCODE_H

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

/* Write the words of all turns; each lane begins with its state, of `state_bits` bits. `refills`
   has room for QC_LANES bytes a turn. Returns the end of what was written. */
typedef uint8_t *qc_lanes_write_words(const qc_lanes_source *source, const uint8_t states[QC_LANES],
                                      unsigned state_bits, uint8_t *refills, uint8_t *out);

/* tANS: from a state to the one before it, by class. x is S + state. */
typedef struct qc_tans_encoder {
    unsigned state_bits, classes;
    uint8_t class_of[256];                   /* of every symbol */
    uint8_t most_bits[QC_LANES_MAX_CLASSES]; /* to put out, from a state of `threshold` on ... */
    uint8_t threshold[QC_LANES_MAX_CLASSES]; /* ... and one less below it */
    uint8_t first[QC_LANES_MAX_CLASSES];     /* where its states stand, minus its count, mod 256 */
    uint8_t states[QC_LANES_TABLE];          /* by class, then by x */
} qc_tans_encoder;

/* The pieces of all turns, from the last one back: `states` are those after it, and become those
   before the first turn. */
typedef void qc_tans_step_back(const qc_lanes_turns *symbols, const qc_tans_encoder *encoder,
                               uint8_t states[QC_LANES], qc_lanes_pieces *pieces);

/* Write the raw bits of whole blocks of QC_RAW_BLOCK symbols. Returns the end. */
typedef uint8_t *qc_lanes_write_raw_bits(const uint8_t *symbols, size_t blocks, unsigned raw_bits,
                                         uint8_t *out);

/* Write those symbols of whole blocks whose `is_escaped` is not 0. Returns the end. */
typedef uint8_t *qc_lanes_write_escapes(const uint8_t *symbols, size_t blocks,
                                        const uint8_t is_escaped[256], uint8_t *out);

/* What the selected instruction sets do best. */
typedef struct qc_lanes_encode_kernels {
    qc_tans_step_back *step_back;
    qc_lanes_write_words *write_words;
    qc_lanes_write_raw_bits *write_raw_bits;
    qc_lanes_write_escapes *write_escapes;
} qc_lanes_encode_kernels;

qc_lanes_encode_kernels qc_lanes_encode_selected(void);

qc_lanes_write_words qc_lanes_words_portable, qc_lanes_words_avx2, qc_lanes_words_avx512;
qc_tans_step_back qc_tans_step_back_portable, qc_tans_step_back_avx2, qc_tans_step_back_avx512;
qc_lanes_write_raw_bits qc_lanes_raw_bits_portable, qc_lanes_raw_bits_avx2,
    qc_lanes_raw_bits_avx512;
qc_lanes_write_escapes qc_lanes_escapes_portable, qc_lanes_escapes_avx2, qc_lanes_escapes_avx512;

#endif /* QC_LANES_ENCODE_H */
