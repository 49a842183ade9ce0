/*
 * 64 symbols at a time: a group of 8 symbols in each 64-bit lane. Loads and stores are masked, so
 * that nothing beyond the packed bytes is touched.
 */
#include "kernels/bitpacking.h"
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#define BYTES_0_TO_7 0x0706050403020100

/* 0 to 7 in each lane's bytes, times `factor`: below 256, so that no byte carries. */
QC_AVX512 static inline __m512i byte_numbers(unsigned factor)
{
    return _mm512_set1_epi64((int64_t)(BYTES_0_TO_7 * factor));
}

/* The number of the lane in each of its bytes, times `factor`. */
QC_AVX512 static inline __m512i lane_numbers(unsigned factor)
{
    const int64_t ones = 0x0101010101010101;
    __m512i lanes =
        _mm512_setr_epi64(0, ones, 2 * ones, 3 * ones, 4 * ones, 5 * ones, 6 * ones, 7 * ones);
    return _mm512_mullo_epi16(lanes, _mm512_set1_epi16((short)factor));
}

QC_AVX512 size_t qc_unpack_avx512(const uint8_t *packed, size_t size, unsigned width,
                                  uint8_t *symbols, size_t count)
{
    const __mmask64 block = ((uint64_t)1 << 8 * width) - 1;
    const __m512i groups = _mm512_add_epi8(byte_numbers(1), lane_numbers(width));
    const __m512i shifts = byte_numbers(width);
    const __m512i mask = _mm512_set1_epi8((char)((1 << width) - 1));
    size_t i = 0;
    (void)size; /* masked loads read only what `count` symbols take */
    for (; count - i >= 64; i += 64, packed += 8 * width) {
        __m512i bytes = _mm512_maskz_loadu_epi8(block, packed);
        bytes = _mm512_permutexvar_epi8(groups, bytes);
        bytes = _mm512_multishift_epi64_epi8(shifts, bytes);
        _mm512_storeu_si512(symbols + i, _mm512_and_si512(bytes, mask));
    }
    return i;
}

/* As qc_gather in bitpacking.h, in every 64-bit lane. */
QC_AVX512 static inline __m512i gather(__m512i x, unsigned bits, unsigned half)
{
    __m512i lower = _mm512_set1_epi64((int64_t)qc_lower_fields(bits, half));
    __m512i upper = _mm512_srl_epi64(x, _mm_cvtsi32_si128((int)(half - bits)));
    __m512i place = _mm512_sll_epi64(lower, _mm_cvtsi32_si128((int)bits));
    return _mm512_or_si512(_mm512_and_si512(x, lower), _mm512_and_si512(upper, place));
}

QC_AVX512 size_t qc_pack_avx512(const uint8_t *symbols, size_t count, unsigned width,
                                uint8_t *packed)
{
    const __mmask64 used = UINT64_C(0x0101010101010101) * ((1u << width) - 1);
    const __mmask64 block = ((uint64_t)1 << 8 * width) - 1;
    size_t i = 0;
    for (; count - i >= 64; i += 64, packed += 8 * width) {
        __m512i x = _mm512_loadu_si512(symbols + i);
        x = gather(x, width, 8);
        x = gather(x, 2 * width, 16);
        x = gather(x, 4 * width, 32);
        _mm512_mask_storeu_epi8(packed, block, _mm512_maskz_compress_epi8(used, x));
    }
    return i;
}

#endif /* QC_HAS_AVX512 */
