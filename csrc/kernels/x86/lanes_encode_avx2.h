/*
 * What the lanes encoders in AVX2 share: 256 bytes in registers, looked up by shuffles of 16,
 * and how pieces are stored.
 */
#ifndef QC_X86_LANES_ENCODE_AVX2_H
#define QC_X86_LANES_ENCODE_AVX2_H

#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

#define GROUPS QC_LANE_GROUPS
#define BLOCK  16 /* bytes that one shuffle looks up */

/* Bytes by symbol, or by its upper bits if the lower ones (low bits) do not matter: blocks, from
   the first to the last that differ from the last byte of all, as their difference to that. */
typedef struct symbol_table {
    unsigned shift, count;
    __m256i upper_bits, first_symbol, last_byte, blocks[256 / BLOCK];
} symbol_table;

QC_AVX2_INLINE __m256i load_register(const void *bytes)
{
    return _mm256_loadu_si256((const __m256i *)bytes);
}

QC_AVX2_INLINE __m256i load_block(const uint8_t bytes[BLOCK])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)bytes));
}

/* Returns the number of lowest bits of their index that the bytes do not depend on; `folded` gets
   the bytes by the other bits, and after them the last byte. */
static inline unsigned fold(const uint8_t bytes[256], uint8_t folded[256])
{
    unsigned shift = 0;
    for (unsigned differs = 0; differs == 0 && shift < 4; shift += differs == 0)
        for (unsigned i = 0; i < 256; i++)
            differs |= bytes[i] ^ bytes[i & ~(1u << shift)];
    memset(folded, bytes[255], 256);
    for (unsigned i = 0; i < 256u >> shift; i++)
        folded[i] = bytes[i << shift];
    return shift;
}

QC_AVX2_INLINE symbol_table load_symbols(const uint8_t bytes[256])
{
    symbol_table table = {.last_byte = _mm256_set1_epi8((char)bytes[255])};
    uint8_t folded[256];
    table.shift = fold(bytes, folded);
    table.upper_bits = _mm256_set1_epi8((char)(255u >> table.shift));
    for (unsigned at = 0, seen = 0; at < 256; at += BLOCK) {
        __m256i own = _mm256_xor_si256(load_block(folded + at), table.last_byte);
        int differs = !_mm256_testz_si256(own, own);
        if (seen == 0)
            table.first_symbol = _mm256_set1_epi8((char)at);
        table.blocks[seen] = own;
        seen += differs || seen > 0;
        table.count = differs ? seen : table.count;
    }
    return table;
}

/* Symbols of other blocks get their highest bit set, for which a shuffle gives 0. */
QC_AVX2_INLINE __m256i look_up_in_block(__m256i block, __m256i place)
{
    return _mm256_shuffle_epi8(block, _mm256_adds_epu8(place, _mm256_set1_epi8(0x70)));
}

/* There is always one block, and most tables have no other. */
QC_AVX2_INLINE __m256i look_up(const symbol_table *table, __m256i symbols)
{
    if (table->shift > 0)
        symbols =
            _mm256_and_si256(_mm256_srli_epi16(symbols, (int)table->shift), table->upper_bits);
    __m256i place = _mm256_sub_epi8(symbols, table->first_symbol);
    __m256i found = _mm256_xor_si256(table->last_byte, look_up_in_block(table->blocks[0], place));
    for (unsigned block = 1; block < table->count; block++) {
        place = _mm256_sub_epi8(place, _mm256_set1_epi8(BLOCK));
        found = _mm256_xor_si256(found, look_up_in_block(table->blocks[block], place));
    }
    return found;
}

/* From the order of the lanes to that in which packus joins two registers, and back. */
QC_AVX2_INLINE __m256i swap_quarters(__m256i x) { return _mm256_permute4x64_epi64(x, 0xD8); }

/* Of 32 lanes: bits of the first and the last 16, and bytes in the order of packus. */
QC_AVX2_INLINE void store_pieces(qc_lanes_pieces *pieces, unsigned lane, __m256i bits_a,
                                 __m256i bits_b, __m256i counts)
{
    _mm256_storeu_si256((__m256i *)(pieces->bits + lane), bits_a);
    _mm256_storeu_si256((__m256i *)(pieces->bits + lane + 16), bits_b);
    _mm256_storeu_si256((__m256i *)(pieces->counts + lane), swap_quarters(counts));
}

#endif /* QC_HAS_AVX2 */
#endif /* QC_X86_LANES_ENCODE_AVX2_H */
