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
