#include "lanes_avx2.h"

#if QC_HAS_AVX2

/* The next bits of every lane as bytes: as many as the powers of two say. */
QC_AVX2 static inline __m256i next_bits(__m256i high_a, __m256i high_b, wide powers)
{
    return _mm256_packus_epi16(_mm256_mulhi_epu16(high_a, powers.a),
                               _mm256_mulhi_epu16(high_b, powers.b));
}

/* `top` is a constant where this is inlined: the last block of 16 states. */
QC_AVX2 static inline __attribute__((always_inline)) void
decode(qc_lanes_state *state, uint8_t *out, size_t turns, unsigned top)
{
    const powers powers = load_powers();
    const __m256i zero = _mm256_setzero_si256();
    const uint8_t *words = state->words;
    cascade values, counts, bases;
    lane_group groups[GROUPS];
    __m256i states[GROUPS];
    load_cascade(state->value_of, 0, top, &values);
    load_cascade(state->table.bits_of, 0, top, &counts);
    load_cascade(state->table.base_of, 0, top, &bases);
    for (unsigned g = 0; g < GROUPS; g++) {
        load_group(state, g, &groups[g]);
        states[g] = load_bytes(state->state + g * QC_GROUP_LANES);
    }
    for (; turns > 0; turns--)
        for (unsigned g = 0; g < GROUPS; g++, out += 2 * QC_GROUP_LANES) {
            lane_group group = groups[g];
            words = refill(&group, powers, words);
            __m256i first = states[g];
            __m256i bits = add_blocks(zero, &counts, 0, top, first);
            wide shift = power_of_two(powers, bits);
            __m256i second = _mm256_add_epi8(add_blocks(zero, &bases, 0, top, first),
                                             next_bits(group.high_a, group.high_b, shift));
            __m256i next_a = _mm256_mullo_epi16(group.high_a, shift.a);
            __m256i next_b = _mm256_mullo_epi16(group.high_b, shift.b);
            __m256i more = add_blocks(zero, &counts, 0, top, second);
            states[g] = _mm256_add_epi8(add_blocks(zero, &bases, 0, top, second),
                                        next_bits(next_a, next_b, power_of_two(powers, more)));
            take_bits(&group, powers, _mm256_add_epi8(bits, more));
            groups[g] = group;
            store_symbols(out, add_blocks(zero, &values, 0, top, first),
                          add_blocks(zero, &values, 0, top, second));
        }
    for (unsigned g = 0; g < GROUPS; g++) {
        store_group(&groups[g], g, state);
        store_bytes(states[g], state->state + g * QC_GROUP_LANES);
    }
    state->words = words;
}

QC_AVX2 void qc_lanes_tans_avx2(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    switch (state->code.state_bits) {
    case 5: decode(state, out, turns, 1); break;
    case 6: decode(state, out, turns, 3); break;
    default: decode(state, out, turns, 7); break;
    }
}

#endif /* QC_HAS_AVX2 */
