#include "lanes_avx512.h"

#if QC_HAS_AVX512

QC_AVX512 void qc_lanes_huffman_avx512(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    lane_registers lanes = load_lanes(state);
    const byte_table lengths = load_table(state->table.bits_of);
    const byte_table values = load_table(state->value_of);
    const __m512i second_window = _mm512_set1_epi16(0x7F00);
    const uint8_t *words = state->words;
    for (; turns > 0; turns--, out += QC_LANES_TURN) {
        __m512i first[GROUPS], next[GROUPS], bits[GROUPS];
        words = refill(&lanes, words);
        EACH_GROUP first[g] = _mm512_srli_epi16(lanes.high[g], 9);
        EACH_GROUP bits[g] = look_up_wide(lengths, first[g]);
        EACH_GROUP next[g] = _mm512_shldv_epi16(lanes.high[g], lanes.low[g], bits[g]);
        EACH_GROUP bits[g] =
            _mm512_add_epi16(bits[g], look_up_wide(lengths, _mm512_srli_epi16(next[g], 9)));
        take_bits(&lanes, bits);
        EACH_GROUP
        {
            /* Both windows of a lane, in two bytes: one look-up for 64 symbols, in their order.
               0xF8 is a | (b & c). */
            __m512i windows = _mm512_ternarylogic_epi32(first[g], _mm512_srli_epi16(next[g], 1),
                                                        second_window, 0xF8);
            _mm512_storeu_si512(out + 64 * g, look_up(values, windows));
        }
    }
    state->words = words;
    store_lanes(&lanes, state);
}

#endif /* QC_HAS_AVX512 */
