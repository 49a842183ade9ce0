#include "../look_up.h"
#include "avx2.h"

#if QC_HAS_AVX2

/* Up to 16 entries of 4 bytes: both halves are looked up by 3 bits, the fourth chooses. Returns how
   many were written. */
QC_AVX2 static size_t look_up_16(const uint8_t *codes, size_t count, const uint8_t *table,
                                 uint8_t *out)
{
    const __m256 low = _mm256_loadu_ps((const float *)(const void *)table);
    const __m256 high = _mm256_loadu_ps((const float *)(const void *)(table + 32));
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        __m256i index =
            _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(codes + i)));
        __m256 is_high = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28));
        __m256 found = _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, index),
                                        _mm256_permutevar8x32_ps(high, index), is_high);
        _mm256_storeu_ps((float *)(void *)(out + 4 * i), found);
    }
    return i;
}

QC_AVX2 void qc_look_up_avx2(const uint8_t *codes, size_t count, const uint8_t *table,
                             unsigned entries, size_t size, uint8_t *out)
{
    size_t done = size == 4 && entries <= 16 ? look_up_16(codes, count, table, out) : 0;
    qc_look_up_portable(codes + done, count - done, table, entries, size, out + size * done);
}

#endif /* QC_HAS_AVX2 */
