/*
 * Items of a table, written from values: a few items are planes of bytes, each of which is shuffled
 * by the values.
 */
#ifndef QC_X86_ITEMS_AVX2_H
#define QC_X86_ITEMS_AVX2_H

#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

#include "kernels/x86/interleave_template.h"

/* The same 16 bytes in both halves. */
QC_AVX2_INLINE __m256i load_row(const uint8_t *row)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)row));
}

/* The planes of 16 items of four bytes. */
QC_AVX2 static inline void load_planes_4(const uint8_t *items, __m256i planes[4])
{
    const __m128i by_byte = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m128i fours[4];
    for (unsigned i = 0; i < 4; i++)
        fours[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(items + 16 * i)), by_byte);
    __m128i low_01 = _mm_unpacklo_epi32(fours[0], fours[1]);
    __m128i low_23 = _mm_unpacklo_epi32(fours[2], fours[3]);
    __m128i high_01 = _mm_unpackhi_epi32(fours[0], fours[1]);
    __m128i high_23 = _mm_unpackhi_epi32(fours[2], fours[3]);
    planes[0] = _mm256_broadcastsi128_si256(_mm_unpacklo_epi64(low_01, low_23));
    planes[1] = _mm256_broadcastsi128_si256(_mm_unpackhi_epi64(low_01, low_23));
    planes[2] = _mm256_broadcastsi128_si256(_mm_unpacklo_epi64(high_01, high_23));
    planes[3] = _mm256_broadcastsi128_si256(_mm_unpackhi_epi64(high_01, high_23));
}

/* The planes of 16 items of two bytes. */
QC_AVX2 static inline void load_planes_2(const uint8_t *items, __m256i planes[2])
{
    const __m256i low_byte = _mm256_set1_epi16(0xFF);
    __m256i first = load_row(items), second = load_row(items + 16);
    planes[0] =
        _mm256_packus_epi16(_mm256_and_si256(first, low_byte), _mm256_and_si256(second, low_byte));
    planes[1] = _mm256_packus_epi16(_mm256_srli_epi16(first, 8), _mm256_srli_epi16(second, 8));
}

/* The items of 32 values, all below 16, that were ordered for joining; `size` and `past_cache` are
   constants. */
QC_AVX2_INLINE void put_ordered_items(const __m256i planes[4], __m256i values, size_t size,
                                      uint8_t *out, int past_cache)
{
    __m256i bytes[4], items[4];
    for (unsigned byte = 0; byte < size; byte++)
        bytes[byte] = _mm256_shuffle_epi8(planes[byte], values);
    if (size == 4)
        join_4(bytes, items);
    else
        join_2(bytes, items);
    for (unsigned part = 0; part < size; part++)
        vector_put(out + 32 * part, items[part], past_cache);
}

/* The same in their own order. */
QC_AVX2_INLINE void put_items(const __m256i planes[4], __m256i values, size_t size, uint8_t *out,
                              int past_cache)
{
    values = size == 4 ? order_for_join_4(values) : order_for_join_2(values);
    put_ordered_items(planes, values, size, out, past_cache);
}

#endif /* QC_HAS_AVX2 */
#endif /* QC_X86_ITEMS_AVX2_H */
