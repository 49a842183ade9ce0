#include "lanes_avx512.h"

#if QC_HAS_AVX512

QC_AVX512 static __m512i shift_bytes_right(__m512i bytes, __m512i counts)
{
    const __m512i even = _mm512_set1_epi16(0xFF);
    __m512i of_odd = _mm512_srlv_epi16(bytes, _mm512_srli_epi16(counts, 8));
    __m512i of_even =
        _mm512_srlv_epi16(_mm512_and_si512(bytes, even), _mm512_and_si512(counts, even));
    return _mm512_or_si512(_mm512_andnot_si512(even, of_odd), of_even);
}

/* base_of is a multiple of 2^bits_of: without those zeros the next state is one funnel shift, of
   the bits that follow into the base. */
QC_AVX512 static byte_table load_bases(const uint8_t base_of[QC_LANES_TABLE], byte_table counts)
{
    byte_table bases = load_table(base_of);
    return (byte_table){shift_bytes_right(bases.low, counts.low),
                        shift_bytes_right(bases.high, counts.high)};
}

QC_AVX512 void qc_lanes_tans_avx512(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    lane_registers lanes = load_lanes(state);
    lane_needs needs = find_needs(&lanes, 0);
    const byte_table counts = load_table(state->table.bits_of);
    const byte_table bases = load_bases(state->table.base_of, counts);
    const byte_table values = load_table(state->value_of);
    const uint8_t *words = state->words;
    __m512i states[GROUPS];
    EACH_GROUP states[g] = _mm512_cvtepu8_epi16(
        _mm256_loadu_si256((const __m256i *)(state->state + g * QC_GROUP_LANES)));
    for (; turns > 0; turns--, out += QC_LANES_TURN) {
        __m512i first[GROUPS], second[GROUPS], next[GROUPS], bits[GROUPS], base[GROUPS];
        refill(&lanes, &needs, words);
        EACH_GROUP first[g] = states[g];
        EACH_GROUP bits[g] = look_up_wide(counts, first[g]);
        EACH_GROUP base[g] = look_up_wide(bases, first[g]);
        EACH_GROUP next[g] = _mm512_shldv_epi16(lanes.high[g], lanes.low[g], bits[g]);
        EACH_GROUP second[g] = _mm512_shldv_epi16(base[g], lanes.high[g], bits[g]);
        EACH_GROUP
        {
            __m512i more = look_up_wide(counts, second[g]);
            states[g] = _mm512_shldv_epi16(look_up_wide(bases, second[g]), next[g], more);
            bits[g] = _mm512_add_epi16(bits[g], more);
        }
        take_bits(&lanes, bits, &needs);
        EACH_GROUP
        {
            __m512i both = _mm512_or_si512(first[g], _mm512_slli_epi16(second[g], 8));
            _mm512_storeu_si512(out + 64 * g, look_up(values, both));
        }
    }
    EACH_GROUP _mm256_storeu_si256((__m256i *)(state->state + g * QC_GROUP_LANES),
                                   _mm512_cvtepi16_epi8(states[g]));
    state->words = words + needs.words[0];
    store_lanes(&lanes, state);
}

#endif /* QC_HAS_AVX512 */
