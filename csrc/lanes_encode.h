/*
 * The hot part of the lanes Huffman encoder, for instruction sets that do it in registers.
 */
#ifndef QC_LANES_ENCODE_H
#define QC_LANES_ENCODE_H

#include "lanes.h"

/* What every symbol becomes. */
typedef struct qc_lanes_pieces {
    uint8_t bits[256];
    uint8_t counts[256];
} qc_lanes_pieces;

/* Write the words of `turns` turns of symbols, all of them whole, with a last turn of its own
   (NULL: none). `refills` has room for 4 masks a turn. Returns the end of what was written. */
uint8_t *qc_lanes_huffman_words_avx512(const uint8_t *symbols, size_t turns, const uint8_t *last,
                                       const qc_lanes_pieces *pieces, uint32_t *refills,
                                       uint8_t *out);

#endif /* QC_LANES_ENCODE_H */
