/*
 * Huffman on lanes in AVX-512: one permutation looks up 64 windows of 7 bits.
 */
#include "kernels/x86/lanes_avx512.h"

#if QC_HAS_AVX512

/* 9 - length: the shift that takes the 16 bits that begin with the first window to the second. It
   is the only operation between the two look-ups, as these ignore all bits above the lowest 7. */
QC_AVX512 static byte_table load_shifts(const uint8_t bits_of[QC_LANES_WINDOWS])
{
    const byte_table lengths = load_table(bits_of);
    const __m512i max = _mm512_set1_epi8(9);
    return (byte_table){_mm512_sub_epi8(max, lengths.low), _mm512_sub_epi8(max, lengths.high)};
}

/* `size` and `past_cache`: of write_values. */
QC_AVX512_INLINE void decode(qc_lanes_state *state, item_writer *writer, size_t turns, size_t size,
                             int past_cache)
{
    lane_registers lanes = load_lanes(state);
    lane_needs needs = find_needs(&lanes, 0);
    const byte_table shifts = load_shifts(state->table.bits_of);
    const byte_table values = load_table(state->value_of);
    const __m512i two_shifts = _mm512_set1_epi16(2 * 9);
    const uint8_t *words = state->words;
    for (; turns > 0; turns--) {
        __m512i first[GROUPS], second[GROUPS], shift[GROUPS], bits[GROUPS];
        if (size > 1)
            qc_prefetch(words + needs.words[0], QC_LANES_TURN_BYTES, state->words_end);
        refill(&lanes, &needs, words);
        EACH_GROUP first[g] = _mm512_srli_epi16(lanes.high[g], 9);
        EACH_GROUP shift[g] = look_up_wide(shifts, first[g]);
        EACH_GROUP second[g] = _mm512_srlv_epi16(lanes.high[g], shift[g]);
        EACH_GROUP bits[g] = _mm512_sub_epi16(two_shifts, shift[g]);
        EACH_GROUP bits[g] = _mm512_sub_epi16(bits[g], look_up_wide(shifts, second[g]));
        take_bits(&lanes, bits, &needs);
        EACH_GROUP
        {
            /* Both windows of a lane, in two bytes: one look-up for 64 symbols, in their order. */
            __m512i windows = _mm512_or_si512(first[g], _mm512_slli_epi16(second[g], 8));
            write_values(writer, look_up(values, windows), size, past_cache);
        }
    }
    state->words = words + needs.words[0];
    store_lanes(&lanes, state);
}

QC_AVX512 void qc_lanes_huffman_avx512(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    item_writer writer = write_values_to(out);
    decode(state, &writer, turns, 1, 0);
}

QC_AVX512 size_t qc_lanes_huffman_items_avx512(qc_lanes_state *state, const qc_item_run *run,
                                               size_t turns)
{
    item_writer writer = write_items_to(run);
    if (run->table->item_size == 4 && run->past_cache)
        decode(state, &writer, turns, 4, 1);
    else if (run->table->item_size == 4)
        decode(state, &writer, turns, 4, 0);
    else if (run->past_cache)
        decode(state, &writer, turns, 2, 1);
    else
        decode(state, &writer, turns, 2, 0);
    keep_values(&writer, run);
    return turns;
}

#endif /* QC_HAS_AVX512 */
