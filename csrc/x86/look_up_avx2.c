/*
 * Up to 16 items of four bytes are two registers that are permuted by the codes. Of more items,
 * and of those of two bytes, each plane of bytes is looked up by itself, 16 items at a time, and
 * the planes are joined. That costs ten instructions for each 16 items, so from some number of
 * items on single loads are faster.
 */
#include "../value_kernels.h"
#include "interleave_avx2.h"

#if QC_HAS_AVX2

#define MOST_ENTRIES 128

INLINE_AVX2 void store(uint8_t *out, __m256i items, int past_cache)
{
    if (past_cache)
        _mm256_stream_si256((__m256i *)out, items);
    else
        _mm256_storeu_si256((__m256i *)out, items);
}

INLINE_AVX2 __m256i load_row(const uint8_t *row)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)row));
}

/* The bytes of 32 codes in each of `size` planes. */
INLINE_AVX2 void look_up_planes(const qc_look_up_table *table, unsigned size, __m256i codes,
                                __m256i *bytes)
{
    for (unsigned byte = 0; byte < size; byte++)
        bytes[byte] = _mm256_setzero_si256();
    for (unsigned first = 0; first < table->entries; first += 16) {
        /* The sum has its top bit set, for which the shuffle gives 0, unless the code is one of
           these 16. */
        __m256i index = _mm256_adds_epu8(_mm256_sub_epi8(codes, _mm256_set1_epi8((char)first)),
                                         _mm256_set1_epi8(0x70));
        for (unsigned byte = 0; byte < size; byte++)
            bytes[byte] = _mm256_or_si256(
                bytes[byte], _mm256_shuffle_epi8(load_row(table->planes[byte] + first), index));
    }
}

INLINE_AVX2 size_t by_planes_4(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                               uint8_t *out, int past_cache)
{
    size_t i = 0;
    for (; count - i >= 32; i += 32) {
        __m256i bytes[4], items[4];
        look_up_planes(table, 4, order_for_join_4(_mm256_loadu_si256((const __m256i *)(codes + i))),
                       bytes);
        join_4(bytes, items);
        for (unsigned part = 0; part < 4; part++)
            store(out + 4 * i + 32 * part, items[part], past_cache);
    }
    return i;
}

QC_AVX2 size_t qc_look_up_2_avx2(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                 uint8_t *out, int past_cache)
{
    size_t i = 0;
    if (table->entries > MOST_ENTRIES)
        return 0;
    for (; count - i >= 32; i += 32) {
        __m256i bytes[2], items[2];
        look_up_planes(table, 2, order_for_join_2(_mm256_loadu_si256((const __m256i *)(codes + i))),
                       bytes);
        join_2(bytes, items);
        for (unsigned part = 0; part < 2; part++)
            store(out + 2 * i + 32 * part, items[part], past_cache);
    }
    return i;
}

QC_AVX2 size_t qc_look_up_4_avx2(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                 uint8_t *out, int past_cache)
{
    size_t i = 0;
    if (table->entries > MOST_ENTRIES)
        return 0;
    if (table->entries > 16)
        return by_planes_4(table, codes, count, out, past_cache);
    const __m256i low = _mm256_loadu_si256((const __m256i *)table->items);
    const __m256i high = _mm256_loadu_si256((const __m256i *)(table->items + 32));
    for (; count - i >= 8; i += 8) {
        __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(codes + i)));
        __m256 first = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(low, wide));
        __m256 second = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high, wide));
        /* Bit 3 of the code, moved to the sign, chooses. */
        __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(wide, 28));
        store(out + 4 * i, _mm256_castps_si256(_mm256_blendv_ps(first, second, upper)), past_cache);
    }
    return i;
}

#endif /* QC_HAS_AVX2 */
