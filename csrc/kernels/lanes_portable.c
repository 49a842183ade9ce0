#include "kernels/lanes_decode_kernels.h"

/* A word for a lane that has fewer than 16 bits left: without a branch, as which lanes need one is
   anybody's guess. */
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
