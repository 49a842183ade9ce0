/*
 * tANS on lanes in AVX-512: everything is looked up by the state, 64 at a time.
 */
#include "kernels/x86/lanes_avx512.h"

#if QC_HAS_AVX512

QC_AVX512 static __m512i shift_bytes_right(__m512i bytes, __m512i counts)
{
    const __m512i even = _mm512_set1_epi16(0xFF);
    __m512i of_odd = _mm512_srlv_epi16(bytes, _mm512_srli_epi16(counts, 8));
    __m512i of_even =
        _mm512_srlv_epi16(_mm512_and_si512(bytes, even), _mm512_and_si512(counts, even));
    return _mm512_or_si512(_mm512_andnot_si512(even, of_odd), of_even);
}

/* Bytes by state; `upper` by those from 128 on. */
typedef struct state_table {
    byte_table lower, upper;
} state_table;

QC_AVX512 static state_table load_states(const uint8_t bytes[QC_LANES_TABLE])
{
    return (state_table){load_table(bytes), load_table(bytes + 128)};
}

/* base_of is a multiple of 2^bits_of: without those zeros the next state is one funnel shift, of
   the bits that follow into the base. */
QC_AVX512 static state_table load_bases(const uint8_t base_of[QC_LANES_TABLE], state_table counts)
{
    state_table bases = load_states(base_of);
    bases.lower.low = shift_bytes_right(bases.lower.low, counts.lower.low);
    bases.lower.high = shift_bytes_right(bases.lower.high, counts.lower.high);
    bases.upper.low = shift_bytes_right(bases.upper.low, counts.upper.low);
    bases.upper.high = shift_bytes_right(bases.upper.high, counts.upper.high);
    return bases;
}

/* For the low byte of every 16-bit number; `wide`: there are 256 states. */
QC_AVX512 static inline __m512i of_states(const state_table *table, __m512i states, int wide)
{
    __m512i found = look_up_wide(table->lower, states);
    if (!wide)
        return found;
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(states), found,
                                  look_up_wide(table->upper, states));
}

/* Of 64 states. */
QC_AVX512 static inline __m512i values_of(const state_table *table, __m512i states, int wide)
{
    __m512i found = look_up(table->lower, states);
    if (!wide)
        return found;
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(states), found,
                                  look_up(table->upper, states));
}

/* `size` and `past_cache`: of write_values. */
QC_AVX512_INLINE void decode(qc_lanes_state *state, item_writer *writer, size_t turns, int wide,
                             size_t size, int past_cache)
{
    lane_registers lanes = load_lanes(state);
    lane_needs needs = find_needs(&lanes, 0);
    const state_table counts = load_states(state->table.bits_of);
    const state_table bases = load_bases(state->table.base_of, counts);
    const state_table values = load_states(state->value_of);
    const uint8_t *words = state->words;
    __m512i states[GROUPS];
    EACH_GROUP states[g] = _mm512_cvtepu8_epi16(
        _mm256_loadu_si256((const __m256i *)(state->state + g * QC_GROUP_LANES)));
    for (; turns > 0; turns--) {
        __m512i first[GROUPS], second[GROUPS], next[GROUPS], base[GROUPS];
        __m512i bits[GROUPS], more[GROUPS];
        if (size > 1)
            qc_prefetch(words + needs.words[0], QC_LANES_TURN_BYTES, state->words_end);
        refill(&lanes, &needs, words);
        EACH_GROUP first[g] = states[g];
        EACH_GROUP bits[g] = of_states(&counts, first[g], wide);
        EACH_GROUP base[g] = of_states(&bases, first[g], wide);
        EACH_GROUP next[g] = _mm512_shldv_epi16(lanes.high[g], lanes.low[g], bits[g]);
        EACH_GROUP second[g] = _mm512_shldv_epi16(base[g], lanes.high[g], bits[g]);
        EACH_GROUP
        {
            more[g] = of_states(&counts, second[g], wide);
            states[g] = _mm512_shldv_epi16(of_states(&bases, second[g], wide), next[g], more[g]);
        }
        if (wide) {
            take_bits_twice(&lanes, next, bits, more, &needs);
        } else {
            EACH_GROUP bits[g] = _mm512_add_epi16(bits[g], more[g]);
            take_bits(&lanes, bits, &needs);
        }
        EACH_GROUP
        {
            __m512i both = _mm512_or_si512(first[g], _mm512_slli_epi16(second[g], 8));
            write_values(writer, values_of(&values, both, wide), size, past_cache);
        }
    }
    EACH_GROUP _mm256_storeu_si256((__m256i *)(state->state + g * QC_GROUP_LANES),
                                   _mm512_cvtepi16_epi8(states[g]));
    state->words = words + needs.words[0];
    store_lanes(&lanes, state);
}

QC_AVX512 void qc_lanes_tans_avx512(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    item_writer writer = write_values_to(out);
    if (state->code.state_bits == QC_TANS_MAX_LOG)
        decode(state, &writer, turns, 1, 1, 0);
    else
        decode(state, &writer, turns, 0, 1, 0);
}

QC_AVX512_INLINE void decode_items(qc_lanes_state *state, item_writer *writer, size_t turns,
                                   int wide, size_t size, int past_cache)
{
    if (size == 4 && past_cache)
        decode(state, writer, turns, wide, 4, 1);
    else if (size == 4)
        decode(state, writer, turns, wide, 4, 0);
    else if (past_cache)
        decode(state, writer, turns, wide, 2, 1);
    else
        decode(state, writer, turns, wide, 2, 0);
}

QC_AVX512 size_t qc_lanes_tans_items_avx512(qc_lanes_state *state, const qc_item_run *run,
                                            size_t turns)
{
    item_writer writer = write_items_to(run);
    size_t size = run->table->item_size;
    if (state->code.state_bits == QC_TANS_MAX_LOG)
        decode_items(state, &writer, turns, 1, size, run->past_cache);
    else
        decode_items(state, &writer, turns, 0, size, run->past_cache);
    keep_values(&writer, run);
    return turns;
}

#endif /* QC_HAS_AVX512 */
