/*
 * Histograms of at most 16 symbols: each is compared with 64 bytes at a time.
 */
#include "../histogram.h"
#include "avx512.h"

#if QC_HAS_AVX512

#define MAX_WIDTH 4
#define AT_ONCE   4  /* symbols that a pass counts */
#define BLOCK     64 /* bytes of a register */
/* After so many blocks the counts, of a byte each, are full. They stay in the first cache. */
#define BLOCKS 255

QC_AVX512 static int all_below(const uint8_t *symbols, size_t count, unsigned limit)
{
    __m512i any = _mm512_setzero_si512();
    for (size_t i = 0; i < count; i += BLOCK)
        any = _mm512_or_si512(any, _mm512_loadu_si512(symbols + i));
    return _mm512_cmpge_epu8_mask(any, _mm512_set1_epi8((char)limit)) == 0;
}

/* Bytes at the positions i mod 4 are summed apart. */
QC_AVX512 static void add_counts(__m512i counts, unsigned symbol, qc_histogram histogram)
{
    for (unsigned part = 0; part < QC_HISTOGRAM_PARTS; part++) {
        __m512i own = _mm512_and_si512(counts, _mm512_set1_epi32(0xFF));
        __m512i sums = _mm512_sad_epu8(own, _mm512_setzero_si512());
        histogram[part][symbol] += (uint64_t)_mm512_reduce_add_epi64(sums);
        counts = _mm512_srli_epi32(counts, 8);
    }
}

QC_AVX512 static void count_some(const uint8_t *symbols, size_t count, unsigned first,
                                 qc_histogram histogram)
{
    __m512i symbol[AT_ONCE], counts[AT_ONCE];
    for (unsigned s = 0; s < AT_ONCE; s++) {
        symbol[s] = _mm512_set1_epi8((char)(first + s));
        counts[s] = _mm512_setzero_si512();
    }
    for (size_t i = 0; i < count; i += BLOCK) {
        __m512i bytes = _mm512_loadu_si512(symbols + i);
        for (unsigned s = 0; s < AT_ONCE; s++) {
            __mmask64 equal = _mm512_cmpeq_epi8_mask(bytes, symbol[s]);
            counts[s] = _mm512_mask_sub_epi8(counts[s], equal, counts[s], _mm512_set1_epi8(-1));
        }
    }
    for (unsigned s = 0; s < AT_ONCE; s++)
        add_counts(counts[s], first + s, histogram);
}

QC_AVX512 size_t qc_count_few_avx512(const uint8_t *symbols, size_t count, unsigned width,
                                     qc_histogram histogram)
{
    size_t whole = count - count % BLOCK;
    if (width > MAX_WIDTH || !all_below(symbols, whole, 1u << width))
        return 0;
    for (size_t at = 0, take; at < whole; at += take) {
        take = whole - at < BLOCKS * BLOCK ? whole - at : BLOCKS * BLOCK;
        for (unsigned first = 0; first < 1u << width; first += AT_ONCE)
            count_some(symbols + at, take, first, histogram);
    }
    return whole;
}

#endif /* QC_HAS_AVX512 */
