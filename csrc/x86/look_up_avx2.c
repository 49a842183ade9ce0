/*
 * Up to 16 items of four bytes are two registers that are permuted by the codes. Of more items
 * each plane of bytes is looked up by itself, 16 items at a time, and the planes are joined. That
 * costs ten instructions for each 16 items, so from some number of items on single loads are
 * faster; past the caches they go by way of a buffer, of which whole lines are stored.
 */
#include "../value_kernels.h"
#include "interleave_avx2.h"

#if QC_HAS_AVX2

#define MOST_ENTRIES 128

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

INLINE_AVX2 size_t past_cache_4(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                uint8_t *out)
{
    enum { BUFFER = 64 };
    _Alignas(32) uint32_t buffer[BUFFER];
    size_t i = 0;
    for (; count - i >= BUFFER; i += BUFFER) {
        for (unsigned j = 0; j < BUFFER; j++)
            memcpy(&buffer[j], table->items + 4 * (size_t)codes[i + j], 4);
        for (unsigned j = 0; j < BUFFER; j += 8)
            store(out + 4 * (i + j), _mm256_load_si256((const __m256i *)(buffer + j)), 1);
    }
    return i;
}

/* Up to 16 items of two bytes: one shuffle for each of them. */
INLINE_AVX2 size_t by_shuffles_2(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                 uint8_t *out, int past_cache)
{
    const __m256i low_byte = _mm256_set1_epi16(0xFF);
    __m256i first = load_row(table->items), second = load_row(table->items + 16);
    __m256i planes[2] = {
        _mm256_packus_epi16(_mm256_and_si256(first, low_byte), _mm256_and_si256(second, low_byte)),
        _mm256_packus_epi16(_mm256_srli_epi16(first, 8), _mm256_srli_epi16(second, 8))};
    size_t i = 0;
    for (; count - i >= 32; i += 32) {
        __m256i bytes[2], items[2];
        __m256i ordered = order_for_join_2(_mm256_loadu_si256((const __m256i *)(codes + i)));
        for (unsigned byte = 0; byte < 2; byte++)
            bytes[byte] = _mm256_shuffle_epi8(planes[byte], ordered);
        join_2(bytes, items);
        for (unsigned part = 0; part < 2; part++)
            store(out + 2 * i + 32 * part, items[part], past_cache);
    }
    return i;
}

QC_AVX2 size_t qc_look_up_2_avx2(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                 uint8_t *out, int past_cache)
{
    size_t i = 0;
    if (table->entries > MOST_ENTRIES)
        return 0;
    if (table->entries <= QC_NO_PLANES)
        return by_shuffles_2(table, codes, count, out, past_cache);
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
        return past_cache ? past_cache_4(table, codes, count, out) : 0;
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
