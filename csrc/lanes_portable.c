#include "lanes_decode.h"

/* A word for a lane that has fewer than 16 bits left: without a branch, as which lanes need one is
   anybody's guess. */
static inline void refill(uint32_t *buffer, int *spare, const uint8_t **words)
{
    unsigned needs = (unsigned)*spare >> (8 * sizeof(int) - 1);
    uint32_t word = qc_load16(*words) & (0u - needs);
    *buffer |= word << (-*spare & 15);
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
            buffer <<= first & 15;
            unsigned second = entries[buffer >> 25];
            buffer <<= second & 15;
            state->buffer[lane] = buffer;
            state->spare[lane] = (int8_t)(spare - (int)(first & 15) - (int)(second & 15));
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

void qc_lanes_raw_portable(uint8_t *out, size_t count, const uint8_t *raw, unsigned raw_bits)
{
    for (size_t block = 0; block < count; block += QC_RAW_BLOCK, raw += 8 * raw_bits) {
        size_t symbols = count - block < QC_RAW_BLOCK ? count - block : QC_RAW_BLOCK;
        for (unsigned bit = raw_bits; bit-- > 0;) {
            uint64_t plane = qc_load64(raw + 8 * bit);
            for (size_t i = 0; i < symbols; i++)
                out[block + i] = (uint8_t)(out[block + i] << 1 | (plane >> i & 1));
        }
    }
}
