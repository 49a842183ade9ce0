#include "lanes_decode.h"

/* A word for a lane that has fewer than 16 bits left: without a branch, as which lanes need one is
   anybody's guess. */
static inline void refill(uint32_t *buffer, int *spare, const uint8_t **words)
{
    unsigned needs = (unsigned)*spare >> (8 * sizeof(int) - 1);
    uint32_t word = qc_load16(*words) & (0u - needs);
    *buffer |= word << (-*spare & 31);
    *words += 2 * needs;
    *spare += (int)(16 * needs);
}

void qc_lanes_huffman_portable(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    const uint8_t *words = state->words;
    uint16_t entries[QC_LANES_TABLE]; /* value << 8 | bits */
    for (unsigned i = 0; i < QC_LANES_TABLE; i++)
        entries[i] = (uint16_t)(state->value_of[i] << 8 | state->table.bits_of[i]);
    for (; turns > 0; turns--)
        for (unsigned lane = 0; lane < QC_LANES; lane++, out += 2) {
            uint32_t buffer = state->buffer[lane];
            int spare = state->spare[lane];
            refill(&buffer, &spare, &words);
            unsigned first = entries[buffer >> 25];
            buffer <<= first & 31; /* as machines do by themselves */
            unsigned second = entries[buffer >> 25];
            buffer <<= second & 31;
            state->buffer[lane] = buffer;
            state->spare[lane] = (int8_t)(spare - (int)(uint8_t)(first + second));
            out[0] = (uint8_t)(first >> 8);
            out[1] = (uint8_t)(second >> 8);
        }
    state->words = words;
}

void qc_lanes_tans_portable(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    const qc_lanes_table *table = &state->table;
    const uint8_t *words = state->words;
    for (; turns > 0; turns--)
        for (unsigned lane = 0; lane < QC_LANES; lane++) {
            uint32_t buffer = state->buffer[lane];
            int spare = state->spare[lane];
            unsigned at = state->state[lane];
            refill(&buffer, &spare, &words);
            for (unsigned i = 0; i < 2; i++) {
                unsigned bits = table->bits_of[at];
                *out++ = state->value_of[at];
                /* Two shifts, as 32 - bits may be 32. */
                at = table->base_of[at] + (buffer >> 1 >> (31 - bits));
                buffer <<= bits;
                spare -= (int)bits;
            }
            state->buffer[lane] = buffer;
            state->spare[lane] = (int8_t)spare;
            state->state[lane] = (uint8_t)at;
        }
    state->words = words;
}

/* Bit i to byte i. */
static inline uint64_t spread_bits(uint8_t bits)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t chosen = bits * ones & 0x8040201008040201u;
    return (chosen + 0x7F * ones) >> 7 & ones;
}

/* Eight symbols as one number: values fit into the bits that are not raw, so nothing is carried
   from byte to byte. */
static void add_raw_block(uint8_t *out, const uint8_t *raw, unsigned raw_bits)
{
    for (unsigned i = 0; i < QC_RAW_BLOCK / 8; i++, out += 8) {
        uint64_t symbols = qc_load64(out);
        for (unsigned bit = raw_bits; bit-- > 0;)
            symbols = symbols << 1 | spread_bits(raw[8 * bit + i]);
        qc_store64(out, symbols);
    }
}

void qc_lanes_raw_portable(uint8_t *out, size_t count, const uint8_t *raw, unsigned raw_bits)
{
    uint8_t last[QC_RAW_BLOCK] = {0};
    for (; count >= QC_RAW_BLOCK; count -= QC_RAW_BLOCK, out += QC_RAW_BLOCK, raw += 8 * raw_bits)
        add_raw_block(out, raw, raw_bits);
    if (count > 0) {
        memcpy(last, out, count);
        add_raw_block(last, raw, raw_bits);
        memcpy(out, last, count);
    }
}
