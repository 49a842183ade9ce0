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
 *
 * Here, the counts of eight lanes are the bytes of one 64-bit number, so that a few operations on
 * it update them all and find the lanes in need. Only these are then visited: fewer than half of
 * them where symbols take less than four bits. Lanes are refilled and decoded by halves, so that
 * the needs of one half are known while the other is decoded: a loop over lanes in need ends at a
 * branch that cannot be predicted.
 */
#include "kernels/kernels.h"

/* Not inlined, so that each loop has all registers. */
#if defined(__GNUC__)
#define OWN_REGISTERS __attribute__((noinline))
#else
#define OWN_REGISTERS
#endif

#define HALF        64 /* lanes in need are the bits of one number */
#define EIGHT(byte) (0x0101010101010101u * (byte))
#define HIGHEST     128u
#define LONG_PAIR   HIGHEST /* in place of a number of bits */

static inline size_t lowest_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return (size_t)__builtin_ctzll(bits);
#else
    return qc_bit_length(bits & (0 - bits)) - 1;
#endif
}

/* Bit i: the i-th of eight lanes has fewer than 16 bits, so what it has to spare is negative. The
   multiplication moves the highest bit of byte i to place 56 + i. */
static inline uint64_t in_need(uint64_t spares)
{
    return (spares & EIGHT(HIGHEST)) * 0x0002040810204081u >> 56;
}

/* Eight lanes after a turn. Before it, those in need had 16 bits more: counts of -16 to 15 became
   0 to 15. While the highest bits are set, no byte borrows from the next one. */
static inline uint64_t count_turn(uint64_t spares, uint64_t taken)
{
    return (((spares & EIGHT(15u)) | EIGHT(HIGHEST)) - taken) ^ EIGHT(HIGHEST);
}

/* A word for every lane in need. */
static OWN_REGISTERS const uint8_t *refill(uint32_t buffers[HALF], const int8_t spares[HALF],
                                           uint64_t needs, const uint8_t *words)
{
    for (; needs != 0; needs &= needs - 1, words += 2) {
        size_t lane = lowest_bit(needs);
        buffers[lane] |= qc_load16(words) << (-spares[lane] & 31);
    }
    return words;
}

/* ---- Huffman ---- */

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
    memset(pairs->bits, LONG_PAIR, sizeof pairs->bits);
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
}

/* The pairs that were not in the table. `taken` has the bits of all others; returns those of all.
 */
static OWN_REGISTERS uint64_t decode_long_pairs(const qc_lanes_state *state, uint32_t buffers[8],
                                                uint64_t taken, uint8_t *out)
{
    for (unsigned i = 0; i < 8; i++)
        if ((taken >> 8 * i & LONG_PAIR) != 0) {
            unsigned bits = decode_pair(state, buffers[i], out + 2 * i);
            buffers[i] <<= bits;
            taken ^= (uint64_t)(LONG_PAIR ^ bits) << 8 * i;
        }
    return taken;
}

/* Two symbols of each of eight lanes; returns the bits that they took, a byte for each lane. */
static inline uint64_t decode_huffman(const qc_lanes_state *state, uint32_t buffers[8],
                                      uint8_t *out)
{
    const qc_lanes_pairs *pairs = &state->tables.pairs;
    uint64_t taken = 0;
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++) {
        uint32_t buffer = buffers[i];
        unsigned window = buffer >> (32 - QC_LANES_PAIR_BITS), bits = pairs->bits[window];
        memcpy(out + 2 * i, pairs->values[window], 2);
        buffers[i] = buffer << (bits & 31); /* by 0 if it is a long pair */
        taken |= (uint64_t)bits << 8 * i;
    }
    if (QC_UNLIKELY((taken & EIGHT(LONG_PAIR)) != 0))
        taken = decode_long_pairs(state, buffers, taken, out);
    return taken;
}

/* ---- tANS ---- */

static inline uint64_t decode_tans(const qc_lanes_state *state, uint8_t states[8],
                                   uint32_t buffers[8], uint8_t *out)
{
    const qc_lanes_table *table = &state->table;
    uint64_t taken = 0;
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++) {
        unsigned at = states[i], first = table->bits_of[at];
        uint64_t bits = (uint64_t)buffers[i] << first;
        out[2 * i] = state->value_of[at];
        at = table->base_of[at] + (unsigned)(bits >> 32);
        unsigned second = table->bits_of[at];
        bits = (uint64_t)(uint32_t)bits << second;
        out[2 * i + 1] = state->value_of[at];
        states[i] = (uint8_t)(table->base_of[at] + (unsigned)(bits >> 32));
        buffers[i] = (uint32_t)bits;
        taken |= (uint64_t)(first + second) << 8 * i;
    }
    return taken;
}

/* ---- turns ---- */

/* A turn of lanes that were refilled. Returns which of them are then in need. */
static OWN_REGISTERS uint64_t decode_half(qc_lanes_state *state, unsigned first, uint8_t *out)
{
    uint64_t needs = 0;
    uint32_t *buffers = state->buffer + first;
    uint8_t *bytes = (uint8_t *)state->spare + first, *states = state->state + first;
    int is_tans = state->code.state_bits > 0;
    for (unsigned lane = 0; lane < HALF;
         lane += 8, buffers += 8, bytes += 8, states += 8, out += 16) {
        uint64_t taken = is_tans ? decode_tans(state, states, buffers, out)
                                 : decode_huffman(state, buffers, out);
        uint64_t spares = count_turn(qc_load64(bytes), taken);
        qc_store64(bytes, spares);
        needs |= in_need(spares) << lane;
    }
    return needs;
}

static void decode(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    uint64_t needs[QC_LANES / HALF] = {0};
    for (unsigned lane = 0; lane < QC_LANES; lane += 8)
        needs[lane / HALF] |= in_need(qc_load64((uint8_t *)state->spare + lane)) << lane % HALF;
    for (; turns > 0; turns--)
        for (unsigned first = 0; first < QC_LANES; first += HALF, out += 2 * HALF) {
            state->words = refill(state->buffer + first, state->spare + first, needs[first / HALF],
                                  state->words);
            needs[first / HALF] = decode_half(state, first, out);
        }
}

void qc_lanes_huffman_portable(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    if (!state->is_built)
        build_pairs(state, &state->tables.pairs);
    state->is_built = 1;
    decode(state, out, turns);
}

void qc_lanes_tans_portable(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    decode(state, out, turns);
}
