#include "../look_up.h"
#include "avx512.h"

#if QC_HAS_AVX512

/* Each returns how many were written; the rest is for the portable version. */

QC_AVX512 static size_t look_up_4_bytes_32(const uint8_t *codes, size_t count, const uint8_t *table,
                                           uint8_t *out)
{
    const __m512i low = _mm512_loadu_si512(table), high = _mm512_loadu_si512(table + 64);
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        __m512i index =
            _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(codes + i)));
        _mm512_storeu_si512(out + 4 * i, _mm512_permutex2var_epi32(low, index, high));
    }
    return i;
}

QC_AVX512 static size_t look_up_2_bytes_64(const uint8_t *codes, size_t count, const uint8_t *table,
                                           uint8_t *out)
{
    const __m512i low = _mm512_loadu_si512(table), high = _mm512_loadu_si512(table + 64);
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        __m512i index =
            _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(codes + i)));
        _mm512_storeu_si512(out + 2 * i, _mm512_permutex2var_epi16(low, index, high));
    }
    return i;
}

/* Byte number `byte` of 256 entries of 4 bytes. */
typedef struct byte_plane {
    __m512i quarter[4];
} byte_plane;

QC_AVX512 static byte_plane load_plane(const uint8_t *table, unsigned byte)
{
    uint8_t bytes[256];
    byte_plane plane;
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = table[4 * i + byte];
    for (unsigned i = 0; i < 4; i++)
        plane.quarter[i] = _mm512_loadu_si512(bytes + 64 * i);
    return plane;
}

QC_AVX512 static inline __m512i look_up_plane(const byte_plane *plane, __m512i codes)
{
    __m512i low = _mm512_permutex2var_epi8(plane->quarter[0], codes, plane->quarter[1]);
    __m512i high = _mm512_permutex2var_epi8(plane->quarter[2], codes, plane->quarter[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), low, high);
}

/* Any number of entries of 4 bytes, a byte plane at a time: a gather is twice as slow. */
QC_AVX512 static size_t look_up_4_bytes_256(const uint8_t *codes, size_t count,
                                            const uint8_t *table, uint8_t *out)
{
    const byte_plane planes[4] = {load_plane(table, 0), load_plane(table, 1), load_plane(table, 2),
                                  load_plane(table, 3)};
    size_t i = 0;
    for (; i + 64 <= count; i += 64, out += 256) {
        __m512i code = _mm512_loadu_si512(codes + i);
        __m512i b0 = look_up_plane(&planes[0], code), b1 = look_up_plane(&planes[1], code);
        __m512i b2 = look_up_plane(&planes[2], code), b3 = look_up_plane(&planes[3], code);
        /* Unpacking stays within 128 bits: entries 16k + 0 to 3 come to stand in part k of `a`, the
           next four in `b`, and so on; a transposition of 4 x 4 parts puts them in order. */
        __m512i low0 = _mm512_unpacklo_epi8(b0, b1), high0 = _mm512_unpackhi_epi8(b0, b1);
        __m512i low1 = _mm512_unpacklo_epi8(b2, b3), high1 = _mm512_unpackhi_epi8(b2, b3);
        __m512i a = _mm512_unpacklo_epi16(low0, low1), b = _mm512_unpackhi_epi16(low0, low1);
        __m512i c = _mm512_unpacklo_epi16(high0, high1), d = _mm512_unpackhi_epi16(high0, high1);
        __m512i ab0 = _mm512_shuffle_i32x4(a, b, 0x44), ab1 = _mm512_shuffle_i32x4(a, b, 0xEE);
        __m512i cd0 = _mm512_shuffle_i32x4(c, d, 0x44), cd1 = _mm512_shuffle_i32x4(c, d, 0xEE);
        _mm512_storeu_si512(out, _mm512_shuffle_i32x4(ab0, cd0, 0x88));
        _mm512_storeu_si512(out + 64, _mm512_shuffle_i32x4(ab0, cd0, 0xDD));
        _mm512_storeu_si512(out + 128, _mm512_shuffle_i32x4(ab1, cd1, 0x88));
        _mm512_storeu_si512(out + 192, _mm512_shuffle_i32x4(ab1, cd1, 0xDD));
    }
    return i;
}

QC_AVX512 void qc_look_up_avx512(const uint8_t *codes, size_t count, const uint8_t *table,
                                 unsigned entries, size_t size, uint8_t *out)
{
    size_t done = 0;
    if (size == 4)
        done = (entries <= 32 ? look_up_4_bytes_32 : look_up_4_bytes_256)(codes, count, table, out);
    else if (size == 2 && entries <= 64)
        done = look_up_2_bytes_64(codes, count, table, out);
    qc_look_up_portable(codes + done, count - done, table, entries, size, out + size * done);
}

#endif /* QC_HAS_AVX512 */
