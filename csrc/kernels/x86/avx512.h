/*
 * What the AVX-512 files of this folder share. Each of them is empty in a build without AVX-512.
 */
#ifndef QC_X86_AVX512_H
#define QC_X86_AVX512_H

#include "kernels/kernels.h"

#if QC_HAS_AVX512

#ifndef QC_AVX512 /* a test brings the intrinsics, in software (tests/c/simde) */
#include <immintrin.h>
/* The features of QC_CPU_AVX512 (base/cpu.c). */
#define QC_AVX512                                                                                  \
    __attribute__((                                                                                \
        target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512bitalg,vpclmulqdq")))
#endif

/* ---- what templates (*_template.h) are written in; avx2.h has the same names ---- */

#define QC_SET          QC_AVX512
#define QC_NAME(name)   name##_avx512
#define QC_OP(name)     _mm512_##name
#define QC_VECTOR       __m512i
#define QC_VECTOR_BYTES 64
#define QC_FLOATS       __m512
#define QC_DOUBLES      __m512d

QC_SET static inline QC_VECTOR vector_zero(void) { return _mm512_setzero_si512(); }
QC_SET static inline QC_VECTOR vector_of_bytes(uint8_t byte)
{
    return _mm512_set1_epi8((char)byte);
}

QC_SET static inline QC_VECTOR vector_load(const uint8_t *bytes)
{
    return _mm512_loadu_si512((const void *)bytes);
}

QC_SET static inline void vector_store(uint8_t *out, QC_VECTOR vector)
{
    _mm512_storeu_si512((void *)out, vector);
}

QC_SET static inline QC_VECTOR vector_and(QC_VECTOR a, QC_VECTOR b)
{
    return _mm512_and_si512(a, b);
}

/* `past_cache`: by a non-temporal store, for which `out` must be aligned. */
QC_SET static inline void vector_put(uint8_t *out, QC_VECTOR vector, int past_cache)
{
    if (past_cache)
        _mm512_stream_si512((__m512i *)out, vector);
    else
        vector_store(out, vector);
}

/* As many bytes as there are floats in a vector, as floats. */
QC_SET static inline QC_FLOATS vector_load_floats(const uint8_t *codes)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)codes)));
}

/* As many elements of 16 bits as there are floats in a vector, as floats. */
QC_SET static inline QC_FLOATS vector_load_bf16(const uint8_t *elements)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)elements));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

QC_SET static inline QC_FLOATS vector_load_f16(const uint8_t *elements)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)elements));
}

QC_SET static inline QC_FLOATS vector_round_to_integers(QC_FLOATS floats)
{
    return _mm512_roundscale_ps(floats, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* As many floats as there are doubles in a vector, as doubles. */
QC_SET static inline QC_DOUBLES vector_load_doubles(const float *values)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(values));
}

/* Whether the magnitude of a difference is above `limit`. */
QC_SET static inline int vector_any_farther(QC_FLOATS a, QC_FLOATS b, QC_FLOATS limit)
{
    __m512 distance = _mm512_abs_ps(_mm512_sub_ps(a, b));
    return _mm512_cmp_ps_mask(distance, limit, _CMP_GT_OQ) != 0;
}

/* Integers from 0 to 255 as bytes. */
QC_SET static inline void vector_put_bytes(uint8_t *out, QC_FLOATS integers)
{
    __m512 sums = _mm512_add_ps(integers, _mm512_set1_ps(0x1p23f)); /* have them as low bits */
    _mm_storeu_si128((__m128i *)out, _mm512_cvtepi32_epi8(_mm512_castps_si512(sums)));
}

QC_SET static inline QC_VECTOR vector_of_floats(QC_FLOATS floats)
{
    return _mm512_castps_si512(floats);
}

/* As qc_round_to_f16 in float_bits.h; the instructions keep a part of a NaN's payload. */
QC_SET static inline QC_VECTOR vector_round_to_f16(QC_VECTOR bits)
{
    __m512 values = _mm512_castsi512_ps(bits);
    __m256i halves = _mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512i sign = _mm512_and_si512(bits, _mm512_set1_epi32((int)QC_F32_SIGN));
    __m512i nan = _mm512_or_si512(sign, _mm512_set1_epi32((int)QC_F32_NAN));
    return _mm512_mask_mov_epi32(_mm512_castps_si512(_mm512_cvtph_ps(halves)),
                                 _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q), nan);
}

/* As qc_round_to_bf16. */
QC_SET static inline QC_VECTOR vector_round_to_bf16(QC_VECTOR bits)
{
    const __m512i kept = _mm512_set1_epi32((int)0xFFFF0000);
    __m512 values = _mm512_castsi512_ps(bits);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i sum = _mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7FFF));
    __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    __mmask16 is_nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
    return _mm512_and_si512(_mm512_mask_mov_epi32(sum, is_nan, quiet), kept);
}

/* Elements of 4 or 2 bytes, rotated right by one bit if `rotated`, which is 1 or 0. */
QC_SET static inline QC_VECTOR vector_rotate_4(QC_VECTOR vector, int rotated)
{
    return _mm512_rorv_epi32(vector, _mm512_set1_epi32(rotated));
}

QC_SET static inline QC_VECTOR vector_rotate_2(QC_VECTOR vector, int rotated)
{
    return _mm512_shrdv_epi16(vector, vector, _mm512_set1_epi16((short)rotated));
}

/* The order of bytes for join_4: dword 4L + R of the result is dword 4R + L. */
QC_SET static inline QC_VECTOR order_for_join_4(QC_VECTOR bytes)
{
    return _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), bytes);
}

/* The order of bytes for join_2: qword 2L + R of the result is qword 4R + L. */
QC_SET static inline QC_VECTOR order_for_join_2(QC_VECTOR bytes)
{
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), bytes);
}

/* ---- items of a table: one register, which is permuted by the codes ---- */

#define QC_AVX512_INLINE QC_AVX512 static inline __attribute__((always_inline))

/* The items of 64 values in the order of their places: byte j of place p has value number
   j * places + p. An index is the lowest bits of a place, to which the value that is wanted is
   shifted. */
QC_AVX512_INLINE void put_places(__m512i ordered, __m512i items, size_t size, uint8_t *out,
                                 int past_cache)
{
    if (size == 2) {
        __m512i next = _mm512_srli_epi16(ordered, 8);
        vector_put(out, _mm512_permutexvar_epi16(ordered, items), past_cache);
        vector_put(out + 64, _mm512_permutexvar_epi16(next, items), past_cache);
        return;
    }
    for (unsigned part = 0; part < 4; part++) {
        __m512i index = _mm512_srli_epi32(ordered, 8 * part);
        vector_put(out + 64 * part, _mm512_permutexvar_epi32(index, items), past_cache);
    }
}

#endif /* QC_HAS_AVX512 */
#endif /* QC_X86_AVX512_H */
