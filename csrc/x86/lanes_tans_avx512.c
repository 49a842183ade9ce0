#include "lanes_avx512.h"

#if QC_HAS_AVX512

/* base_of is a multiple of 2^bits_of: without those zeros the next state is one funnel shift, of
   the bits that follow into the base. */
QC_AVX512 static byte_table load_bases(const qc_lanes_table *table)
{
    uint8_t bases[QC_LANES_TABLE];
    for (unsigned i = 0; i < QC_LANES_TABLE; i++)
        bases[i] = (uint8_t)(table->base_of[i] >> table->bits_of[i]);
    return load_table(bases);
}

QC_AVX512 void qc_lanes_tans_avx512(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    lane_registers lanes = load_lanes(state);
    const byte_table counts = load_table(state->table.bits_of);
    const byte_table bases = load_bases(&state->table);
    const byte_table values = load_table(state->value_of);
    const uint8_t *words = state->words;
    __m512i states[GROUPS];
    EACH_GROUP states[g] = _mm512_cvtepu8_epi16(
        _mm256_loadu_si256((const __m256i *)(state->state + g * QC_GROUP_LANES)));
    for (; turns > 0; turns--, out += QC_LANES_TURN) {
        __m512i first[GROUPS], second[GROUPS], next[GROUPS], bits[GROUPS], base[GROUPS];
        words = refill(&lanes, words);
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
        take_bits(&lanes, bits);
        EACH_GROUP
        {
            __m512i both = _mm512_or_si512(first[g], _mm512_slli_epi16(second[g], 8));
            _mm512_storeu_si512(out + 64 * g, look_up(values, both));
        }
    }
    EACH_GROUP _mm256_storeu_si256((__m256i *)(state->state + g * QC_GROUP_LANES),
                                   _mm512_cvtepi16_epi8(states[g]));
    state->words = words;
    store_lanes(&lanes, state);
}

#endif /* QC_HAS_AVX512 */
