/*
 * The two passes of lanes_words.c in AVX2: codes are looked up by shuffles, 16 at a time; buffers
 * are 32-bit numbers, eight lanes (an octet) in a register.
 */
#include "kernels/x86/lanes_encode_avx2.h"

#if QC_HAS_AVX2

#define OCTETS (QC_LANES / 8)

/* What 8 lanes hold: the lowest `count` of their bits are still to be read. */
typedef struct octet {
    __m256i bits, count;
} octet;

/* Huffman: code bits and lengths by symbol. */
typedef struct code_table {
    symbol_table bits, lengths;
} code_table;

/* By a set of eight lanes: the shuffle that puts their words, in order, at the end. */
typedef uint8_t compress_table[256][16];

static void build_compress_table(compress_table table)
{
    memset(table, 0, sizeof(compress_table));
    for (unsigned set = 0; set < 256; set++)
        for (unsigned lane = 8, at = 16; lane-- > 0;)
            if (set >> lane & 1) {
                table[set][--at] = (uint8_t)(2 * lane + 1);
                table[set][--at] = (uint8_t)(2 * lane);
            }
}

/* Both lengths of each of 16 lanes, added. */
QC_AVX2 static inline __m256i add_pairs(__m256i lengths)
{
    return _mm256_maddubs_epi16(lengths, _mm256_set1_epi8(1));
}

/* How many bits each lane of a group takes in a turn. `codes` of NULL is a constant where this is
   inlined. */
QC_AVX2_INLINE __m256i count_taken(qc_lanes_turn_source turn, const code_table *codes,
                                   unsigned lane)
{
    if (codes == NULL)
        return load_register(turn.pieces->counts + lane);
    const uint8_t *symbols = turn.symbols + 2 * lane;
    __m256i low = add_pairs(look_up(&codes->lengths, load_register(symbols)));
    __m256i high = add_pairs(look_up(&codes->lengths, load_register(symbols + 32)));
    return _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xD8);
}

/* Which lanes take a word before each turn, as one bit each; returns the number of words. */
QC_AVX2_INLINE size_t find_refills(const qc_lanes_source *source, const code_table *codes,
                                   __m256i spares[GROUPS], uint8_t *refills)
{
    size_t words = 0, turns = qc_lanes_turn_count(&source->symbols);
    for (size_t i = 0; i < turns; i++, refills += OCTETS) {
        qc_lanes_turn_source turn = qc_lanes_source_turn(source, i);
        for (unsigned g = 0; g < GROUPS; g++) {
            __m256i taken = count_taken(turn, codes, g * QC_GROUP_LANES);
            __m256i negative = _mm256_cmpgt_epi8(_mm256_setzero_si256(), spares[g]);
            __m256i more = _mm256_and_si256(negative, _mm256_set1_epi8(16));
            uint32_t needs = (uint32_t)_mm256_movemask_epi8(negative);
            spares[g] = _mm256_sub_epi8(_mm256_add_epi8(spares[g], more), taken);
            memcpy(refills + g * sizeof needs, &needs, sizeof needs);
            words += (unsigned)__builtin_popcount(needs);
        }
    }
    return words;
}

/* The pieces of 16 lanes in a turn: bits and their number, 16 bits each. */
typedef struct piece {
    __m256i bits, count;
} piece;

QC_AVX2_INLINE piece piece_of(qc_lanes_turn_source turn, const code_table *codes, unsigned lane)
{
    if (codes == NULL) {
        const __m128i *counts = (const __m128i *)(turn.pieces->counts + lane);
        return (piece){load_register(turn.pieces->bits + lane),
                       _mm256_cvtepu8_epi16(_mm_loadu_si128(counts))};
    }
    const __m256i powers = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0));
    __m256i symbols = load_register(turn.symbols + 2 * lane);
    __m256i bits = look_up(&codes->bits, symbols), lengths = look_up(&codes->lengths, symbols);
    /* The first code times 2^(length of the second), plus the second. */
    __m256i factors = _mm256_shuffle_epi8(powers, _mm256_srli_epi16(lengths, 8));
    return (piece){_mm256_maddubs_epi16(factors, bits), add_pairs(lengths)};
}

/* Put pieces in front of what 8 lanes hold; lanes of `needs` then give their last word back.
   Returns the last words of all of them. */
QC_AVX2 static inline __m128i undo_piece(octet *octet, __m128i bits, __m128i count, unsigned needs)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i given = _mm256_srlv_epi32(_mm256_set1_epi32((int)(needs << 4)), lanes);
    __m256i shift = _mm256_and_si256(given, _mm256_set1_epi32(16));
    __m256i added = _mm256_sllv_epi32(_mm256_cvtepu16_epi32(bits), octet->count);
    __m256i all = _mm256_or_si256(octet->bits, added);
    __m256i last = _mm256_and_si256(all, _mm256_set1_epi32(0xFFFF));
    octet->bits = _mm256_srlv_epi32(all, shift);
    octet->count =
        _mm256_sub_epi32(_mm256_add_epi32(octet->count, _mm256_cvtepu16_epi32(count)), shift);
    return _mm_packus_epi32(_mm256_castsi256_si128(last), _mm256_extracti128_si256(last, 1));
}

/* What is stored before the words is overwritten by the words before them. */
QC_AVX2 static inline uint8_t *write_words(__m128i words, unsigned needs,
                                           const compress_table compress, uint8_t *end)
{
    __m128i order = _mm_loadu_si128((const __m128i *)compress[needs]);
    _mm_storeu_si128((__m128i *)(end - 16), _mm_shuffle_epi8(words, order));
    return end - 2 * (unsigned)__builtin_popcount(needs);
}

/* The words of a turn end at `end`; returns where they begin. */
QC_AVX2_INLINE uint8_t *write_turn(qc_lanes_turn_source turn, const code_table *codes,
                                   const uint8_t refills[OCTETS], const compress_table compress,
                                   octet octets[OCTETS], uint8_t *end)
{
    for (unsigned i = OCTETS; i > 0; i -= 2) {
        piece piece = piece_of(turn, codes, 8 * (i - 2));
        __m128i words = undo_piece(&octets[i - 1], _mm256_extracti128_si256(piece.bits, 1),
                                   _mm256_extracti128_si256(piece.count, 1), refills[i - 1]);
        end = write_words(words, refills[i - 1], compress, end);
        words = undo_piece(&octets[i - 2], _mm256_castsi256_si128(piece.bits),
                           _mm256_castsi256_si128(piece.count), refills[i - 2]);
        end = write_words(words, refills[i - 2], compress, end);
    }
    return end;
}

/* The first word of each lane begins with its state. */
QC_AVX2 static void write_first_words(const octet octets[OCTETS], const uint8_t states[QC_LANES],
                                      uint8_t *out)
{
    for (unsigned i = 0; i < OCTETS; i++) {
        __m256i state = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(states + 8 * i)));
        state = _mm256_sllv_epi32(state, octets[i].count);
        state = _mm256_or_si256(state, octets[i].bits);
        _mm_storeu_si128(
            (__m128i *)(out + 16 * i),
            _mm_packus_epi32(_mm256_castsi256_si128(state), _mm256_extracti128_si256(state, 1)));
    }
}

QC_AVX2_INLINE uint8_t *write_all(const qc_lanes_source *source, const code_table *codes,
                                  const uint8_t states[QC_LANES], unsigned state_bits,
                                  uint8_t *refills, uint8_t *out)
{
    compress_table compress;
    octet octets[OCTETS];
    __m256i spares[GROUPS];
    int8_t spare[QC_LANES];
    build_compress_table(compress);
    for (unsigned g = 0; g < GROUPS; g++)
        spares[g] = _mm256_set1_epi8((char)-(int)state_bits);
    uint8_t *const end = out + 2 * (QC_LANES + find_refills(source, codes, spares, refills));
    memcpy(spare, spares, sizeof spare);
    for (unsigned i = 0; i < OCTETS; i++) {
        __m128i eight = _mm_loadl_epi64((const __m128i *)(spare + 8 * i));
        octets[i].bits = _mm256_setzero_si256();
        octets[i].count = _mm256_add_epi32(_mm256_cvtepi8_epi32(eight), _mm256_set1_epi32(16));
    }
    uint8_t *at = end;
    for (size_t i = qc_lanes_turn_count(&source->symbols); i-- > 0;)
        at = write_turn(qc_lanes_source_turn(source, i), codes, refills + i * OCTETS, compress,
                        octets, at);
    write_first_words(octets, states, out);
    return end;
}

QC_AVX2 uint8_t *qc_lanes_write_words_avx2(const qc_lanes_source *source,
                                           const uint8_t states[QC_LANES], unsigned state_bits,
                                           uint8_t *refills, uint8_t *out)
{
    if (source->codes == NULL)
        return write_all(source, NULL, states, state_bits, refills, out);
    const code_table codes = {load_symbols(source->codes->bits),
                              load_symbols(source->codes->lengths)};
    return write_all(source, &codes, states, state_bits, refills, out);
}

#endif /* QC_HAS_AVX2 */
