/*
 * What the AVX2 files of this folder share. Each of them is empty in a build without AVX2.
 */
#ifndef QC_X86_AVX2_H
#define QC_X86_AVX2_H

#include "kernels/kernels.h"

#if QC_HAS_AVX2

#include <immintrin.h>

#define QC_AVX2 __attribute__((target("avx2,popcnt")))
/* For the parts of a loop whose registers must not go through memory between them. */
#define QC_AVX2_INLINE QC_AVX2 static inline __attribute__((always_inline))

/* ---- what templates (*_template.h) are written in; avx512.h has the same names ---- */

#define QC_SET          QC_AVX2
#define QC_NAME(name)   name##_avx2
#define QC_OP(name)     _mm256_##name
#define QC_VECTOR       __m256i
#define QC_VECTOR_BYTES 32
#define QC_FLOATS       __m256
#define QC_DOUBLES      __m256d

QC_SET static inline QC_VECTOR vector_zero(void) { return _mm256_setzero_si256(); }
QC_SET static inline QC_VECTOR vector_of_bytes(uint8_t byte)
{
    return _mm256_set1_epi8((char)byte);
}

QC_SET static inline QC_VECTOR vector_load(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)bytes);
}

QC_SET static inline void vector_store(uint8_t *out, QC_VECTOR vector)
{
    _mm256_storeu_si256((__m256i *)out, vector);
}

QC_SET static inline QC_VECTOR vector_and(QC_VECTOR a, QC_VECTOR b)
{
    return _mm256_and_si256(a, b);
}

/* `past_cache`: by a non-temporal store, for which `out` must be aligned. */
QC_SET static inline void vector_put(uint8_t *out, QC_VECTOR vector, int past_cache)
{
    if (past_cache)
        _mm256_stream_si256((__m256i *)out, vector);
    else
        vector_store(out, vector);
}

/* As many bytes as there are floats in a vector, as floats. */
QC_SET static inline QC_FLOATS vector_load_floats(const uint8_t *codes)
{
    __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)codes));
    return _mm256_cvtepi32_ps(wide);
}

/* As many elements of 16 bits as there are floats in a vector, as floats; f16 as in float_bits.h,
   without F16C, which is a set of its own. */
QC_SET static inline QC_FLOATS vector_load_bf16(const uint8_t *elements)
{
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)elements));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

QC_SET static inline QC_FLOATS vector_load_f16(const uint8_t *elements)
{
    const __m256i least_normal = _mm256_set1_epi32(113 << 23);
    const __m256i to_normal = _mm256_set1_epi32((127 - 15) << 23);
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)elements));
    __m256i magnitude = _mm256_slli_epi32(_mm256_and_si256(wide, _mm256_set1_epi32(0x7FFF)), 13);
    __m256i exponent = _mm256_and_si256(magnitude, _mm256_set1_epi32(0x0F800000));
    __m256i normal = _mm256_add_epi32(magnitude, to_normal);
    __m256i special = _mm256_add_epi32(normal, to_normal);
    __m256 subnormal = _mm256_sub_ps(_mm256_castsi256_ps(_mm256_add_epi32(magnitude, least_normal)),
                                     _mm256_castsi256_ps(least_normal));
    __m256i is_special = _mm256_cmpeq_epi32(exponent, _mm256_set1_epi32(0x0F800000));
    __m256i is_subnormal = _mm256_cmpeq_epi32(exponent, _mm256_setzero_si256());
    normal = _mm256_blendv_epi8(normal, special, is_special);
    normal = _mm256_blendv_epi8(normal, _mm256_castps_si256(subnormal), is_subnormal);
    __m256i sign = _mm256_slli_epi32(_mm256_srli_epi32(wide, 15), 31);
    return _mm256_castsi256_ps(_mm256_or_si256(normal, sign));
}

QC_SET static inline QC_FLOATS vector_round_to_integers(QC_FLOATS floats)
{
    return _mm256_round_ps(floats, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* As many floats as there are doubles in a vector, as doubles. */
QC_SET static inline QC_DOUBLES vector_load_doubles(const float *values)
{
    return _mm256_cvtps_pd(_mm_loadu_ps(values));
}

/* Whether the magnitude of a difference is above `limit`. */
QC_SET static inline int vector_any_farther(QC_FLOATS a, QC_FLOATS b, QC_FLOATS limit)
{
    __m256 distance = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_sub_ps(a, b));
    return _mm256_movemask_ps(_mm256_cmp_ps(distance, limit, _CMP_GT_OQ)) != 0;
}

/* Integers from 0 to 255 as bytes. */
QC_SET static inline void vector_put_bytes(uint8_t *out, QC_FLOATS integers)
{
    __m256i wide = _mm256_cvtps_epi32(integers);
    __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64((__m128i *)out, _mm_packus_epi16(words, words));
}

QC_SET static inline QC_VECTOR vector_of_floats(QC_FLOATS floats)
{
    return _mm256_castps_si256(floats);
}

/* As qc_round_to_f16 in float_bits.h. */
QC_SET static inline QC_VECTOR vector_round_to_f16(QC_VECTOR bits)
{
    const __m256i least_normal = _mm256_set1_epi32(113 << 23);
    const __m256i max_normal = _mm256_set1_epi32((143 << 23) - 1);
    const __m256i infinity = _mm256_set1_epi32((int)QC_F32_INFINITY);
    const __m256 half = _mm256_set1_ps(0.5f);
    __m256i sign = _mm256_and_si256(bits, _mm256_set1_epi32((int)QC_F32_SIGN));
    __m256i magnitude = _mm256_xor_si256(bits, sign);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(magnitude, 13), _mm256_set1_epi32(1));
    __m256i sum = _mm256_add_epi32(_mm256_add_epi32(magnitude, odd), _mm256_set1_epi32(0xFFF));
    __m256i rounded = _mm256_andnot_si256(_mm256_set1_epi32(0x1FFF), sum);
    __m256 subnormal = _mm256_sub_ps(_mm256_add_ps(_mm256_castsi256_ps(magnitude), half), half);
    __m256i is_nan = _mm256_cmpgt_epi32(magnitude, infinity);
    __m256i is_large = _mm256_cmpgt_epi32(rounded, max_normal);
    rounded = _mm256_blendv_epi8(rounded, _mm256_castps_si256(subnormal),
                                 _mm256_cmpgt_epi32(least_normal, magnitude));
    rounded = _mm256_blendv_epi8(rounded, infinity, is_large);
    rounded = _mm256_blendv_epi8(rounded, _mm256_set1_epi32((int)QC_F32_NAN), is_nan);
    return _mm256_or_si256(rounded, sign);
}

/* As qc_round_to_bf16. */
QC_SET static inline QC_VECTOR vector_round_to_bf16(QC_VECTOR bits)
{
    const __m256i kept = _mm256_set1_epi32((int)0xFFFF0000);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i sum = _mm256_add_epi32(_mm256_add_epi32(bits, odd), _mm256_set1_epi32(0x7FFF));
    __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    __m256 floats = _mm256_castsi256_ps(bits), is_nan = _mm256_cmp_ps(floats, floats, _CMP_UNORD_Q);
    return _mm256_and_si256(_mm256_blendv_epi8(sum, quiet, _mm256_castps_si256(is_nan)), kept);
}

/* Elements of 4 or 2 bytes, rotated right by one bit if `rotated`, which is 1 or 0. A shift by the
   whole width gives 0. */
QC_SET static inline QC_VECTOR vector_rotate_4(QC_VECTOR vector, int rotated)
{
    __m256i down = _mm256_srl_epi32(vector, _mm_cvtsi32_si128(rotated));
    return _mm256_or_si256(down, _mm256_sll_epi32(vector, _mm_cvtsi32_si128(32 - rotated)));
}

QC_SET static inline QC_VECTOR vector_rotate_2(QC_VECTOR vector, int rotated)
{
    __m256i down = _mm256_srl_epi16(vector, _mm_cvtsi32_si128(rotated));
    return _mm256_or_si256(down, _mm256_sll_epi16(vector, _mm_cvtsi32_si128(16 - rotated)));
}

/* The order of bytes for join_4: dword 4L + R of the result is dword 2R + L. */
QC_SET static inline QC_VECTOR order_for_join_4(QC_VECTOR bytes)
{
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
}

/* The order of bytes for join_2: qword 2L + R of the result is qword 2R + L. */
QC_SET static inline QC_VECTOR order_for_join_2(QC_VECTOR bytes)
{
    return _mm256_permute4x64_epi64(bytes, 0xD8); /* 0, 2, 1, 3 */
}

/* ---- items of a table: planes of bytes, each of which is shuffled by the codes ---- */

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
#endif /* QC_X86_AVX2_H */
