/*
 * The two passes of lanes_words.c, with 32 lanes in a register.
 */
#include "lanes_encode_avx512.h"

#if QC_HAS_AVX512

/* Two symbols a lane as one piece: its bits and their number, 16 bits each. */
typedef struct piece {
    __m512i bits, count;
} piece;

typedef struct lane_group {
    __m512i high, low, spare;
} lane_group;

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

/* Which lanes take a word before each turn, as a mask a group; returns how many words that are. */
QC_AVX512 static size_t find_refills(const qc_lanes_turns *turns, const qc_lanes_pieces *pieces,
                                     lane_group groups[GROUPS], uint8_t *refills)
{
    const symbol_table counts = load_symbols(pieces->counts);
    size_t words = 0, all = turns->whole + (turns->last != NULL);
    for (size_t turn = 0; turn < all; turn++, refills += GROUPS * sizeof(__mmask32)) {
        const uint8_t *from = qc_lanes_turn(turns, turn);
        for (unsigned g = 0; g < GROUPS; g++) {
            __m512i spare = groups[g].spare;
            __mmask32 needs = _mm512_movepi16_mask(spare);
            spare = _mm512_mask_add_epi16(spare, needs, spare, _mm512_set1_epi16(16));
            groups[g].spare =
                _mm512_sub_epi16(spare, count_of(&counts, _mm512_loadu_si512(from + 64 * g)));
            memcpy(refills + g * sizeof needs, &needs, sizeof needs);
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

/* The words of a turn end at `end`; returns where they begin. */
QC_AVX512 static inline uint8_t *write_turn(const uint8_t *turn, const uint8_t *refills,
                                            const symbol_table *bits, const symbol_table *counts,
                                            lane_group groups[GROUPS], uint8_t *end)
{
    for (unsigned g = GROUPS; g-- > 0;) {
        __mmask32 needs;
        memcpy(&needs, refills + g * sizeof needs, sizeof needs);
        piece piece = piece_of(bits, counts, _mm512_loadu_si512(turn + 64 * g));
        __m512i words = undo_turn(&groups[g], piece, needs);
        unsigned count = (unsigned)__builtin_popcount(needs);
        end -= 2 * count;
        _mm512_mask_storeu_epi16(end, (__mmask32)(((uint64_t)1 << count) - 1),
                                 _mm512_maskz_compress_epi16(needs, words));
    }
    return end;
}

/* The first word of each lane begins with its state. */
QC_AVX512 static void write_first_words(const lane_group groups[GROUPS],
                                        const uint8_t states[QC_LANES], unsigned state_bits,
                                        uint8_t *out)
{
    const __m512i count = _mm512_set1_epi16((short)state_bits);
    for (unsigned g = 0; g < GROUPS; g++) {
        __m512i state = _mm512_cvtepu8_epi16(
            _mm256_loadu_si256((const __m256i *)(states + g * QC_GROUP_LANES)));
        _mm512_storeu_si512(out + 64 * g, _mm512_shrdv_epi16(groups[g].high, state, count));
    }
}

QC_AVX512 uint8_t *qc_lanes_words_avx512(const qc_lanes_turns *turns, const qc_lanes_pieces *pieces,
                                         const uint8_t states[QC_LANES], unsigned state_bits,
                                         uint8_t *refills, uint8_t *out)
{
    const symbol_table bits = load_symbols(pieces->bits), counts = load_symbols(pieces->counts);
    lane_group groups[GROUPS];
    for (unsigned g = 0; g < GROUPS; g++) {
        groups[g].high = groups[g].low = _mm512_setzero_si512();
        groups[g].spare = _mm512_set1_epi16((short)-(int)state_bits);
    }
    uint8_t *const end = out + 2 * (QC_LANES + find_refills(turns, pieces, groups, refills));
    uint8_t *at = end;
    for (size_t turn = turns->whole + (turns->last != NULL); turn-- > 0;)
        at = write_turn(qc_lanes_turn(turns, turn), refills + turn * GROUPS * sizeof(__mmask32),
                        &bits, &counts, groups, at);
    write_first_words(groups, states, state_bits, out);
    return end;
}

#endif /* QC_HAS_AVX512 */
