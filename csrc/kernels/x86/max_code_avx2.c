#include "kernels/kernels.h"
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

QC_AVX2 size_t qc_greatest_avx2(const uint8_t *codes, size_t count, uint8_t *greatest)
{
    __m256i found = _mm256_setzero_si256();
    uint8_t bytes[32];
    size_t i = 0;
    for (; count - i >= 32; i += 32)
        found = _mm256_max_epu8(found, _mm256_loadu_si256((const __m256i *)(codes + i)));
    _mm256_storeu_si256((__m256i *)bytes, found);
    for (size_t byte = 0; byte < sizeof bytes; byte++)
        *greatest = bytes[byte] > *greatest ? bytes[byte] : *greatest;
    return i;
}

#endif /* QC_HAS_AVX2 */
