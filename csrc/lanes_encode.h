/*
 * The hot parts of the lanes encoders, each in portable C and for instruction sets that do it in
 * registers. Their order: tANS turns symbols into pieces, from the last one backwards; pieces, or
 * symbols as they are (Huffman), become words.
 */
#ifndef QC_LANES_ENCODE_H
#define QC_LANES_ENCODE_H

#include "lanes.h"

/* Turns to encode: `whole` of them in a row, and one of its own behind (NULL: none). */
typedef struct qc_lanes_turns {
    const uint8_t *bytes;
    size_t whole;
    const uint8_t *last;
} qc_lanes_turns;

static inline const uint8_t *qc_lanes_turn(const qc_lanes_turns *turns, size_t turn)
{
    return turn < turns->whole ? turns->bytes + turn * QC_LANES_TURN : turns->last;
}

/* The bits that every byte of a turn puts into its lane, and how many they are (at most 7; 0 for
   bytes that do not occur). */
typedef struct qc_lanes_pieces {
    uint8_t bits[256];
    uint8_t counts[256];
} qc_lanes_pieces;

/* Write the words of all turns; each lane begins with the lowest `state_bits` bits of its state.
   `refills` has room for QC_LANES bytes a turn. Returns the end of what was written. */
typedef uint8_t *qc_lanes_write_words(const qc_lanes_turns *turns, const qc_lanes_pieces *pieces,
                                      const uint8_t states[QC_LANES], unsigned state_bits,
                                      uint8_t *refills, uint8_t *out);

/* From a state to the one before it, by class: states are counted from S on here, as x is. */
typedef struct qc_tans_encoder {
    uint8_t class_of[256];                  /* of every symbol */
    uint8_t most_bits[QC_TANS_MAX_CLASSES]; /* to put out, from a state of `threshold` on ... */
    uint8_t threshold[QC_TANS_MAX_CLASSES]; /* ... and one less below it */
    uint8_t first[QC_TANS_MAX_CLASSES];     /* where its states stand, minus its count, mod 256 */
    uint8_t states[QC_LANES_TABLE];         /* S + state, by class, then by x */
} qc_tans_encoder;

/* Step back over all turns: `states` are S + those after the last turn, and become S + those before
   the first. A piece of n bits is a byte: 2^n + its bits. `pieces` holds the whole turns, `last`
   the one behind; they may be where the symbols are. */
typedef void qc_tans_step_back(const qc_lanes_turns *symbols, const qc_tans_encoder *encoder,
                               uint8_t states[QC_LANES], uint8_t *pieces, uint8_t *last);

/* Write the raw bits of whole blocks of QC_RAW_BLOCK symbols. Returns the end. */
typedef uint8_t *qc_lanes_write_raw_bits(const uint8_t *symbols, size_t blocks, unsigned raw_bits,
                                         uint8_t *out);

/* Write those symbols of whole blocks whose `is_escaped` is not 0. Returns the end. */
typedef uint8_t *qc_lanes_write_escapes(const uint8_t *symbols, size_t blocks,
                                        const uint8_t is_escaped[256], uint8_t *out);

/* What the selected instruction sets do best. */
typedef struct qc_lanes_encode_kernels {
    qc_lanes_write_words *write_words;
    qc_tans_step_back *step_back;
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
