/*
 * tANS on lanes in AVX2, of at most 128 states and 16 classes.
 */
#include "kernels/x86/lanes_avx2.h"

#if QC_HAS_AVX2

#define BITS_MASK   15
#define CLASS_SHIFT 4

/* By state: class << 4 | bits to take, and the next state but for those bits. One cascade less than
   with the values themselves, which are looked up by class. */
typedef struct tans_tables {
    powers powers;
    cascade entries, bases;
    __m256i values;
} tans_tables;

QC_AVX2_INLINE void load_tables(const qc_lanes_state *state, unsigned top, tans_tables *tables)
{
    uint8_t entries[BLOCK * BLOCKS], values[BLOCK];
    for (unsigned i = 0; i < BLOCK * (top + 1); i++)
        entries[i] = (uint8_t)(state->table.class_of[i] << CLASS_SHIFT | state->table.bits_of[i]);
    memcpy(values, state->code.values, sizeof values);
    if (state->code.has_escape)
        values[state->code.classes - 1] = state->escape;
    tables->powers = load_powers();
    tables->values = twice(_mm_loadu_si128((const __m128i *)values));
    load_cascade(entries, 0, top, &tables->entries);
    load_cascade(state->table.base_of, 0, top, &tables->bases);
}

/* The next bits of every lane as bytes: as many as the powers of two say. */
QC_AVX2_INLINE __m256i next_bits(__m256i high_a, __m256i high_b, wide powers)
{
    return _mm256_packus_epi16(_mm256_mulhi_epu16(high_a, powers.a),
                               _mm256_mulhi_epu16(high_b, powers.b));
}

QC_AVX2_INLINE __m256i value_of(const tans_tables *tables, __m256i entries)
{
    __m256i class =
        _mm256_and_si256(_mm256_srli_epi16(entries, CLASS_SHIFT), _mm256_set1_epi8(BITS_MASK));
    return _mm256_shuffle_epi8(tables->values, class);
}

/* Two symbols of every lane of a group that was refilled. */
QC_AVX2_INLINE void decode_group(const tans_tables *tables, unsigned top, lane_group *group,
                                 uint8_t *out)
{
    const __m256i zero = _mm256_setzero_si256(), mask = _mm256_set1_epi8(BITS_MASK);
    __m256i first = add_blocks(zero, &tables->entries, 0, top, group->state);
    __m256i bits = _mm256_and_si256(first, mask);
    wide shift = power_of_two_below_8(tables->powers, bits);
    __m256i state = _mm256_add_epi8(add_blocks(zero, &tables->bases, 0, top, group->state),
                                    next_bits(group->high_a, group->high_b, shift));
    __m256i next_a = _mm256_mullo_epi16(group->high_a, shift.a);
    __m256i next_b = _mm256_mullo_epi16(group->high_b, shift.b);
    __m256i second = add_blocks(zero, &tables->entries, 0, top, state);
    __m256i more = _mm256_and_si256(second, mask);
    shift = power_of_two_below_8(tables->powers, more);
    group->state = _mm256_add_epi8(add_blocks(zero, &tables->bases, 0, top, state),
                                   next_bits(next_a, next_b, shift));
    take_bits(group, tables->powers, _mm256_add_epi8(bits, more));
    store_symbols(out, value_of(tables, first), value_of(tables, second));
}

/* Groups are refilled two ahead, so that their words have arrived when they are decoded. `top`, the
   last block of 16 states, is a constant where this is inlined. Values go to `out`, or if there is
   an `items`, to that. */
QC_AVX2_INLINE void decode(qc_lanes_state *state, uint8_t *out, item_writer *items, size_t turns,
                           unsigned top)
{
    const powers powers = load_powers();
    const uint8_t *words = state->words;
    tans_tables tables;
    lane_group groups[GROUPS];
    load_tables(state, top, &tables);
    load_groups(state, groups);
    words = refill(&groups[0], powers, words, 0);
    words = refill(&groups[1], powers, words, 0);
    out = items != NULL ? items->values : out;
    for (; turns > 0; turns--) {
        words = refill(&groups[2], powers, words, 0);
        decode_group(&tables, top, &groups[0], out);
        words = refill(&groups[3], powers, words, 0);
        decode_group(&tables, top, &groups[1], out + 64);
        if (turns > 1)
            words = refill(&groups[0], powers, words, 0);
        decode_group(&tables, top, &groups[2], out + 128);
        if (turns > 1)
            words = refill(&groups[1], powers, words, 0);
        decode_group(&tables, top, &groups[3], out + 192);
        if (items != NULL) {
            qc_prefetch(words, QC_LANES_TURN_BYTES, state->words_end);
            write_turn(items);
        } else {
            out += QC_LANES_TURN;
        }
    }
    store_groups(groups, state);
    state->words = words;
}

QC_AVX2 void qc_lanes_tans_avx2(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    if (state->code.state_bits == QC_TANS_MAX_LOG || state->code.classes > BLOCK) {
        qc_lanes_tans_wide_avx2(state, out, turns);
        return;
    }
    switch (state->code.state_bits) {
    case 5: decode(state, out, NULL, turns, 1); break;
    case 6: decode(state, out, NULL, turns, 3); break;
    default: decode(state, out, NULL, turns, 7); break;
    }
}

QC_AVX2 size_t qc_lanes_tans_items_avx2(qc_lanes_state *state, const qc_item_run *run, size_t turns)
{
    item_writer items;
    if (state->code.state_bits == QC_TANS_MAX_LOG)
        return 0;
    begin_items(&items, run);
    switch (state->code.state_bits) {
    case 5: decode(state, NULL, &items, turns, 1); break;
    case 6: decode(state, NULL, &items, turns, 3); break;
    default: decode(state, NULL, &items, turns, 7); break;
    }
    end_items(&items, run);
    return turns;
}

#endif /* QC_HAS_AVX2 */
