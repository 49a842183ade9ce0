/*
 * Lanes, decoded in portable C (docs/format.md, section 7.5).
 *
 * Symbols 2i and 2i + 1 of each turn of 256 belong to lane i. A lane has a buffer of up to 32 bits,
 * read from the top, and before each turn every lane with fewer than 16 bits takes the next 16-bit
 * word of the common stream. Two symbols take at most 16 bits, so one word per turn is enough, and
 * a lane never runs dry within a turn. Lanes do not depend on each other except for the order of
 * the words, and that order follows from counts of bits, which are known before any bit is looked
 * at. So vector kernels keep all 128 buffers in registers, find all lanes in need by one
 * comparison, and hand the words out with one expansion.
 */
#include "kernels/kernels.h"

/* A word for a lane that has fewer than 16 bits left: without a branch, as which lanes need one
   cannot be predicted. */
static inline void refill(uint32_t *buffer, int *spare, const uint8_t **words)
{
    unsigned mask = 0u - ((unsigned)*spare >> (8 * sizeof(int) - 1)); /* all ones if it needs one */
    uint32_t word = qc_load16(*words) & mask;
    *buffer |= word << (-*spare & 31);
    *words += mask & 2;
    *spare += (int)(mask & 16);
}

/* The two symbols that a buffer begins with. Returns their bits. */
static unsigned decode_pair(const qc_lanes_state *state, uint32_t buffer, uint8_t values[2])
{
    unsigned first = buffer >> 25, bits = state->table.bits_of[first];
    unsigned second = buffer << bits >> 25;
    values[0] = state->value_of[first];
    values[1] = state->value_of[second];
    return bits + state->table.bits_of[second];
}

static void build_pairs(const qc_lanes_state *state, qc_lanes_pairs *pairs)
{
    memset(pairs->bits, 0, sizeof pairs->bits);
    for (uint32_t at = 0, end; at < 1u << QC_LANES_PAIR_BITS; at = end) {
        uint8_t values[2];
        unsigned bits = decode_pair(state, at << (32 - QC_LANES_PAIR_BITS), values);
        end = at + 1;
        if (bits > QC_LANES_PAIR_BITS)
            continue;
        end = at + (1u << (QC_LANES_PAIR_BITS - bits));
        memset(pairs->bits + at, (int)bits, end - at);
        for (; at < end; at++)
            memcpy(pairs->values[at], values, 2);
    }
    pairs->built = 1;
}

void qc_lanes_huffman_portable(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    const qc_lanes_pairs *pairs = &state->pairs;
    const uint8_t *words = state->words;
    if (!pairs->built)
        build_pairs(state, &state->pairs);
    for (; turns > 0; turns--)
        for (unsigned lane = 0; lane < QC_LANES; lane++, out += 2) {
            uint32_t buffer = state->buffer[lane];
            int spare = state->spare[lane];
            refill(&buffer, &spare, &words);
            unsigned window = buffer >> (32 - QC_LANES_PAIR_BITS);
            unsigned bits = pairs->bits[window];
            memcpy(out, pairs->values[window], 2);
            if (QC_UNLIKELY(bits == 0))
                bits = decode_pair(state, buffer, out);
            state->buffer[lane] = buffer << (bits & 31); /* as machines do by themselves */
            state->spare[lane] = (int8_t)(spare - (int)bits);
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
