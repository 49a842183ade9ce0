/*
 * Words of lanes Huffman: a pass forward over the lengths finds out when each lane will take a
 * word, a pass backward, in which the bits that follow are always known, gives the words.
 */
#include "../lanes_encode.h"
#include "avx512.h"

#if QC_HAS_AVX512

#define GROUPS QC_LANE_GROUPS

/* 256 bytes that are looked up by symbol. */
typedef struct symbol_table {
    __m512i quarter[4];
} symbol_table;

/* Two symbols a lane as one piece: its bits and their number, 16 bits each. */
typedef struct piece {
    __m512i bits, count;
} piece;

typedef struct lane_group {
    __m512i high, low, spare;
} lane_group;

QC_AVX512 static inline symbol_table load_symbols(const uint8_t bytes[256])
{
    symbol_table table;
    for (unsigned i = 0; i < 4; i++)
        table.quarter[i] = _mm512_loadu_si512(bytes + 64 * i);
    return table;
}

QC_AVX512 static inline __m512i look_up(const symbol_table *table, __m512i symbols)
{
    __m512i low = _mm512_permutex2var_epi8(table->quarter[0], symbols, table->quarter[1]);
    __m512i high = _mm512_permutex2var_epi8(table->quarter[2], symbols, table->quarter[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(symbols), low, high);
}

QC_AVX512 static inline __m512i first_of(__m512i pairs)
{
    return _mm512_and_si512(pairs, _mm512_set1_epi16(0xFF));
}

QC_AVX512 static inline __m512i second_of(__m512i pairs) { return _mm512_srli_epi16(pairs, 8); }

QC_AVX512 static inline __m512i count_of(const symbol_table *counts, __m512i symbols)
{
    __m512i count = look_up(counts, symbols);
    return _mm512_add_epi16(first_of(count), second_of(count));
}

QC_AVX512 static inline piece piece_of(const symbol_table *bits, const symbol_table *counts,
                                       __m512i symbols)
{
    __m512i bit = look_up(bits, symbols), count = look_up(counts, symbols);
    __m512i first = _mm512_sllv_epi16(first_of(bit), second_of(count));
    return (piece){_mm512_or_si512(first, second_of(bit)),
                   _mm512_add_epi16(first_of(count), second_of(count))};
}

/* Which lanes take a word before each turn; returns how many words that are. */
QC_AVX512 static size_t find_refills(const uint8_t *symbols, size_t turns, const uint8_t *last,
                                     const qc_lanes_pieces *pieces, lane_group *groups,
                                     uint32_t *refills)
{
    const symbol_table counts = load_symbols(pieces->counts);
    size_t words = 0, all = turns + (last != NULL);
    for (unsigned g = 0; g < GROUPS; g++)
        groups[g].spare = _mm512_setzero_si512();
    for (size_t turn = 0; turn < all; turn++, refills += GROUPS) {
        const uint8_t *from = turn < turns ? symbols + turn * QC_LANES_TURN : last;
        for (unsigned g = 0; g < GROUPS; g++) {
            __m512i spare = groups[g].spare;
            __mmask32 needs = _mm512_movepi16_mask(spare);
            spare = _mm512_mask_add_epi16(spare, needs, spare, _mm512_set1_epi16(16));
            groups[g].spare =
                _mm512_sub_epi16(spare, count_of(&counts, _mm512_loadu_si512(from + 64 * g)));
            refills[g] = needs;
            words += (unsigned)__builtin_popcount(needs);
        }
    }
    return words;
}

/* One turn of a group undone: its piece comes in front of what follows, and if a word was taken
   before it, the last 16 bits of all that are that word. Returns the words, for the lanes of
   `needs`. */
QC_AVX512 static inline __m512i undo_turn(lane_group *group, piece piece, __mmask32 needs)
{
    __m512i high = _mm512_shrdv_epi16(group->high, piece.bits, piece.count);
    __m512i low = _mm512_shrdv_epi16(group->low, group->high, piece.count);
    __m512i spare = _mm512_add_epi16(group->spare, piece.count);
    __m512i shift = _mm512_sub_epi16(_mm512_set1_epi16(16), spare);
    __m512i words = _mm512_shrdv_epi16(low, high, shift);
    __m512i kept = _mm512_sllv_epi16(_mm512_srlv_epi16(high, shift), shift);
    group->high = _mm512_mask_mov_epi16(high, needs, kept);
    group->low = _mm512_mask_mov_epi16(low, needs, _mm512_setzero_si512());
    group->spare = _mm512_mask_sub_epi16(spare, needs, spare, _mm512_set1_epi16(16));
    return words;
}

QC_AVX512 uint8_t *qc_lanes_huffman_words_avx512(const uint8_t *symbols, size_t turns,
                                                 const uint8_t *last, const qc_lanes_pieces *pieces,
                                                 uint32_t *refills, uint8_t *out)
{
    const symbol_table bits = load_symbols(pieces->bits), counts = load_symbols(pieces->counts);
    lane_group groups[GROUPS];
    size_t words = find_refills(symbols, turns, last, pieces, groups, refills);
    uint8_t *const end = out + 2 * (QC_LANES + words), *at = end;
    for (unsigned g = 0; g < GROUPS; g++)
        groups[g].high = groups[g].low = _mm512_setzero_si512();
    for (size_t turn = turns + (last != NULL); turn-- > 0;) {
        const uint8_t *from = turn < turns ? symbols + turn * QC_LANES_TURN : last;
        for (unsigned g = GROUPS; g-- > 0;) {
            __mmask32 needs = refills[turn * GROUPS + g];
            piece piece = piece_of(&bits, &counts, _mm512_loadu_si512(from + 64 * g));
            __m512i word = undo_turn(&groups[g], piece, needs);
            unsigned count = (unsigned)__builtin_popcount(needs);
            at -= 2 * count;
            _mm512_mask_storeu_epi16(at, (__mmask32)(((uint64_t)1 << count) - 1),
                                     _mm512_maskz_compress_epi16(needs, word));
        }
    }
    for (unsigned g = 0; g < GROUPS; g++)
        _mm512_storeu_si512(out + 64 * g, groups[g].high);
    return end;
}

#endif /* QC_HAS_AVX512 */
