/*
 * The two passes of lanes_words.c, with 32 lanes in a register.
 */
#include "kernels/x86/lanes_encode_avx512.h"

#if QC_HAS_AVX512

/* Two symbols per lane as one piece: its bits and their number, 16 bits each. */
typedef struct piece {
    __m512i bits, count;
} piece;

typedef struct lane_group {
    __m512i high, low, spare;
} lane_group;

/* Huffman: code bits and lengths by symbol. */
typedef struct code_table {
    symbol_table bits, lengths;
} code_table;

QC_AVX512 static inline __m512i first_of(__m512i pairs)
{
    return _mm512_and_si512(pairs, _mm512_set1_epi16(0xFF));
}

QC_AVX512 static inline __m512i second_of(__m512i pairs) { return _mm512_srli_epi16(pairs, 8); }

/* How many bits each lane of a group takes in a turn. `codes` of NULL is a constant where this and
   what follows is inlined. */
QC_AVX512 static inline __m512i count_taken(qc_lanes_turn_source turn, const code_table *codes,
                                            unsigned group)
{
    if (codes == NULL) {
        const uint8_t *counts = turn.pieces->counts + group * QC_GROUP_LANES;
        return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)counts));
    }
    const uint8_t *symbols = turn.symbols + 64 * group;
    __m512i lengths = look_up(&codes->lengths, _mm512_loadu_si512(symbols));
    return _mm512_add_epi16(first_of(lengths), second_of(lengths));
}

QC_AVX512 static inline piece piece_of(qc_lanes_turn_source turn, const code_table *codes,
                                       unsigned group)
{
    if (codes == NULL) {
        const uint16_t *bits = turn.pieces->bits + group * QC_GROUP_LANES;
        return (piece){_mm512_loadu_si512(bits), count_taken(turn, NULL, group)};
    }
    __m512i symbols = _mm512_loadu_si512(turn.symbols + 64 * group);
    __m512i bits = look_up(&codes->bits, symbols), lengths = look_up(&codes->lengths, symbols);
    __m512i first = _mm512_sllv_epi16(first_of(bits), second_of(lengths));
    return (piece){_mm512_or_si512(first, second_of(bits)),
                   _mm512_add_epi16(first_of(lengths), second_of(lengths))};
}

/* Which lanes take a word before each turn, as one mask per group; returns the number of words. */
QC_AVX512 static inline size_t find_refills(const qc_lanes_source *source, const code_table *codes,
                                            lane_group groups[GROUPS], uint8_t *refills)
{
    size_t words = 0, turns = qc_lanes_turn_count(&source->symbols);
    for (size_t i = 0; i < turns; i++, refills += GROUPS * sizeof(__mmask32)) {
        qc_lanes_turn_source turn = qc_lanes_source_turn(source, i);
        for (unsigned g = 0; g < GROUPS; g++) {
            __m512i spare = groups[g].spare;
            __mmask32 needs = _mm512_movepi16_mask(spare);
            spare = _mm512_mask_add_epi16(spare, needs, spare, _mm512_set1_epi16(16));
            groups[g].spare = _mm512_sub_epi16(spare, count_taken(turn, codes, g));
            memcpy(refills + g * sizeof needs, &needs, sizeof needs);
            words += (unsigned)__builtin_popcount(needs);
        }
    }
    return words;
}

/* Two 16-bit numbers, shifted right; the lower half is left. The instruction takes counts below 16:
   only tANS has others. */
QC_AVX512 static inline __m512i shift_pair(__m512i low, __m512i high, __m512i count, int is_tans)
{
    __m512i shifted = _mm512_shrdv_epi16(low, high, count);
    if (!is_tans)
        return shifted;
    __mmask32 all = _mm512_test_epi16_mask(count, _mm512_set1_epi16(16));
    return _mm512_mask_mov_epi16(shifted, all, high);
}

/* One turn of a group undone: its piece comes in front of what follows, and if a word was taken
   before it, the last 16 bits of all that are that word. Returns the words, for the lanes of
   `needs`. */
QC_AVX512 static inline __m512i undo_turn(lane_group *group, piece piece, __mmask32 needs,
                                          int is_tans)
{
    __m512i high = shift_pair(group->high, piece.bits, piece.count, is_tans);
    __m512i low = shift_pair(group->low, group->high, piece.count, is_tans);
    __m512i spare = _mm512_add_epi16(group->spare, piece.count);
    __m512i shift = _mm512_sub_epi16(_mm512_set1_epi16(16), spare);
    __m512i words = shift_pair(low, high, shift, is_tans);
    __m512i kept = _mm512_sllv_epi16(_mm512_srlv_epi16(high, shift), shift);
    group->high = _mm512_mask_mov_epi16(high, needs, kept);
    group->low = _mm512_mask_mov_epi16(low, needs, _mm512_setzero_si512());
    group->spare = _mm512_mask_sub_epi16(spare, needs, spare, _mm512_set1_epi16(16));
    return words;
}

/* The words of a turn end at `end`; returns where they begin. */
QC_AVX512 static inline uint8_t *write_turn(qc_lanes_turn_source turn, const code_table *codes,
                                            const uint8_t *refills, lane_group groups[GROUPS],
                                            uint8_t *end)
{
    for (unsigned g = GROUPS; g-- > 0;) {
        __mmask32 needs;
        memcpy(&needs, refills + g * sizeof needs, sizeof needs);
        piece piece = piece_of(turn, codes, g);
        __m512i words = undo_turn(&groups[g], piece, needs, codes == NULL);
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

QC_AVX512 static inline uint8_t *write_all(const qc_lanes_source *source, const code_table *codes,
                                           const uint8_t states[QC_LANES], unsigned state_bits,
                                           uint8_t *refills, uint8_t *out)
{
    lane_group groups[GROUPS];
    for (unsigned g = 0; g < GROUPS; g++) {
        groups[g].high = groups[g].low = _mm512_setzero_si512();
        groups[g].spare = _mm512_set1_epi16((short)-(int)state_bits);
    }
    uint8_t *const end = out + 2 * (QC_LANES + find_refills(source, codes, groups, refills));
    uint8_t *at = end;
    for (size_t i = qc_lanes_turn_count(&source->symbols); i-- > 0;)
        at = write_turn(qc_lanes_source_turn(source, i), codes,
                        refills + i * GROUPS * sizeof(__mmask32), groups, at);
    write_first_words(groups, states, state_bits, out);
    return end;
}

QC_AVX512 uint8_t *qc_lanes_write_words_avx512(const qc_lanes_source *source,
                                               const uint8_t states[QC_LANES], unsigned state_bits,
                                               uint8_t *refills, uint8_t *out)
{
    if (source->codes == NULL)
        return write_all(source, NULL, states, state_bits, refills, out);
    const code_table codes = {load_symbols(source->codes->bits),
                              load_symbols(source->codes->lengths)};
    return write_all(source, &codes, states, state_bits, refills, out);
}

#endif /* QC_HAS_AVX512 */
