/*
 * Each plane of bytes is looked up by itself, 16 items at a time, and the planes are joined. Up to
 * 16 items have their planes in registers. Of more, that costs ten instructions for each 16 items,
 * so from some number of items on single loads are faster.
 */
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

#define MAX_BY_PLANES_2 128
#define MAX_BY_PLANES_4 64

/* The bytes of 32 codes in each of `size` planes. */
QC_AVX2 static inline void look_up_planes(const qc_look_up_table *table, unsigned size,
                                          __m256i codes, __m256i *bytes)
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

QC_AVX2 static inline size_t by_planes_4(const qc_look_up_table *table, const uint8_t *codes,
                                         size_t count, uint8_t *out, int past_cache)
{
    size_t i = 0;
    for (; count - i >= 32; i += 32) {
        __m256i bytes[4], items[4];
        look_up_planes(table, 4, order_for_join_4(_mm256_loadu_si256((const __m256i *)(codes + i))),
                       bytes);
        join_4(bytes, items);
        for (unsigned part = 0; part < 4; part++)
            vector_put(out + 4 * i + 32 * part, items[part], past_cache);
    }
    return i;
}

/* Up to 16 items: one shuffle for each plane. `size` and `past_cache` are constants. */
QC_AVX2_INLINE size_t by_shuffles(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                  size_t size, uint8_t *out, int past_cache)
{
    __m256i planes[4];
    size_t i = 0;
    if (size == 4)
        load_planes_4(table->items, planes);
    else
        load_planes_2(table->items, planes);
    for (; count - i >= 32; i += 32)
        put_items(planes, vector_load(codes + i), size, out + size * i, past_cache);
    return i;
}

/* The items of the lowest four codes. */
QC_AVX2_INLINE __m128i load_4(const uint8_t *items, uint64_t codes)
{
    uint32_t item[4];
    for (unsigned i = 0; i < 4; i++)
        memcpy(&item[i], items + 4 * (codes >> 8 * i & 0xFF), 4);
    __m128i joined = _mm_cvtsi32_si128((int)item[0]);
    joined = _mm_insert_epi32(joined, (int)item[1], 1);
    joined = _mm_insert_epi32(joined, (int)item[2], 2);
    return _mm_insert_epi32(joined, (int)item[3], 3);
}

QC_AVX2_INLINE size_t by_loads_4(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                 uint8_t *out, int past_cache)
{
    size_t i = 0;
    for (; count - i >= 32; i += 32)
        for (size_t j = i; j < i + 32; j += 8) {
            uint64_t eight = qc_load64(codes + j);
            __m128i low = load_4(table->items, eight), high = load_4(table->items, eight >> 32);
            vector_put(out + 4 * j, _mm256_set_m128i(high, low), past_cache);
        }
    return i;
}

/* The items of eight codes. */
QC_AVX2_INLINE __m128i load_8(const uint8_t *items, uint64_t codes)
{
    uint16_t item[8];
    for (unsigned i = 0; i < 8; i++)
        memcpy(&item[i], items + 2 * (codes >> 8 * i & 0xFF), 2);
    __m128i joined = _mm_cvtsi32_si128(item[0]);
    joined = _mm_insert_epi16(joined, item[1], 1);
    joined = _mm_insert_epi16(joined, item[2], 2);
    joined = _mm_insert_epi16(joined, item[3], 3);
    joined = _mm_insert_epi16(joined, item[4], 4);
    joined = _mm_insert_epi16(joined, item[5], 5);
    joined = _mm_insert_epi16(joined, item[6], 6);
    return _mm_insert_epi16(joined, item[7], 7);
}

QC_AVX2 static inline size_t by_loads_2(const qc_look_up_table *table, const uint8_t *codes,
                                        size_t count, uint8_t *out, int past_cache)
{
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        __m128i low = load_8(table->items, qc_load64(codes + i));
        __m128i high = load_8(table->items, qc_load64(codes + i + 8));
        vector_put(out + 2 * i, _mm256_set_m128i(high, low), past_cache);
    }
    return i;
}

QC_AVX2 void qc_order_stores_avx2(void) { _mm_sfence(); }

QC_AVX2 size_t qc_look_up_2_avx2(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                 uint8_t *out, int past_cache)
{
    size_t i = 0;
    if (table->entries > MAX_BY_PLANES_2)
        return by_loads_2(table, codes, count, out, past_cache);
    if (table->entries <= QC_NO_PLANES)
        return past_cache ? by_shuffles(table, codes, count, 2, out, 1)
                          : by_shuffles(table, codes, count, 2, out, 0);
    for (; count - i >= 32; i += 32) {
        __m256i bytes[2], items[2];
        look_up_planes(table, 2, order_for_join_2(_mm256_loadu_si256((const __m256i *)(codes + i))),
                       bytes);
        join_2(bytes, items);
        for (unsigned part = 0; part < 2; part++)
            vector_put(out + 2 * i + 32 * part, items[part], past_cache);
    }
    return i;
}

QC_AVX2 size_t qc_look_up_4_avx2(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                 uint8_t *out, int past_cache)
{
    if (table->entries > MAX_BY_PLANES_4)
        return past_cache ? by_loads_4(table, codes, count, out, 1)
                          : by_loads_4(table, codes, count, out, 0);
    if (table->entries > QC_NO_PLANES)
        return by_planes_4(table, codes, count, out, past_cache);
    return past_cache ? by_shuffles(table, codes, count, 4, out, 1)
                      : by_shuffles(table, codes, count, 4, out, 0);
}

#endif /* QC_HAS_AVX2 */
