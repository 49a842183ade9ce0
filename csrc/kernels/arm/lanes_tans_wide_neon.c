/*
 * lanes_tans_neon.c for up to 256 states and 32 classes.
 */
#include "kernels/arm/lanes_neon.h"

#if QC_HAS_NEON

/* Bytes by state. */
typedef struct state_table {
    byte_table lower, upper;
} state_table;

typedef struct tans_tables {
    state_table bits, bases, values;
} tans_tables;

QC_NEON_INLINE state_table load_states(const uint8_t bytes[QC_LANES_TABLE])
{
    return (state_table){load_table(bytes), load_table(bytes + 128)};
}

QC_NEON_INLINE uint8x16_t look_up(const state_table *table, uint8x16_t state)
{
    uint8x16_t found = look_up_any(&table->lower, state);
    found = vqtbx4q_u8(found, table->upper.lower, vsubq_u8(state, vdupq_n_u8(128)));
    return vqtbx4q_u8(found, table->upper.upper, vsubq_u8(state, vdupq_n_u8(192)));
}

/* Two symbols of every lane of a group that was refilled. */
QC_NEON_INLINE void decode_group(const tans_tables *tables, lane_group *group, uint8_t *out)
{
    uint8x16_t bits[HALVES];
    for (unsigned i = 0; i < HALVES; i++) {
        uint16x8_t high_a = group->high[2 * i], high_b = group->high[2 * i + 1];
        uint8x16_t first = group->state[i], taken = look_up(&tables->bits, first);
        int8x16_t shift = vreinterpretq_s8_u8(taken);
        uint8x16_t second =
            vaddq_u8(look_up(&tables->bases, first), next_bits(high_a, high_b, shift));
        high_a = vshlq_u16(high_a, quarter_of(shift, 0));
        high_b = vshlq_u16(high_b, quarter_of(shift, 1));
        uint8x16_t more = look_up(&tables->bits, second);
        group->state[i] = vaddq_u8(look_up(&tables->bases, second),
                                   next_bits(high_a, high_b, vreinterpretq_s8_u8(more)));
        bits[i] = vaddq_u8(taken, more);
        store_symbols(out + 2 * HALF_LANES * i, look_up(&tables->values, first),
                      look_up(&tables->values, second));
    }
    take_bits(group, bits);
}

/* Groups are refilled two ahead, so that their words have arrived when they are decoded. */
QC_NEON_TABLES void qc_lanes_tans_wide_neon(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    const uint8_t *words = state->words;
    const tans_tables tables = {load_states(state->table.bits_of),
                                load_states(state->table.base_of), load_states(state->value_of)};
    lane_group groups[GROUPS];
    load_groups(state, groups);
    words = refill(&groups[0], words);
    words = refill(&groups[1], words);
    for (; turns > 0; turns--, out += QC_LANES_TURN) {
        words = refill(&groups[2], words);
        decode_group(&tables, &groups[0], out);
        words = refill(&groups[3], words);
        decode_group(&tables, &groups[1], out + 64);
        if (turns > 1)
            words = refill(&groups[0], words);
        decode_group(&tables, &groups[2], out + 128);
        if (turns > 1)
            words = refill(&groups[1], words);
        decode_group(&tables, &groups[3], out + 192);
    }
    store_groups(groups, state);
    state->words = words;
}

#endif /* QC_HAS_NEON */
