/*
 * Huffman on lanes in NEON: values and lengths are looked up by 7 bits.
 */
#include "kernels/arm/lanes_neon.h"

#if QC_HAS_NEON

#define BLOCK  16 /* windows that one table instruction of one register looks up */
#define BLOCKS (QC_LANES_WINDOWS / BLOCK)

/* Codes of at most 4 bits fill half blocks of the windows, and stand before all longer ones: they
   are looked up by 4 bits. */
typedef struct huffman_table {
    uint8x16_t by_4_bits;
    byte_table by_7_bits;
} huffman_table;

typedef struct huffman_tables {
    huffman_table values, lengths;
} huffman_tables;

/* The first block with a code of more than 4 bits; BLOCKS if there is none. They all come after
   the shorter ones. */
static unsigned lowest_long_block(const qc_lanes_table *table)
{
    unsigned windows = 0;
    for (unsigned at = 0; at < QC_LANES_WINDOWS; at += 16) {
        uint8x16_t is_long = vcgtq_u8(vld1q_u8(table->bits_of + at), vdupq_n_u8(4));
        windows += vaddvq_u8(vandq_u8(is_long, vdupq_n_u8(1)));
    }
    return (QC_LANES_WINDOWS - windows) / BLOCK;
}

QC_NEON_INLINE huffman_table load_huffman_table(const uint8_t bytes[QC_LANES_WINDOWS])
{
    uint8_t short_codes[16];
    for (unsigned i = 0; i < 16; i++)
        short_codes[i] = bytes[8 * i];
    return (huffman_table){vld1q_u8(short_codes), load_table(bytes)};
}

/* The instructions for one register are several times as fast as those for four: one or two blocks
   of long codes are looked up with these, more of them 64 windows at a time. */
QC_NEON_INLINE uint8x16_t look_up(const huffman_table *table, unsigned lowest, uint8x16_t window)
{
    if (lowest < BLOCKS / 2)
        return look_up_any(&table->by_7_bits, window);
    uint8x16_t found = vqtbl1q_u8(table->by_4_bits, vshrq_n_u8(window, 3));
    if (lowest < BLOCKS - 2)
        return look_up_upper(found, &table->by_7_bits, window);
    if (lowest <= BLOCKS - 2)
        found = vqtbx1q_u8(found, table->by_7_bits.upper.val[2],
                           vsubq_u8(window, vdupq_n_u8(BLOCK * (BLOCKS - 2))));
    if (lowest <= BLOCKS - 1)
        found = vqtbx1q_u8(found, table->by_7_bits.upper.val[3],
                           vsubq_u8(window, vdupq_n_u8(BLOCK * (BLOCKS - 1))));
    return found;
}

/* The upper 7 bits of 16 lanes. */
QC_NEON_INLINE uint8x16_t windows(uint16x8_t first, uint16x8_t last)
{
    return vshrq_n_u8(vuzp2q_u8(vreinterpretq_u8_u16(first), vreinterpretq_u8_u16(last)), 1);
}

/* Two symbols of every lane of a group that was refilled. */
QC_NEON_INLINE void decode_group(const huffman_tables *tables, unsigned lowest, lane_group *group,
                                 uint8_t *out)
{
    uint8x16_t bits[HALVES];
    for (unsigned i = 0; i < HALVES; i++) {
        uint16x8_t high_a = group->high[2 * i], high_b = group->high[2 * i + 1];
        uint8x16_t first = windows(high_a, high_b);
        bits[i] = look_up(&tables->lengths, lowest, first);
        /* Both symbols are within the 16 bits of the window. */
        int8x16_t shift = vreinterpretq_s8_u8(bits[i]);
        uint8x16_t second = windows(vshlq_u16(high_a, quarter_of(shift, 0)),
                                    vshlq_u16(high_b, quarter_of(shift, 1)));
        bits[i] = vaddq_u8(bits[i], look_up(&tables->lengths, lowest, second));
        store_symbols(out + 2 * HALF_LANES * i, look_up(&tables->values, lowest, first),
                      look_up(&tables->values, lowest, second));
    }
    take_bits(group, bits);
}

/* Groups are refilled two ahead, so that their words have arrived when they are decoded. `lowest`
   is a constant where this is inlined. */
QC_NEON_INLINE void decode(qc_lanes_state *state, uint8_t *out, size_t turns, unsigned lowest)
{
    const uint8_t *words = state->words;
    const huffman_tables tables = {load_huffman_table(state->value_of),
                                   load_huffman_table(state->table.bits_of)};
    lane_group groups[GROUPS];
    load_groups(state, groups);
    words = refill(&groups[0], words);
    words = refill(&groups[1], words);
    for (; turns > 0; turns--, out += QC_LANES_TURN) {
        words = refill(&groups[2], words);
        decode_group(&tables, lowest, &groups[0], out);
        words = refill(&groups[3], words);
        decode_group(&tables, lowest, &groups[1], out + 64);
        if (turns > 1)
            words = refill(&groups[0], words);
        decode_group(&tables, lowest, &groups[2], out + 128);
        if (turns > 1)
            words = refill(&groups[1], words);
        decode_group(&tables, lowest, &groups[3], out + 192);
    }
    store_groups(groups, state);
    state->words = words;
}

void qc_lanes_huffman_neon(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    switch (lowest_long_block(&state->table)) {
    case BLOCKS: decode(state, out, turns, BLOCKS); break;
    case BLOCKS - 1: decode(state, out, turns, BLOCKS - 1); break;
    case BLOCKS - 2: decode(state, out, turns, BLOCKS - 2); break;
    case BLOCKS - 3:
    case BLOCKS - 4: decode(state, out, turns, BLOCKS - 4); break;
    default: decode(state, out, turns, 0); break;
    }
}

#endif /* QC_HAS_NEON */
