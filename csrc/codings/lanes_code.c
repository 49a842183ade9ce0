/*
 * The decoding tables of codings 4 and 5, built from a code that was checked.
 *
 * Huffman: codes are at most 7 bits, so the next 7 bits are an index. Canonical codes ascend with
 * the classes, so the indices that begin with a class's code are a run: 2^(7 - length) of them.
 *
 * tANS (Duda 2009, "Asymmetric numeral systems"; FSE in zstd): a decoder is a machine of S states.
 * Each state belongs to one class, which is the decoded one, and a class has as many states as its
 * share of the symbols, out of S. Let a class have c states, numbered x = c, c + 1 ... 2c - 1 in
 * their order. State x takes enough bits to bring x back to the range S to 2S - 1: bits = log2(S)
 * - floor(log2(x)), and the next state is (x << bits) - S + those bits. So a class with c of S
 * states takes about log2(S / c) bits, and half a bit is possible: some of its states take one
 * bit, others none. The states of a class are spread over all of them (by a step that is odd, so
 * every state is reached once), because the next state should not depend on the class that came
 * before.
 */
#include "codings/lanes_code.h"

void qc_lanes_lengths(const qc_lanes_code *code, uint8_t lengths[QC_LANES_MAX_CLASSES])
{
    unsigned index = 0;
    for (unsigned length = 1; length <= QC_LANES_MAX_LENGTH; length++)
        for (unsigned i = 0; i < code->counts[length - 1]; i++)
            lengths[index++] = (uint8_t)length;
}

/* Canonical codes ascend with the classes, so their 7-bit windows follow each other. */
static void build_huffman(const qc_lanes_code *code, qc_lanes_table *table)
{
    uint8_t lengths[QC_LANES_MAX_CLASSES];
    unsigned window = 0;
    qc_lanes_lengths(code, lengths);
    for (unsigned index = 0; index < code->classes; index++)
        for (unsigned i = 0; i < 1u << (QC_LANES_MAX_LENGTH - lengths[index]); i++, window++) {
            table->class_of[window] = (uint8_t)index;
            table->bits_of[window] = lengths[index];
        }
}

static void build_tans(const qc_lanes_code *code, qc_lanes_table *table)
{
    unsigned states = 1u << code->state_bits, step = states / 2 + states / 8 + 3, place = 0;
    unsigned next[QC_LANES_MAX_CLASSES];
    for (unsigned index = 0; index < code->classes; index++) {
        next[index] = code->counts[index];
        for (unsigned i = 0; i < code->counts[index]; i++, place = (place + step) % states)
            table->class_of[place] = (uint8_t)index;
    }
    for (unsigned state = 0; state < states; state++) {
        unsigned x = next[table->class_of[state]]++;
        unsigned bits = code->state_bits + 1 - qc_bit_length(x);
        table->bits_of[state] = (uint8_t)bits;
        table->base_of[state] = (uint8_t)((x << bits) - states);
    }
}

void qc_lanes_build_table(const qc_lanes_code *code, qc_lanes_table *table)
{
    memset(table, 0, sizeof *table);
    if (code->state_bits > 0)
        build_tans(code, table);
    else
        build_huffman(code, table);
}
