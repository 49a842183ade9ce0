/*
 * tANS on lanes in NEON, of at most 128 states and 16 classes.
 */
#include "kernels/arm/lanes_neon.h"

#if QC_HAS_NEON

#define BITS_MASK   15
#define CLASS_SHIFT 4
#define CLASSES     16

/* By state: class << 4 | bits to take, and the next state but for those bits; values by class. */
typedef struct tans_tables {
    byte_table entries, bases;
    uint8x16_t values;
} tans_tables;

QC_NEON_INLINE tans_tables load_tables(const qc_lanes_state *state)
{
    uint8_t entries[QC_LANES_TABLE], values[CLASSES];
    for (unsigned i = 0; i < QC_LANES_TABLE; i++)
        entries[i] = (uint8_t)(state->table.class_of[i] << CLASS_SHIFT | state->table.bits_of[i]);
    memcpy(values, state->code.values, sizeof values);
    if (state->code.has_escape)
        values[state->code.classes - 1] = state->escape;
    return (tans_tables){load_table(entries), load_table(state->table.base_of), vld1q_u8(values)};
}

/* With as few registers of a table as hold all states. */
QC_NEON_INLINE uint8x16_t look_up(const byte_table *table, unsigned state_bits, uint8x16_t state)
{
    uint8x16x2_t two = {{table->lower.val[0], table->lower.val[1]}};
    if (state_bits == 5)
        return vqtbl2q_u8(two, state);
    if (state_bits == 6)
        return vqtbl4q_u8(table->lower, state);
    return look_up_any(table, state);
}

/* Two symbols of every lane of a group that was refilled. */
QC_NEON_INLINE void decode_group(const tans_tables *tables, unsigned state_bits, lane_group *group,
                                 uint8_t *out)
{
    const uint8x16_t mask = vdupq_n_u8(BITS_MASK);
    uint8x16_t bits[HALVES];
    for (unsigned i = 0; i < HALVES; i++) {
        uint16x8_t high_a = group->high[2 * i], high_b = group->high[2 * i + 1];
        uint8x16_t first = look_up(&tables->entries, state_bits, group->state[i]);
        uint8x16_t taken = vandq_u8(first, mask);
        int8x16_t shift = vreinterpretq_s8_u8(taken);
        uint8x16_t state = vaddq_u8(look_up(&tables->bases, state_bits, group->state[i]),
                                    next_bits(high_a, high_b, shift));
        high_a = vshlq_u16(high_a, quarter_of(shift, 0));
        high_b = vshlq_u16(high_b, quarter_of(shift, 1));
        uint8x16_t second = look_up(&tables->entries, state_bits, state);
        uint8x16_t more = vandq_u8(second, mask);
        group->state[i] = vaddq_u8(look_up(&tables->bases, state_bits, state),
                                   next_bits(high_a, high_b, vreinterpretq_s8_u8(more)));
        bits[i] = vaddq_u8(taken, more);
        store_symbols(out + 2 * HALF_LANES * i,
                      vqtbl1q_u8(tables->values, vshrq_n_u8(first, CLASS_SHIFT)),
                      vqtbl1q_u8(tables->values, vshrq_n_u8(second, CLASS_SHIFT)));
    }
    take_bits(group, bits);
}

/* Groups are refilled two ahead, so that their words have arrived when they are decoded.
   `state_bits` is a constant where this is inlined. */
QC_NEON_INLINE void decode(qc_lanes_state *state, uint8_t *out, size_t turns, unsigned state_bits)
{
    const uint8_t *words = state->words;
    const tans_tables tables = load_tables(state);
    lane_group groups[GROUPS];
    load_groups(state, groups);
    words = refill(&groups[0], words);
    words = refill(&groups[1], words);
    for (; turns > 0; turns--, out += QC_LANES_TURN) {
        words = refill(&groups[2], words);
        decode_group(&tables, state_bits, &groups[0], out);
        words = refill(&groups[3], words);
        decode_group(&tables, state_bits, &groups[1], out + 64);
        if (turns > 1)
            words = refill(&groups[0], words);
        decode_group(&tables, state_bits, &groups[2], out + 128);
        if (turns > 1)
            words = refill(&groups[1], words);
        decode_group(&tables, state_bits, &groups[3], out + 192);
    }
    store_groups(groups, state);
    state->words = words;
}

void qc_lanes_tans_neon(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    if (state->code.state_bits == QC_TANS_MAX_LOG || state->code.classes > CLASSES) {
        qc_lanes_tans_wide_neon(state, out, turns);
        return;
    }
    switch (state->code.state_bits) {
    case 5: decode(state, out, turns, 5); break;
    case 6: decode(state, out, turns, 6); break;
    default: decode(state, out, turns, 7); break;
    }
}

#endif /* QC_HAS_NEON */
