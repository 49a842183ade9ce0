/*
 * Histograms by sets of bits.
 *
 * Counting by comparison takes one comparison per symbol and value. Here 512 symbols are transposed
 * first: eight registers, of which register b holds bit b of every symbol. The AND of the registers
 * of a set of bits has a one for each symbol that has all bits of the set, and perhaps others; a
 * population count says how many those are: f(set). One AND per set is enough, since a set is a
 * smaller set and one more bit. Sets of the lower four bits and of the upper four are built apart,
 * 16 each, and an AND of one of each gives all 256.
 *
 * A histogram wants g(set), the number of symbols that have exactly these bits. f(set) is the sum
 * of g over all larger sets, so g follows by differences, one bit at a time: what has the bits of
 * the set without bit b is taken away from what may have it or not (Moebius inversion over
 * subsets). That is done once for many symbols, so its cost does not count.
 */
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#define BITS      8
#define HALF_BITS 4
#define HALF_SETS (1u << HALF_BITS)
#define BLOCK     512 /* symbols that are transposed together */
/* Blocks after which the counts, one byte for two bytes of a register, are full. The sets of this
   many blocks stay in the L1 cache. */
#define BLOCKS 15
#define BATCH  ((size_t)BLOCKS * BLOCK)
/* Batches after which their sums, of 16 bits each, are full. */
#define BATCHES 256
/* Ternary logic: the second where the first is 1, else the third. */
#define CHOOSE 0xCA

/* The bits that all symbols of a set have, by set: of the lower four bits and of the upper ones. */
typedef struct block_sets {
    __m512i lower[HALF_SETS], upper[HALF_SETS];
} block_sets;

QC_AVX512 static int all_below(const uint8_t *symbols, size_t count, unsigned limit)
{
    __m512i any = _mm512_setzero_si512();
    for (size_t i = 0; i < count; i += 64)
        any = _mm512_or_si512(any, _mm512_loadu_si512(symbols + i));
    return _mm512_cmpge_epu8_mask(any, _mm512_set1_epi8((char)limit)) == 0;
}

/* Change the places of the bits of `low` that are not in `mask` and those of `high` that are. */
QC_AVX512 static inline void swap_bits(__m512i *low, __m512i *high, unsigned shift, unsigned mask)
{
    const __m512i kept = _mm512_set1_epi8((char)mask);
    __m512i up = _mm512_slli_epi16(*high, shift), down = _mm512_srli_epi16(*low, shift);
    *low = _mm512_ternarylogic_epi64(kept, *low, up, CHOOSE);
    *high = _mm512_ternarylogic_epi64(kept, down, *high, CHOOSE);
}

/* Bit b of byte i of register r becomes bit r of byte i of register b. */
QC_AVX512 static inline void transpose(__m512i registers[BITS])
{
    static const uint8_t masks[] = {0x55, 0x33, 0, 0x0F};
#pragma GCC unroll 3
    for (unsigned shift = 1; shift < BITS; shift *= 2)
#pragma GCC unroll 8
        for (unsigned r = 0; r < BITS; r++)
            if ((r & shift) == 0)
                swap_bits(&registers[r], &registers[r + shift], shift, masks[shift - 1]);
}

QC_AVX512 static inline void and_sets(const __m512i bits[HALF_BITS], __m512i sets[HALF_SETS])
{
    sets[0] = _mm512_set1_epi8(-1);
#pragma GCC unroll 16
    for (unsigned set = 1; set < HALF_SETS; set++) /* one that has a bit less, and that bit */
        sets[set] = _mm512_and_si512(sets[set & (set - 1)], bits[__builtin_ctz(set)]);
}

/* The upper sets only if there are upper bits; there is always the empty one. */
QC_AVX512 static void find_sets(const uint8_t *symbols, unsigned blocks, unsigned width,
                                block_sets sets[BLOCKS])
{
    for (unsigned block = 0; block < blocks; block++, symbols += BLOCK) {
        __m512i bits[BITS];
#pragma GCC unroll 8
        for (unsigned r = 0; r < BITS; r++)
            bits[r] = _mm512_loadu_si512(symbols + 64 * r);
        transpose(bits);
        and_sets(bits, sets[block].lower);
        if (width > HALF_BITS)
            and_sets(bits + HALF_BITS, sets[block].upper);
        else
            sets[block].upper[0] = _mm512_set1_epi8(-1);
    }
}

/* Add how many symbols have all bits of a set `upper`, and of each set of lower bits: apart for 32
   positions. */
QC_AVX512 static inline void count_sets(const block_sets sets[BLOCKS], unsigned blocks,
                                        unsigned upper, __m512i sums[HALF_SETS])
{
    __m512i counts[HALF_SETS];
#pragma GCC unroll 16
    for (unsigned lower = 0; lower < HALF_SETS; lower++)
        counts[lower] = _mm512_setzero_si512();
    for (unsigned block = 0; block < blocks; block++) {
        __m512i also = sets[block].upper[upper];
#pragma GCC unroll 16
        for (unsigned lower = 0; lower < HALF_SETS; lower++) {
            __m512i both = _mm512_and_si512(also, sets[block].lower[lower]);
            counts[lower] = _mm512_add_epi8(counts[lower], _mm512_popcnt_epi8(both));
        }
    }
#pragma GCC unroll 16
    for (unsigned lower = 0; lower < HALF_SETS; lower++) {
        __m256i halves = _mm256_add_epi8(_mm512_castsi512_si256(counts[lower]),
                                         _mm512_extracti64x4_epi64(counts[lower], 1));
        sums[lower] = _mm512_add_epi16(sums[lower], _mm512_cvtepu8_epi16(halves));
    }
}

/* Symbols with all bits of a set: minus those that have one more, bit by bit, they have no other.
 */
static void counts_of_sets(uint64_t counts[1 << BITS], unsigned bits)
{
    for (unsigned bit = 1; bit < 1u << bits; bit *= 2)
        for (unsigned set = 0; set < 1u << bits; set += 2 * bit)
            for (unsigned i = set; i < set + bit; i++)
                counts[i] -= counts[i + bit];
}

/* Every fourth of the sums of a register belongs to the same part. */
QC_AVX512 static void add_sums(const __m512i sums[1 << BITS], unsigned bits, qc_histogram histogram)
{
    for (unsigned part = 0; part < QC_HISTOGRAM_PARTS; part++) {
        uint64_t counts[1 << BITS];
        for (unsigned set = 0; set < 1u << bits; set++) {
            __m512i own = _mm512_srli_epi64(sums[set], 16 * part);
            own = _mm512_and_si512(own, _mm512_set1_epi64(0xFFFF));
            counts[set] = (uint64_t)_mm512_reduce_add_epi64(own);
        }
        counts_of_sets(counts, bits);
        for (unsigned symbol = 0; symbol < 1u << bits; symbol++)
            histogram[part][symbol] += counts[symbol];
    }
}

/* Count whole blocks of symbols of `bits` bits: 4 or more. */
QC_AVX512 static void count_blocks(const uint8_t *symbols, size_t blocks, unsigned bits,
                                   qc_histogram histogram)
{
    block_sets sets[BLOCKS];
    __m512i sums[1 << BITS];
    memset(sums, 0, sizeof *sums << bits);
    for (; blocks > 0; symbols += BATCH) {
        unsigned some = blocks < BLOCKS ? (unsigned)blocks : BLOCKS;
        find_sets(symbols, some, bits, sets);
        for (unsigned upper = 0; upper < 1u << (bits - HALF_BITS); upper++)
            count_sets(sets, some, upper, sums + HALF_SETS * upper);
        blocks -= some;
    }
    add_sums(sums, bits, histogram);
}

QC_AVX512 size_t qc_count_blocks_avx512(const uint8_t *symbols, size_t count, unsigned width,
                                        qc_histogram histogram)
{
    size_t whole = count - count % BLOCK;
    unsigned bits = width < HALF_BITS ? HALF_BITS : width;
    if (bits < BITS && !all_below(symbols, whole, 1u << bits))
        bits = BITS;
    for (size_t at = 0, take; at < whole; at += take) {
        take = whole - at < BATCHES * BATCH ? whole - at : BATCHES * BATCH;
        count_blocks(symbols + at, take / BLOCK, bits, histogram);
    }
    return whole;
}

#endif /* QC_HAS_AVX512 */
