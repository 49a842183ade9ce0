/*
 * Huffman on lanes in AVX2: values and lengths are looked up by shuffles of 16 entries. Short codes
 * come first in the table, and need only one.
 */
#include "kernels/x86/lanes_avx2.h"

#if QC_HAS_AVX2

/* Codes of at most 4 bits fill half blocks of the windows, and stand before all longer ones: they
   are looked up by 4 bits, and only blocks with longer codes by 7. */
typedef struct huffman_table {
    __m256i by_4_bits;
    cascade by_7_bits;
} huffman_table;

/* The first block with a code of more than 4 bits; BLOCKS if there is none. They all come after
   the shorter ones. */
QC_AVX2 static unsigned lowest_long_block(const qc_lanes_table *table)
{
    unsigned windows = 0;
    for (unsigned at = 0; at < QC_LANES_WINDOWS; at += 32) {
        __m256i bits = _mm256_loadu_si256((const __m256i *)(table->bits_of + at));
        __m256i is_long = _mm256_cmpgt_epi8(bits, _mm256_set1_epi8(4));
        windows += (unsigned)__builtin_popcount((unsigned)_mm256_movemask_epi8(is_long));
    }
    return (QC_LANES_WINDOWS - windows) / BLOCK;
}

QC_AVX2_INLINE void load_huffman_table(const uint8_t bytes[QC_LANES_WINDOWS], unsigned lowest,
                                       huffman_table *table)
{
    uint8_t short_codes[16] = {0};
    for (unsigned i = 0; i < 2 * lowest; i++)
        short_codes[i] = bytes[8 * i];
    table->by_4_bits = twice(_mm_loadu_si128((const __m128i *)short_codes));
    load_cascade(bytes, lowest, BLOCKS - 1, &table->by_7_bits);
}

QC_AVX2_INLINE __m256i look_up(const huffman_table *table, unsigned lowest, __m256i window)
{
    __m256i four = _mm256_and_si256(_mm256_srli_epi16(window, 3), _mm256_set1_epi8(15));
    return add_blocks(_mm256_shuffle_epi8(table->by_4_bits, four), &table->by_7_bits, lowest,
                      BLOCKS - 1, window);
}

QC_AVX2_INLINE __m256i windows(__m256i high_a, __m256i high_b)
{
    return _mm256_packus_epi16(_mm256_srli_epi16(high_a, 9), _mm256_srli_epi16(high_b, 9));
}

/* Codes of at most 2 bits, such as ternary ones: two symbols are looked up at once, by 4 bits. */
typedef struct pair_table {
    __m256i first, second, lengths;
} pair_table;

/* In place of the first block with long codes. */
#define PAIRS (BLOCKS + 1)

static int has_pairs(const qc_lanes_code *code)
{
    return code->counts[0] + code->counts[1] == code->classes;
}

QC_AVX2_INLINE void load_pair_table(const qc_lanes_state *state, pair_table *table)
{
    uint8_t first[16], second[16], lengths[16];
    for (unsigned i = 0; i < 16; i++) {
        unsigned window = 8 * i, length = state->table.bits_of[window];
        first[i] = state->value_of[window];
        window = window << length & (QC_LANES_WINDOWS - 1);
        second[i] = state->value_of[window];
        lengths[i] = (uint8_t)(length + state->table.bits_of[window]);
    }
    table->first = twice(_mm_loadu_si128((const __m128i *)first));
    table->second = twice(_mm_loadu_si128((const __m128i *)second));
    table->lengths = twice(_mm_loadu_si128((const __m128i *)lengths));
}

typedef struct huffman_tables {
    powers powers;
    huffman_table values, lengths;
    pair_table pairs;
} huffman_tables;

QC_AVX2_INLINE void decode_pairs(const huffman_tables *tables, lane_group *group, uint8_t *out)
{
    __m256i window = _mm256_packus_epi16(_mm256_srli_epi16(group->high_a, 12),
                                         _mm256_srli_epi16(group->high_b, 12));
    take_bits(group, tables->powers, _mm256_shuffle_epi8(tables->pairs.lengths, window));
    store_symbols(out, _mm256_shuffle_epi8(tables->pairs.first, window),
                  _mm256_shuffle_epi8(tables->pairs.second, window));
}

/* Two symbols of every lane of a group that was refilled. */
QC_AVX2_INLINE void decode_group(const huffman_tables *tables, unsigned lowest, lane_group *group,
                                 uint8_t *out)
{
    if (lowest == PAIRS) {
        decode_pairs(tables, group, out);
        return;
    }
    __m256i first = windows(group->high_a, group->high_b);
    __m256i bits = look_up(&tables->lengths, lowest, first);
    wide shift = power_of_two_below_8(tables->powers, bits);
    /* Both symbols are within the 16 bits of the window. */
    __m256i second = windows(_mm256_mullo_epi16(group->high_a, shift.a),
                             _mm256_mullo_epi16(group->high_b, shift.b));
    bits = _mm256_add_epi8(bits, look_up(&tables->lengths, lowest, second));
    take_bits(group, tables->powers, bits);
    store_symbols(out, look_up(&tables->values, lowest, first),
                  look_up(&tables->values, lowest, second));
}

/* Groups are refilled two ahead, so that their words have arrived when they are decoded. `lowest`
   is a constant where this is inlined, so that the cascade is unrolled. Values go to `out`, or if
   there is an `items`, to that. */
QC_AVX2_INLINE void decode(qc_lanes_state *state, uint8_t *out, item_writer *items, size_t turns,
                           unsigned lowest)
{
    const powers powers = load_powers();
    const uint8_t *words = state->words;
    huffman_tables tables = {.powers = powers};
    lane_group groups[GROUPS];
    if (lowest == PAIRS) {
        load_pair_table(state, &tables.pairs);
    } else {
        load_huffman_table(state->value_of, lowest, &tables.values);
        load_huffman_table(state->table.bits_of, lowest, &tables.lengths);
    }
    load_groups(state, groups);
    words = refill(&groups[0], powers, words, 0);
    words = refill(&groups[1], powers, words, 0);
    out = items != NULL ? items->values : out;
    for (; turns > 0; turns--) {
        words = refill(&groups[2], powers, words, 0);
        decode_group(&tables, lowest, &groups[0], out);
        words = refill(&groups[3], powers, words, 0);
        decode_group(&tables, lowest, &groups[1], out + 64);
        if (turns > 1)
            words = refill(&groups[0], powers, words, 0);
        decode_group(&tables, lowest, &groups[2], out + 128);
        if (turns > 1)
            words = refill(&groups[1], powers, words, 0);
        decode_group(&tables, lowest, &groups[3], out + 192);
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

QC_AVX2 void qc_lanes_huffman_avx2(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    switch (has_pairs(&state->code) ? PAIRS : lowest_long_block(&state->table)) {
    case PAIRS: decode(state, out, NULL, turns, PAIRS); break;
    case 8: decode(state, out, NULL, turns, 8); break;
    case 7: decode(state, out, NULL, turns, 7); break;
    case 6: decode(state, out, NULL, turns, 6); break;
    case 5: decode(state, out, NULL, turns, 5); break;
    case 4: decode(state, out, NULL, turns, 4); break;
    case 3: decode(state, out, NULL, turns, 3); break;
    case 2: decode(state, out, NULL, turns, 2); break;
    case 1: decode(state, out, NULL, turns, 1); break;
    default: decode(state, out, NULL, turns, 0); break;
    }
}

/* Codes of 16 classes fill no more than 4 blocks with more than 4 bits. */
QC_AVX2 size_t qc_lanes_huffman_items_avx2(qc_lanes_state *state, const qc_item_run *run,
                                           size_t turns)
{
    item_writer items;
    begin_items(&items, run);
    switch (has_pairs(&state->code) ? PAIRS : lowest_long_block(&state->table)) {
    case PAIRS: decode(state, NULL, &items, turns, PAIRS); break;
    case 8: decode(state, NULL, &items, turns, 8); break;
    case 7: decode(state, NULL, &items, turns, 7); break;
    case 6: decode(state, NULL, &items, turns, 6); break;
    default: decode(state, NULL, &items, turns, 4); break;
    }
    end_items(&items, run);
    return turns;
}

#endif /* QC_HAS_AVX2 */
