#include "lanes_avx2.h"

#if QC_HAS_AVX2

/* Codes of at most 4 bits fill half blocks of the windows, and stand before all longer ones: they
   are looked up by 4 bits, and only blocks with longer codes by 7. */
typedef struct huffman_table {
    __m256i by_4_bits;
    cascade by_7_bits;
} huffman_table;

/* The first block with a code of more than 4 bits; BLOCKS if there is none. */
static unsigned lowest_long_block(const qc_lanes_table *table)
{
    unsigned window = 0;
    while (window < QC_LANES_TABLE && table->bits_of[window] <= 4)
        window++;
    return window / BLOCK;
}

QC_AVX2 static void load_huffman_table(const uint8_t bytes[QC_LANES_TABLE], unsigned lowest,
                                       huffman_table *table)
{
    uint8_t short_codes[16] = {0};
    for (unsigned i = 0; i < 2 * lowest; i++)
        short_codes[i] = bytes[8 * i];
    table->by_4_bits = twice(_mm_loadu_si128((const __m128i *)short_codes));
    load_cascade(bytes, lowest, BLOCKS - 1, &table->by_7_bits);
}

QC_AVX2 static inline __m256i look_up(const huffman_table *table, unsigned lowest, __m256i window)
{
    __m256i four = _mm256_and_si256(_mm256_srli_epi16(window, 3), _mm256_set1_epi8(15));
    return add_blocks(_mm256_shuffle_epi8(table->by_4_bits, four), &table->by_7_bits, lowest,
                      BLOCKS - 1, window);
}

QC_AVX2 static inline __m256i windows(__m256i high_a, __m256i high_b)
{
    return _mm256_packus_epi16(_mm256_srli_epi16(high_a, 9), _mm256_srli_epi16(high_b, 9));
}

/* `lowest` is a constant where this is inlined, so that the cascade is unrolled. */
QC_AVX2 static inline __attribute__((always_inline)) void
decode(qc_lanes_state *state, uint8_t *out, size_t turns, unsigned lowest)
{
    const powers powers = load_powers();
    const uint8_t *words = state->words;
    huffman_table values, lengths;
    lane_group groups[GROUPS];
    load_huffman_table(state->value_of, lowest, &values);
    load_huffman_table(state->table.bits_of, lowest, &lengths);
    for (unsigned g = 0; g < GROUPS; g++)
        load_group(state, g, &groups[g]);
    for (; turns > 0; turns--)
        for (unsigned g = 0; g < GROUPS; g++, out += 2 * QC_GROUP_LANES) {
            lane_group group = groups[g];
            words = refill(&group, powers, words);
            __m256i first = windows(group.high_a, group.high_b);
            __m256i bits = look_up(&lengths, lowest, first);
            wide shift = power_of_two(powers, bits);
            /* Both symbols lie within the 16 bits of the window. */
            __m256i second = windows(_mm256_mullo_epi16(group.high_a, shift.a),
                                     _mm256_mullo_epi16(group.high_b, shift.b));
            bits = _mm256_add_epi8(bits, look_up(&lengths, lowest, second));
            take_bits(&group, powers, bits);
            groups[g] = group;
            store_symbols(out, look_up(&values, lowest, first), look_up(&values, lowest, second));
        }
    for (unsigned g = 0; g < GROUPS; g++)
        store_group(&groups[g], g, state);
    state->words = words;
}

QC_AVX2 void qc_lanes_huffman_avx2(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    switch (lowest_long_block(&state->table)) {
    case 8: decode(state, out, turns, 8); break;
    case 7: decode(state, out, turns, 7); break;
    case 6: decode(state, out, turns, 6); break;
    case 5: decode(state, out, turns, 5); break;
    case 4: decode(state, out, turns, 4); break;
    case 3: decode(state, out, turns, 3); break;
    case 2: decode(state, out, turns, 2); break;
    case 1: decode(state, out, turns, 1); break;
    default: decode(state, out, turns, 0); break;
    }
}

#endif /* QC_HAS_AVX2 */
