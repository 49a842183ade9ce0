/*
 * Histograms of at most 16 symbols: each value is compared with 32 symbols at a time. Of more
 * values, portable C is faster. Equal bytes compare as -1, so subtracting the result counts them.
 */
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

#define MAX_WIDTH 4
#define AT_ONCE   4  /* symbols that a pass counts */
#define BLOCK     32 /* bytes of a register */
/* Blocks after which the counts, of a byte each, are full. This many stay in the L1 cache. */
#define BLOCKS 255

QC_AVX2 static __m256i load_bytes(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)bytes);
}

QC_AVX2 static int all_below(const uint8_t *symbols, size_t count, unsigned limit)
{
    __m256i any = _mm256_setzero_si256();
    for (size_t i = 0; i < count; i += BLOCK)
        any = _mm256_or_si256(any, load_bytes(symbols + i));
    return _mm256_testz_si256(any, _mm256_set1_epi8((char)(0u - limit)));
}

QC_AVX2 static uint64_t sum_of(__m256i numbers)
{
    uint64_t sums[4];
    _mm256_storeu_si256((__m256i *)sums, numbers);
    return sums[0] + sums[1] + sums[2] + sums[3];
}

/* Bytes at the positions i mod 4 are summed separately. */
QC_AVX2 static void add_counts(__m256i counts, unsigned symbol, qc_histogram histogram)
{
    for (unsigned part = 0; part < QC_HISTOGRAM_PARTS; part++) {
        __m256i own = _mm256_and_si256(counts, _mm256_set1_epi32(0xFF));
        histogram[part][symbol] += sum_of(_mm256_sad_epu8(own, _mm256_setzero_si256()));
        counts = _mm256_srli_epi32(counts, 8);
    }
}

QC_AVX2 static void count_some(const uint8_t *symbols, size_t count, unsigned first,
                               qc_histogram histogram)
{
    __m256i symbol[AT_ONCE], counts[AT_ONCE];
    for (unsigned s = 0; s < AT_ONCE; s++) {
        symbol[s] = _mm256_set1_epi8((char)(first + s));
        counts[s] = _mm256_setzero_si256();
    }
    for (size_t i = 0; i < count; i += BLOCK) {
        __m256i bytes = load_bytes(symbols + i);
        for (unsigned s = 0; s < AT_ONCE; s++)
            counts[s] = _mm256_sub_epi8(counts[s], _mm256_cmpeq_epi8(bytes, symbol[s]));
    }
    for (unsigned s = 0; s < AT_ONCE; s++)
        add_counts(counts[s], first + s, histogram);
}

QC_AVX2 size_t qc_count_blocks_avx2(const uint8_t *symbols, size_t count, unsigned width,
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

#endif /* QC_HAS_AVX2 */
