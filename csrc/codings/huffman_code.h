/*
 * What the Huffman decoder and encoder share: code lengths, canonical codes and the compact table
 * of lengths (format, section 7.3).
 */
#ifndef QC_HUFFMAN_CODE_H
#define QC_HUFFMAN_CODE_H

#include "base/bytes.h"

#define QC_HUFFMAN_MAX_LENGTH  12
#define QC_HUFFMAN_MAX_SYMBOLS 256
#define QC_HUFFMAN_STREAMS     4
#define QC_HUFFMAN_SPLIT       256 /* symbols from which a stream has QC_HUFFMAN_STREAMS sub-streams */

/* The most bytes of a table of lengths: no symbol takes more than one nibble. */
#define QC_HUFFMAN_TABLE_BOUND (1 + QC_HUFFMAN_MAX_SYMBOLS / 2)

/* The sub-streams of a stream of `count` symbols. */
static inline unsigned qc_huffman_streams(size_t count)
{
    return count < QC_HUFFMAN_SPLIT ? 1 : QC_HUFFMAN_STREAMS;
}

/* Nonzero if the Kraft sum of the lengths (0: absent) is exactly 1: every sequence of bits is
   then a sequence of codes, in one way. */
int qc_huffman_is_complete(const uint8_t *lengths, unsigned symbols);

/* Fill codes[0 .. symbols) with the canonical codes of a complete set of lengths. */
void qc_huffman_canonical_codes(const uint8_t *lengths, unsigned symbols, uint16_t *codes);

/* Fill lengths[0 .. symbols) with those of an optimal code of at most `max_length` bits (at most
   QC_HUFFMAN_MAX_LENGTH). At least two of the at most 256 counts are above 0, and no more than
   2^max_length; a symbol that does not occur gets 0. */
void qc_huffman_optimal_lengths(const uint64_t *counts, unsigned symbols, unsigned max_length,
                                uint8_t *lengths);

/* Read a table of lengths: fills lengths[0 .. *symbols) and steps over it. QC_CORRUPT for a table
   that breaks a rule, has more than `max_symbols` (at most 256), or is not complete. */
qc_status qc_huffman_read_lengths(qc_reader *reader, unsigned max_symbols, uint8_t *lengths,
                                  unsigned *symbols, qc_error *error);

/* Write a table of lengths, the last one not 0: at most QC_HUFFMAN_TABLE_BOUND bytes. Returns
   their number. */
size_t qc_huffman_write_lengths(const uint8_t *lengths, unsigned symbols, uint8_t *out);

#endif /* QC_HUFFMAN_CODE_H */
