/*
 * Up to 16 items of four bytes, or 32 of two, are one register that is permuted by the codes, and
 * up to 32 items of four bytes are two. Of more items each plane of bytes is permuted by itself,
 * and the planes are joined.
 */
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#include "kernels/x86/interleave_template.h"

typedef struct plane {
    __m512i rows[4]; /* of 64 items */
} plane;

QC_AVX512 static inline plane load_plane(const qc_look_up_table *table, unsigned byte)
{
    plane plane;
    for (unsigned row = 0; row < 4; row++)
        plane.rows[row] = _mm512_loadu_si512(table->planes[byte] + 64 * row);
    return plane;
}

/* `rows` is a constant wherever this is called. */
QC_AVX512 static inline __m512i look_up_plane(const plane *plane, unsigned rows, __m512i codes)
{
    if (rows == 1)
        return _mm512_permutexvar_epi8(codes, plane->rows[0]);
    __m512i low = _mm512_permutex2var_epi8(plane->rows[0], codes, plane->rows[1]);
    if (rows == 2)
        return low;
    __m512i high = _mm512_permutex2var_epi8(plane->rows[2], codes, plane->rows[3]);
    return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(codes), high);
}

QC_AVX512 static inline size_t by_planes_4(const qc_look_up_table *table, unsigned rows,
                                           const uint8_t *codes, size_t count, uint8_t *out,
                                           int past_cache)
{
    plane planes[4];
    size_t i = 0;
    for (unsigned byte = 0; byte < 4; byte++)
        planes[byte] = load_plane(table, byte);
    for (; count - i >= 64; i += 64) {
        __m512i ordered = order_for_join_4(_mm512_loadu_si512(codes + i)), bytes[4], items[4];
        for (unsigned byte = 0; byte < 4; byte++)
            bytes[byte] = look_up_plane(&planes[byte], rows, ordered);
        join_4(bytes, items);
        for (unsigned part = 0; part < 4; part++)
            vector_put(out + 4 * i + 64 * part, items[part], past_cache);
    }
    return i;
}

QC_AVX512 static inline size_t by_planes_2(const qc_look_up_table *table, unsigned rows,
                                           const uint8_t *codes, size_t count, uint8_t *out,
                                           int past_cache)
{
    plane planes[2];
    size_t i = 0;
    for (unsigned byte = 0; byte < 2; byte++)
        planes[byte] = load_plane(table, byte);
    for (; count - i >= 64; i += 64) {
        __m512i ordered = order_for_join_2(_mm512_loadu_si512(codes + i)), bytes[2], items[2];
        for (unsigned byte = 0; byte < 2; byte++)
            bytes[byte] = look_up_plane(&planes[byte], rows, ordered);
        join_2(bytes, items);
        for (unsigned part = 0; part < 2; part++)
            vector_put(out + 2 * i + 64 * part, items[part], past_cache);
    }
    return i;
}

/* Up to 32 items of four bytes: two registers. */
QC_AVX512 static inline size_t by_two_4(const qc_look_up_table *table, const uint8_t *codes,
                                        size_t count, uint8_t *out, int past_cache)
{
    const __m512i low = _mm512_loadu_si512(table->items);
    const __m512i high = _mm512_loadu_si512(table->items + 64);
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        __m512i wide = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(codes + i)));
        vector_put(out + 4 * i, _mm512_permutex2var_epi32(low, wide, high), past_cache);
    }
    return i;
}

QC_AVX512 size_t qc_look_up_4_avx512(const qc_look_up_table *table, const uint8_t *codes,
                                     size_t count, uint8_t *out, int past_cache)
{
    size_t i = 0;
    if (table->entries > 128)
        return by_planes_4(table, 4, codes, count, out, past_cache);
    if (table->entries > 64)
        return by_planes_4(table, 2, codes, count, out, past_cache);
    if (table->entries > 32)
        return by_planes_4(table, 1, codes, count, out, past_cache);
    if (table->entries > 16)
        return by_two_4(table, codes, count, out, past_cache);
    const __m512i items = _mm512_loadu_si512(table->items);
    for (; count - i >= 16; i += 16) {
        __m512i wide = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(codes + i)));
        vector_put(out + 4 * i, _mm512_permutexvar_epi32(wide, items), past_cache);
    }
    return i;
}

QC_AVX512 size_t qc_look_up_2_avx512(const qc_look_up_table *table, const uint8_t *codes,
                                     size_t count, uint8_t *out, int past_cache)
{
    size_t i = 0;
    if (table->entries > 128)
        return by_planes_2(table, 4, codes, count, out, past_cache);
    if (table->entries > 64)
        return by_planes_2(table, 2, codes, count, out, past_cache);
    if (table->entries > 32)
        return by_planes_2(table, 1, codes, count, out, past_cache);
    const __m512i items = _mm512_loadu_si512(table->items);
    for (; count - i >= 32; i += 32) {
        __m512i wide = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(codes + i)));
        vector_put(out + 2 * i, _mm512_permutexvar_epi16(wide, items), past_cache);
    }
    return i;
}

#endif /* QC_HAS_AVX512 */
