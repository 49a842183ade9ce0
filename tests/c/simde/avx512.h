/*
 * AVX-512 in software, for machines without it: SIMDe, and the intrinsics that it lacks, written
 * after their definitions, one element at a time. Included before the kernels' sources.
 */
#ifndef QC_TESTS_SIMDE_AVX512_H
#define QC_TESTS_SIMDE_AVX512_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <string.h>

#include "base/float_bits.h"

/* They have no aliases. */
#define __mmask16 simde__mmask16
#define __mmask32 simde__mmask32
#define __mmask64 simde__mmask64
#ifndef _MM_FROUND_NO_EXC
#define _MM_FROUND_NO_EXC SIMDE_MM_FROUND_NO_EXC
#endif

/* A register of 64 bytes, or the first bytes of one. */
typedef union elements {
    uint8_t u8[64];
    uint16_t u16[32];
    uint32_t u32[16];
    uint64_t u64[8];
    float f32[16];
    double f64[8];
} elements;

static inline elements elements_of(const void *vector, size_t bytes)
{
    elements out = {{0}};
    memcpy(&out, vector, bytes);
    return out;
}

static inline __m512i vector_512(elements elements)
{
    __m512i out;
    memcpy(&out, &elements, sizeof out);
    return out;
}

static inline __m256i vector_256(elements elements)
{
    __m256i out;
    memcpy(&out, &elements, sizeof out);
    return out;
}

static inline __m128i vector_128(elements elements)
{
    __m128i out;
    memcpy(&out, &elements, sizeof out);
    return out;
}

/* ---- shifts ---- */

static inline __m512i software_shldv_epi16(__m512i high, __m512i low, __m512i counts)
{
    elements a = elements_of(&high, 64), b = elements_of(&low, 64), n = elements_of(&counts, 64);
    for (unsigned i = 0; i < 32; i++)
        a.u16[i] = (uint16_t)(((uint32_t)a.u16[i] << 16 | b.u16[i]) << (n.u16[i] & 15) >> 16);
    return vector_512(a);
}

static inline __m512i software_shrdv_epi16(__m512i low, __m512i high, __m512i counts)
{
    elements a = elements_of(&low, 64), b = elements_of(&high, 64), n = elements_of(&counts, 64);
    for (unsigned i = 0; i < 32; i++)
        a.u16[i] = (uint16_t)(((uint32_t)b.u16[i] << 16 | a.u16[i]) >> (n.u16[i] & 15));
    return vector_512(a);
}

static inline __m512i software_alignr_epi32(__m512i high, __m512i low, unsigned count)
{
    elements a = elements_of(&low, 64), b = elements_of(&high, 64), out;
    for (unsigned i = 0; i < 16; i++)
        out.u32[i] = i + count < 16 ? a.u32[i + count] : b.u32[i + count - 16];
    return vector_512(out);
}

static inline __m512i software_mask_sub_epi16(__m512i otherwise, __mmask32 mask, __m512i a,
                                              __m512i b)
{
    return _mm512_mask_mov_epi16(otherwise, mask, _mm512_sub_epi16(a, b));
}

/* ---- comparison and sums ---- */

static inline __mmask32 software_cmplt_epu16_mask(__m512i left, __m512i right)
{
    elements a = elements_of(&left, 64), b = elements_of(&right, 64);
    __mmask32 less = 0;
    for (unsigned i = 0; i < 32; i++)
        less |= (__mmask32)(a.u16[i] < b.u16[i]) << i;
    return less;
}

static inline long long software_reduce_add_epi64(__m512i vector)
{
    elements from = elements_of(&vector, 64);
    uint64_t sum = 0;
    for (unsigned i = 0; i < 8; i++)
        sum += from.u64[i];
    return (long long)sum;
}

/* ---- multiplication without carries ---- */

/* Of one 64-bit half of each vector of 128 bits, which `halves` names as the instruction does. */
static inline __m512i software_clmulepi64_epi128(__m512i left, __m512i right, int halves)
{
    elements a = elements_of(&left, 64), b = elements_of(&right, 64), out = {{0}};
    for (unsigned i = 0; i < 8; i += 2)
        for (unsigned bit = 0; bit < 64; bit++)
            if (a.u64[i + (halves & 1)] >> bit & 1) {
                uint64_t factor = b.u64[i + (halves >> 4)];
                out.u64[i] ^= factor << bit;
                out.u64[i + 1] ^= bit > 0 ? factor >> (64 - bit) : 0;
            }
    return vector_512(out);
}

/* ---- expansion and compression ---- */

static inline __m512i software_maskz_expand_epi16(__mmask32 mask, __m512i vector)
{
    elements from = elements_of(&vector, 64), to = {{0}};
    for (unsigned i = 0, next = 0; i < 32; i++)
        if (mask >> i & 1)
            to.u16[i] = from.u16[next++];
    return vector_512(to);
}

static inline __m512i software_mask_expand_epi8(__m512i otherwise, __mmask64 mask, __m512i vector)
{
    elements from = elements_of(&vector, 64), to = elements_of(&otherwise, 64);
    for (unsigned i = 0, next = 0; i < 64; i++)
        if (mask >> i & 1)
            to.u8[i] = from.u8[next++];
    return vector_512(to);
}

static inline __m512i software_maskz_compress_epi16(__mmask32 mask, __m512i vector)
{
    elements from = elements_of(&vector, 64), to = {{0}};
    for (unsigned i = 0, next = 0; i < 32; i++)
        if (mask >> i & 1)
            to.u16[next++] = from.u16[i];
    return vector_512(to);
}

static inline __m512i software_maskz_compress_epi8(__mmask64 mask, __m512i vector)
{
    elements from = elements_of(&vector, 64), to = {{0}};
    for (unsigned i = 0, next = 0; i < 64; i++)
        if (mask >> i & 1)
            to.u8[next++] = from.u8[i];
    return vector_512(to);
}

/* ---- conversion ---- */

static inline __m512i software_cvtepu8_epi16(__m256i bytes)
{
    elements from = elements_of(&bytes, 32), to;
    for (unsigned i = 0; i < 32; i++)
        to.u16[i] = from.u8[i];
    return vector_512(to);
}

static inline __m512i software_cvtepu8_epi32(__m128i bytes)
{
    elements from = elements_of(&bytes, 16), to;
    for (unsigned i = 0; i < 16; i++)
        to.u32[i] = from.u8[i];
    return vector_512(to);
}

static inline __m512i software_cvtepu16_epi32(__m256i halves)
{
    elements from = elements_of(&halves, 32), to;
    for (unsigned i = 0; i < 16; i++)
        to.u32[i] = from.u16[i];
    return vector_512(to);
}

static inline __m128i software_cvtepi16_epi8(__m256i halves)
{
    elements from = elements_of(&halves, 32), to = {{0}};
    for (unsigned i = 0; i < 16; i++)
        to.u8[i] = (uint8_t)from.u16[i];
    return vector_128(to);
}

static inline __m128i software_cvtepi32_epi8(__m512i words)
{
    elements from = elements_of(&words, 64), to = {{0}};
    for (unsigned i = 0; i < 16; i++)
        to.u8[i] = (uint8_t)from.u32[i];
    return vector_128(to);
}

static inline __m512 software_cvtepi32_ps(__m512i integers)
{
    elements from = elements_of(&integers, 64), to;
    __m512 out;
    for (unsigned i = 0; i < 16; i++)
        to.f32[i] = (float)(int32_t)from.u32[i];
    memcpy(&out, &to, sizeof out);
    return out;
}

/* To nearest even; a NaN may have another payload. */
static inline __m256i software_cvtps_ph(__m512 floats, int rounding)
{
    elements from = elements_of(&floats, 64), to = {{0}};
    (void)rounding;
    for (unsigned i = 0; i < 16; i++)
        to.u16[i] = (uint16_t)qc_f16_of_f32(from.u32[i]);
    return vector_256(to);
}

static inline __m512 software_cvtph_ps(__m256i halves)
{
    elements from = elements_of(&halves, 32), to;
    __m512 out;
    for (unsigned i = 0; i < 16; i++)
        to.u32[i] = qc_f32_of_f16(from.u16[i]);
    memcpy(&out, &to, sizeof out);
    return out;
}

static inline __m512d software_cvtps_pd(__m256 floats)
{
    elements from = elements_of(&floats, 32), to;
    __m512d out;
    for (unsigned i = 0; i < 8; i++)
        to.f64[i] = from.f32[i];
    memcpy(&out, &to, sizeof out);
    return out;
}

/* ---- memory: bytes outside a mask are not touched, as they may be outside the buffer ---- */

static inline __m512i software_maskz_loadu_epi8(__mmask64 mask, const void *from)
{
    elements to = {{0}};
    for (unsigned i = 0; i < 64; i++)
        if (mask >> i & 1)
            to.u8[i] = ((const uint8_t *)from)[i];
    return vector_512(to);
}

static inline void software_mask_storeu_epi8(void *to, __mmask64 mask, __m512i vector)
{
    elements from = elements_of(&vector, 64);
    for (unsigned i = 0; i < 64; i++)
        if (mask >> i & 1)
            ((uint8_t *)to)[i] = from.u8[i];
}

static inline void software_mask_storeu_epi16(void *to, __mmask32 mask, __m512i vector)
{
    elements from = elements_of(&vector, 64);
    for (unsigned i = 0; i < 32; i++)
        if (mask >> i & 1)
            memcpy((uint8_t *)to + 2 * i, &from.u16[i], 2);
}

static inline void software_stream_si512(void *to, __m512i vector)
{
    memcpy(to, &vector, sizeof vector);
}

/* ---- their names, but for those that a newer SIMDe has ---- */

#ifndef _mm512_shldv_epi16
#define _mm512_shldv_epi16 software_shldv_epi16
#endif
#ifndef _mm512_shrdv_epi16
#define _mm512_shrdv_epi16 software_shrdv_epi16
#endif
#ifndef _mm512_alignr_epi32
#define _mm512_alignr_epi32 software_alignr_epi32
#endif
#ifndef _mm512_mask_sub_epi16
#define _mm512_mask_sub_epi16 software_mask_sub_epi16
#endif
#ifndef _mm512_clmulepi64_epi128
#define _mm512_clmulepi64_epi128 software_clmulepi64_epi128
#endif
#ifndef _mm512_cmplt_epu16_mask
#define _mm512_cmplt_epu16_mask software_cmplt_epu16_mask
#endif
#ifndef _mm512_reduce_add_epi64
#define _mm512_reduce_add_epi64 software_reduce_add_epi64
#endif
#ifndef _mm512_mask_expand_epi8
#define _mm512_mask_expand_epi8 software_mask_expand_epi8
#endif
#ifndef _mm512_maskz_expand_epi16
#define _mm512_maskz_expand_epi16 software_maskz_expand_epi16
#endif
#ifndef _mm512_maskz_compress_epi16
#define _mm512_maskz_compress_epi16 software_maskz_compress_epi16
#endif
#ifndef _mm512_maskz_compress_epi8
#define _mm512_maskz_compress_epi8 software_maskz_compress_epi8
#endif
#ifndef _mm512_cvtepu8_epi16
#define _mm512_cvtepu8_epi16 software_cvtepu8_epi16
#endif
#ifndef _mm512_cvtepu8_epi32
#define _mm512_cvtepu8_epi32 software_cvtepu8_epi32
#endif
#ifndef _mm512_cvtepu16_epi32
#define _mm512_cvtepu16_epi32 software_cvtepu16_epi32
#endif
#ifndef _mm256_cvtepi16_epi8
#define _mm256_cvtepi16_epi8 software_cvtepi16_epi8
#endif
#ifndef _mm512_cvtepi32_epi8
#define _mm512_cvtepi32_epi8 software_cvtepi32_epi8
#endif
#ifndef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps software_cvtepi32_ps
#endif
#ifndef _mm512_cvtps_ph
#define _mm512_cvtps_ph software_cvtps_ph
#endif
#ifndef _mm512_cvtph_ps
#define _mm512_cvtph_ps software_cvtph_ps
#endif
#ifndef _mm512_cvtps_pd
#define _mm512_cvtps_pd software_cvtps_pd
#endif
#ifndef _mm512_maskz_loadu_epi8
#define _mm512_maskz_loadu_epi8 software_maskz_loadu_epi8
#endif
#ifndef _mm512_mask_storeu_epi8
#define _mm512_mask_storeu_epi8 software_mask_storeu_epi8
#endif
#ifndef _mm512_mask_storeu_epi16
#define _mm512_mask_storeu_epi16 software_mask_storeu_epi16
#endif
#ifndef _mm512_stream_si512
#define _mm512_stream_si512 software_stream_si512
#endif

#endif /* QC_TESTS_SIMDE_AVX512_H */
