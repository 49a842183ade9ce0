/*
 * Canonical Huffman codes. Only the lengths of the codes are stored: codes are assigned in
 * ascending order of length, then of symbol, each one more than the previous and shifted to its
 * length. Codes of one length are then consecutive numbers, and a decoder's table can be filled in
 * that order.
 *
 * A set of lengths describes a complete code if its Kraft sum, the sum of 2^-length, is exactly 1.
 * Less would leave sequences of bits that are no code, more would make codes ambiguous. Decoders
 * check this before they build a table: a complete code fills the table exactly, and any bits are
 * codes.
 */
#include "codings/huffman_code.h"

int qc_huffman_is_complete(const uint8_t *lengths, unsigned symbols)
{
    uint32_t sum = 0;
    for (unsigned s = 0; s < symbols; s++)
        sum += lengths[s] != 0 ? 1u << (QC_HUFFMAN_MAX_LENGTH - lengths[s]) : 0;
    return sum == 1u << QC_HUFFMAN_MAX_LENGTH;
}

void qc_huffman_canonical_codes(const uint8_t *lengths, unsigned symbols, uint16_t *codes)
{
    uint32_t next[QC_HUFFMAN_MAX_LENGTH + 2] = {0};
    for (unsigned s = 0; s < symbols; s++)
        next[lengths[s] + 1]++;
    /* From counts to first codes: next[i + 1] holds the number of codes of i bits. */
    next[1] = 0;
    for (unsigned i = 1; i <= QC_HUFFMAN_MAX_LENGTH; i++)
        next[i + 1] = (next[i] + next[i + 1]) << 1;
    for (unsigned s = 0; s < symbols; s++)
        codes[s] = lengths[s] != 0 ? (uint16_t)next[lengths[s]]++ : 0;
}
